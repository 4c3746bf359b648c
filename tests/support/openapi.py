"""An OpenAPI document as data: its calls, its references resolved, and which of its fields an answer contains."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

Schema = Mapping[str, Any]
_dates = FormatChecker(formats=())
_dates.checks("date-time", raises=ValueError)(lambda text: not isinstance(text, str) or datetime.fromisoformat(text))


@dataclass(frozen=True)
class Operation:
    """One call: its path with names in braces, its method, what the document says about it."""

    path: str
    method: str
    says: Schema = field(hash=False)
    parameters: Mapping[str, Mapping[str, Any]] = field(hash=False)
    """By place (`path`, `query`) and name."""

    @property
    def id(self) -> str:
        """The operationId."""
        return str(self.says["operationId"])

    @property
    def statuses(self) -> set[int]:
        """The statuses of its answers."""
        return {int(status) for status in self.says["responses"]}

    @property
    def bodies(self) -> list[str]:
        """The example bodies of a request, as JSON."""
        content = self.says.get("requestBody", {}).get("content", {}).get("application/json", {})
        return [json.dumps(one["value"]) for one in content.get("examples", {}).values()]


class Document:
    """A document of this repository, read from `docs/`."""

    def __init__(self, file: Path) -> None:
        self.content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.operations = list(self._operations())

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.content["paths"].items():
            for method in item.keys() - {"parameters"}:
                parameters: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
                for one in map(self.resolved, [*item.get("parameters", []), *item[method].get("parameters", [])]):
                    parameters[one["in"]][one["name"]] = one
                yield Operation(path, method.upper(), item[method], parameters)

    def resolved(self, node: Any) -> Any:
        """The node, or the node that it refers to."""
        while isinstance(node, dict) and "$ref" in node:
            found: Any = self.content
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def answer(self, operation: Operation, status: int) -> Schema:
        """The schema of an answer."""
        answer = self.resolved(operation.says["responses"][str(status)])
        return dict(answer["content"]["application/json"]["schema"])

    def complaints(self, schema: Schema, value: object) -> list[str]:
        """The ways in which a value does not fit a schema."""
        whole = {**schema, "components": self.content["components"]}
        found = Draft202012Validator(whole, format_checker=_dates).iter_errors(value)
        return [f"{error.json_path}: {error.message[:200]}" for error in found]

    def nodes(self) -> Iterator[tuple[str, Schema]]:
        """Every schema in the document, with its place: `Order.lines[].sku` is a field of a named schema."""
        for name, schema in self.content["components"]["schemas"].items():
            yield from self._below(name, schema)
        for operation in self.operations:
            for where, one in operation.parameters["query"].items():
                yield from self._below(f"{operation.id}?{where}", one["schema"])
            for status in sorted(operation.statuses):
                yield from self._below(f"{operation.id} {status}", self.answer(operation, status))

    def _below(self, place: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
        if "$ref" in schema:
            return
        yield place, schema
        for name, part in schema.get("properties", {}).items():
            yield from self._below(f"{place}.{name}", part)
        for part in schema.get("oneOf", []):
            yield from self._below(place, part)
        if "items" in schema:
            yield from self._below(f"{place}[]", schema["items"])

    def look(self, schema: Schema, value: Any, seen: "Seen", place: str) -> None:
        """Count in `seen` which fields of the document's objects a value contains."""
        if "$ref" in schema:
            place, schema = schema["$ref"].rpartition("/")[2], self.resolved(schema)
        if "oneOf" in schema:
            schema = next(one for one in schema["oneOf"] if not self.complaints(one, value))
            self.look(schema, value, seen, place)
        elif isinstance(value, list):
            for part in value:
                self.look(schema["items"], part, seen, f"{place}[]")
        elif isinstance(value, dict) and "properties" in schema:
            seen.objects[place] += 1
            for name, part in value.items():
                seen.fields[place, name] += 1
                seen.filled[place, name] += not (part is None or part is False or part in ("", [], {}))
                self.look(schema["properties"][name], part, seen, f"{place}.{name}")


@dataclass
class Seen:
    """What answers contained of a document: how many objects, fields, and fields that are not empty."""

    objects: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    filled: Counter[tuple[str, str]] = field(default_factory=Counter)
