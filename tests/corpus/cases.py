"""What a case of bad input is, and the files that hold them: `cases/<surface>/<name>.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml

FOLDER = Path(__file__).parent / "cases"
SURFACES = ("shopify", "supplier", "carrier", "ops", "seed", "messages")
CLASSES: Mapping[str, str] = {
    "401": "refused: not signed as it has to be; nothing is kept",
    "400": "refused: it cannot be read or makes no sense; nothing is kept",
    "404": "refused: there is no such thing; nothing is kept",
    "409": "refused: not possible as things stand; nothing is kept",
    "413": "refused: too large; nothing is kept",
    "ignored": "taken in, and nothing changes",
    "accepted": "done, and contained: odd text is kept as text and nothing else",
    "attention": "done as far as it goes, and a person is told: a hold, a task or a case",
    "set aside": "a message that no try can do: in the dead letters after exactly maxReceiveCount deliveries",
    "refused": "a seed file that is not loaded: nothing is written, and the message names line and field",
}
REQUESTS = frozenset({"401", "400", "404", "409", "413"})
"""Classes that are told by an HTTP status."""

# How far the example order has come before the bad input arrives.
State = Literal["new", "placed", "shipped", "told", "refunded", "held"]
_STATES: Mapping[str, State] = {
    "shopify": "new",
    "supplier": "placed",
    "carrier": "shipped",
    "ops": "held",
    "seed": "new",
    "messages": "shipped",
}
_FIELDS = frozenset(
    {"title", "expect", "state", "base", "body", "inner", "form", "sign", "headers", "to", "as_text", "queue"}
    | {"method", "path", "query", "claims", "file", "names", "kept", "gone", "call"}
)


class BadCase(Exception):
    """A case file does not say what a case says."""


@dataclass(frozen=True)
class Case:
    """One bad input.

    `make` says how it is made (`making`), `kept` a text that must be stored or sent on afterwards as it is, `gone` a
    text that must not, `names` what the complaint about a seed file has to name.
    """

    surface: str
    name: str
    title: str
    expect: str
    state: State
    make: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Surface and file name."""
        return f"{self.surface}/{self.name}"


def read_case(file: Path) -> Case:
    """Read one case file; BadCase where it has fields or a class that nobody knows, or lacks a title."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    surface = file.parent.name
    unknown = content.keys() - _FIELDS
    if unknown:
        raise BadCase(f"{file.name}: unknown fields {sorted(unknown)}")
    title, expect = str(content.pop("title", "")), str(content.pop("expect", ""))
    if not title or expect not in CLASSES or surface not in SURFACES:
        raise BadCase(f"{file.name}: needs a title, one of {', '.join(CLASSES)}, and a folder of a surface")
    state = cast(State, content.pop("state", _STATES[surface]))
    return Case(surface, file.stem, title, expect, state, content)


def load_cases(folder: Path = FOLDER) -> list[Case]:
    """Every case, those that begin in the same state next to each other."""
    cases = [read_case(file) for file in sorted(folder.glob("*/*.yaml"))]
    return sorted(cases, key=lambda case: (case.state, case.surface, case.name))
