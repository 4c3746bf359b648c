"""Reads the YAML of a seed file as plain texts, lists and mappings, each with its line; risky YAML is refused.

Every scalar stays text, so that `no`, `0012` and `1:30` are not changed. An empty scalar, `~` or `null` is None.
Anchors, aliases, tags and repeated keys are errors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import yaml

LARGEST = 1024 * 1024
DEEPEST = 20

Path = tuple[str | int, ...]
Value = str | None | list["Value"] | dict[str, "Value"]

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}


@dataclass
class Document:
    """A file as read so far: its value, the line of each part, and what is wrong with it."""

    name: str
    value: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, path: Path, message: str) -> None:
        """Add an error at the line of `path`, or of the nearest part above it that the file has."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        self.refuse_line(self.lines.get(known, 1), f"{'.'.join(map(str, path))}: {message}" if path else message)

    def refuse_line(self, line: int, message: str) -> None:
        """Add an error at a line."""
        self.errors.append((line, message))

    @property
    def complaints(self) -> list[str]:
        """All errors as `file:line: field: message`, by line."""
        return [f"{self.name}:{line}: {message}" for line, message in sorted(set(self.errors))]


def read_document(content: bytes, name: str, placeholders: Mapping[str, str]) -> Document:
    """Read the file; the document's `errors` say what is wrong with it as YAML."""
    document = Document(name)
    if len(content) > LARGEST:
        document.refuse_line(1, f"the file is larger than {LARGEST} bytes")
        return document
    try:
        _refuse_risky(content, document)
        if not document.errors:
            node = yaml.compose(content, Loader=yaml.BaseLoader)
            if node is not None:
                document.value = _Reader(document, placeholders).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.refuse_line(mark.line + 1 if mark else 1, str(error.problem or error.context))
    except yaml.YAMLError:
        document.refuse_line(1, "the file is not UTF-8 text without control characters")
    return document


def _refuse_risky(content: bytes, document: Document) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            document.refuse_line(line, "anchors and aliases are not allowed; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            document.refuse_line(line, f"nested deeper than {DEEPEST} levels")
            return


@dataclass
class _Reader:
    """Turns nodes into values and remembers their lines."""

    document: Document
    placeholders: Mapping[str, str]

    def value(self, node: yaml.Node, path: Path) -> Value:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            self.document.refuse(path, f"the tag {node.tag[:40]!r} is not allowed")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._scalar(cast(yaml.ScalarNode, node), path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.refuse_line(line, "a key must be text")
                continue
            key = str(key_node.value)
            self._check_text(key, (*path, key), line)
            if key in found:
                self.document.refuse_line(line, f"{'.'.join(map(str, (*path, key)))}: given twice")
                continue
            self.document.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> str | None:
        if node.style is None and node.value in {"", "~", "null"}:
            return None
        self._check_text(str(node.value), path, node.start_mark.line + 1)

        def replace(match: re.Match[str]) -> str:
            if match[1] not in self.placeholders:
                known = ", ".join(sorted(self.placeholders)) or "none"
                self.document.refuse(path, f"unknown placeholder ${{{match[1]}}} (known: {known})")
            return self.placeholders.get(match[1], "")

        return _PLACEHOLDER.sub(replace, str(node.value))

    def _check_text(self, text: str, path: Path, line: int) -> None:
        """Refuse characters that only an escape can write: control characters (not tab, line feed), lone surrogates."""
        if _NO_TEXT.search(text):
            where = _NO_TEXT.sub("\ufffd", ".".join(map(str, path)))
            self.document.refuse_line(line, f"{where}: a control character, or half a character")
