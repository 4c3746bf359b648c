"""What the sandbox received and sent, in order. It is kept only in memory, because it holds buyers' addresses."""

import itertools
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.local.sandbox.exchange import Malformed, Request

SECRET_HEADERS = {"authorization", "x-shopify-access-token"}
_FILTERS = {"direction", "partner", "operation", "contains"}


def now_text() -> str:
    """Now, in UTC, to the millisecond: `2026-11-21T08:15:30.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Record:
    """One request. `direction` is `received` (from us, by the partner) or `sent` (by the partner, to us).

    `status` is that of the answer: 0 for no answer, None while the request is under way. `fault` is the mode of the
    fault that happened, if any.
    """

    n: int
    direction: str
    partner: str
    operation: str
    method: str
    path: str
    headers: dict[str, str]
    body: object
    at: str = field(default_factory=now_text)
    status: int | None = None
    fault: str | None = None


class Records:
    """All records, safe to use from many threads."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, direction: str, partner: str, operation: str, request: Request) -> Record:
        """Add and return a record of `request`, without its secrets."""
        headers = {name: text for name, text in request.headers.items() if name.lower() not in SECRET_HEADERS}
        query = "&".join(f"{name}={text}" for name, text in request.query.items())
        path = f"{request.path}?{query}" if query else request.path
        with self._lock:
            record = Record(
                next(self._numbers), direction, partner, operation, request.method, path, headers, request.readable_body
            )
            self._records.append(record)
        return record

    def find(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Records that match `query`: direction, partner and operation are equal; `contains` is in path or body.

        Raises:
            Malformed: there is no such filter.
        """
        if unknown := set(query) - _FILTERS:
            raise Malformed(f"unknown filter {', '.join(sorted(unknown))}; there are {', '.join(sorted(_FILTERS))}")
        with self._lock:
            return [asdict(record) for record in self._records if _matches(record, query)]

    def clear(self) -> None:
        """Delete all records."""
        with self._lock:
            self._records.clear()


def _matches(record: Record, query: Mapping[str, str]) -> bool:
    exact = all(getattr(record, name) == text for name, text in query.items() if name != "contains")
    return exact and query.get("contains", "") in f"{record.path} {record.body}"
