"""Reads what `tools.local.call_record` wrote: invocations with their calls, batches, states of workflows."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.stack_name import STACK_NAME

Line = dict[str, Any]
_READS = {"GetItem", "BatchGetItem", "Query", "Scan", "GetParameter", "GetParameters", "ChangeMessageVisibility"}


@dataclass(frozen=True)
class Invocation:
    """One run of a function; `source` is `sqs`, `api` or `direct`; `log` has the sizes of the lines it printed.

    It made `partners` requests to partners, at most `in_a_row` of them one after the other.
    """

    function: str
    memory_mb: int
    source: str
    records: int
    label: str
    payload_bytes: int
    log: tuple[int, ...]
    platform_log: bool
    failed: bool
    began: float
    partners: int
    in_a_row: int
    cpu_s: float
    calls: tuple[Line, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether a caller waits for its answer: a client of the HTTP API, or a workflow."""
        return self.source == "api" or (self.source == "direct" and not self.label)

    @property
    def idle(self) -> bool:
        """Whether it only read our own state, and no caller waited for its answer."""
        return not self.answers and not self.partners and all(call["action"] in _READS for call in self.calls)

    def of(self, service: str) -> Iterator[Line]:
        """Its calls to one service."""
        return (call for call in self.calls if call["service"] == service)


@dataclass(frozen=True)
class Record:
    """All that happened in a period of time."""

    invocations: tuple[Invocation, ...] = ()
    polls: tuple[Line, ...] = ()
    states: tuple[Line, ...] = field(default=())

    def __add__(self, other: "Record") -> "Record":
        return Record(self.invocations + other.invocations, self.polls + other.polls, self.states + other.states)

    def without(self, *functions: str) -> "Record":
        """The record without the invocations of those functions."""
        kept = tuple(one for one in self.invocations if one.function not in functions)
        return Record(kept, self.polls, self.states)

    def of_orders(self, names: set[str], *schedules: str) -> "Record":
        """The record, but from the reads of those schedules only the entries of the orders or parcels with these names.

        A schedule reads the entries of all orders at once; each order pays only for its own.
        """
        return replace(
            self,
            invocations=tuple(
                replace(one, calls=tuple(_own(one.calls, names))) if one.function in schedules else one
                for one in self.invocations
            ),
        )

    def only(self, *functions: str) -> tuple[Invocation, ...]:
        """The invocations of those functions."""
        return tuple(one for one in self.invocations if one.function in functions)


def _own(calls: Iterable[Line], names: set[str]) -> Iterator[Line]:
    for call in calls:
        own = {key: size for key, size in call.get("of", {}).items() if any(name in key for name in names)}
        if call["action"] == "Query":
            yield call | {"of": own, "bytes": sum(own.values())}
        elif own or not call.get("of") or "RegistryTable" in call["table"]:
            yield call


def read_record(file: Path, begin: int = 0, end: int | None = None) -> Record:
    """The part of the file from the size `begin` to the size `end` (None: until now)."""
    with file.open("rb") as lines:
        lines.seek(begin)
        text = lines.read() if end is None else lines.read(end - begin)
    return record_of([json.loads(line) for line in text.splitlines()])


def record_of(lines: list[Line]) -> Record:
    """The record of the lines. A call without a trace was not made by a function, but by a person or a test."""
    handlers = {line["trace"]: line for line in lines if line["kind"] == "handler"}
    calls: dict[str, list[Line]] = {}
    for line in lines:
        if line["kind"] == "call":
            calls.setdefault(line["trace"], []).append(line)
    invocations = [
        _invocation(line, handlers.get(line["trace"], {}), calls.get(line["trace"], []))
        for line in lines
        if line["kind"] == "invocation"
    ]
    polls = tuple(line for line in lines if line["kind"] == "poll")
    return Record(tuple(invocations), polls, tuple(line for line in lines if line["kind"] == "state"))


def _invocation(line: Line, handler: Line, calls: list[Line]) -> Invocation:
    return Invocation(
        function=line["function"].removeprefix(f"{STACK_NAME}-"),
        memory_mb=line["memory_mb"],
        source=line["source"],
        records=line["records"],
        label=line.get("label", ""),
        payload_bytes=line.get("bytes", 0),
        log=tuple(line["log"]),
        platform_log=line["platform_log"],
        failed=line["failed"],
        began=line["began"],
        partners=handler.get("partners", 0),
        in_a_row=handler.get("in_a_row", 0),
        cpu_s=handler.get("cpu", 0.0),
        calls=tuple(calls),
    )
