"""The units that AWS bills, from sizes in bytes. The rules are those of the DynamoDB and SQS developer guides.

Sizes: "DynamoDB item sizes and formats" (CapacityUnitCalculations). Writes and reads: "DynamoDB read and write
operations". Indexes: "Using Global Secondary Indexes in DynamoDB", write considerations.
"""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

KB = 1024
WRITE_BYTES = KB
READ_BYTES = 4 * KB
SQS_BYTES = 64 * KB
HTTP_API_BYTES = 512 * KB
LOG_EVENT_BYTES = 26  # CloudWatch Logs adds this to every event

Item = Mapping[str, Mapping[str, Any]]
Change = Literal["put", "move", "rewrite", "remove", "same"]


@dataclass(frozen=True)
class Index:
    """A global secondary index: its key attributes, and the other attributes that it holds (None: all)."""

    name: str
    keys: tuple[str, ...]
    projected: tuple[str, ...] | None


def item_bytes(item: Item) -> int:
    """The size of an item in bytes: attribute names in UTF-8, and values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """The size in bytes of one attribute value, in DynamoDB's JSON or as the SDK has it (bytes instead of base64).

    A number takes one byte for two significant digits, plus one; a list or map 3 bytes, plus one for each element.
    """
    ((kind, content),) = value.items()
    if kind in {"SS", "NS", "BS"}:
        return sum(value_bytes({kind[0]: one}) for one in content)
    return _SIZES[kind](content)


def entry_of(item: Item | None, index: Index, table_keys: Sequence[str]) -> Item | None:
    """The item's entry in the index; None if it lacks one of the index's key attributes."""
    if item is None or any(name not in item for name in index.keys):
        return None
    if index.projected is None:
        return item
    kept = {*table_keys, *index.keys, *index.projected}
    return {name: value for name, value in item.items() if name in kept}


def index_change(old: Item | None, new: Item | None, index: Index, table_keys: Sequence[str]) -> tuple[Change, int]:
    """What a write does to an index, and the size of the larger entry."""
    before, after = entry_of(old, index, table_keys), entry_of(new, index, table_keys)
    size = max(item_bytes(entry) for entry in (before or {}, after or {}))
    if before == after:
        return "same", size
    if before is None:
        return "put", size
    if after is None:
        return "remove", size
    moved = any(before[name] != after[name] for name in index.keys)
    return ("move" if moved else "rewrite"), size


def write_units(old_bytes: int, new_bytes: int) -> int:
    """The units of one write, for the larger of the item before and after; at least one, even if it is refused."""
    return max(1, math.ceil(max(old_bytes, new_bytes) / WRITE_BYTES))


def index_write_units(change: Change, entry_bytes: int) -> int:
    """The units for one index: 0 if the entry is the same, two writes if its key changed (delete and put), else one."""
    writes = {"same": 0, "put": 1, "rewrite": 1, "remove": 1, "move": 2}[change]
    return writes * max(1, math.ceil(entry_bytes / WRITE_BYTES))


def read_units(read_bytes: int, *, consistent: bool) -> float:
    """The units of one item read or one query page: per 4 KB, at least one, found or not; half if not consistent."""
    return max(1, math.ceil(read_bytes / READ_BYTES)) * (1.0 if consistent else 0.5)


def chunks(size: int, chunk: int) -> int:
    """How many requests a payload is billed as; at least one."""
    return max(1, math.ceil(size / chunk))


def _number_bytes(text: str) -> int:
    digits = text.lower().split("e")[0].lstrip("+-").replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + text.startswith("-")


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": _number_bytes,
    "B": lambda content: len(content if isinstance(content, bytes) else base64.b64decode(content)),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": lambda elements: 3 + sum(1 + value_bytes(one) for one in elements),
    "M": lambda entries: 3 + sum(1 + len(name.encode()) + value_bytes(one) for name, one in entries.items()),
}
