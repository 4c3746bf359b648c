"""From calls to costs: usage in billed units, durations from the assumptions, dollars from the prices."""

import math
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from tools.cost.record import Invocation, Line, Record
from tools.cost.units import (
    HTTP_API_BYTES,
    LOG_EVENT_BYTES,
    READ_BYTES,
    SQS_BYTES,
    chunks,
    index_write_units,
    read_units,
    write_units,
)

PRICES = Path(__file__).with_name("prices.toml")
SCHEDULED = ("deadline-sweep", "tracking-schedule")
VCPU_MB = 1769
MILLION = 1_000_000
Workflow = Literal["EXPRESS", "STANDARD"]
_ONLY = {"EXPRESS": {"transitions"}, "STANDARD": {"express_starts", "express_gb_seconds"}}


@dataclass(frozen=True)
class Prices:
    """The price file: dollars per million units, and the assumptions."""

    per_million: dict[str, float]
    assumed: dict[str, dict[str, float]]
    as_of: str

    @classmethod
    def load(cls, file: Path = PRICES) -> Self:
        """Read the file."""
        content = tomllib.loads(file.read_text())
        return cls(content["dollars_per_million"], content["assumed"], content["as_of"])


@dataclass(frozen=True)
class Usage:
    """Amounts of everything that is billed, for both workflow types: some amounts count for only one of them."""

    http_api_requests: float = 0
    lambda_requests: float = 0
    lambda_gb_seconds: float = 0
    sqs_requests: float = 0
    schedule_starts: float = 0
    transitions: float = 0
    express_starts: float = 0
    express_gb_seconds: float = 0
    write_units: float = 0
    read_units: float = 0
    log_bytes: float = 0
    parameter_reads: float = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __mul__(self, times: float) -> Self:
        return type(self)(*(getattr(self, one.name) * times for one in fields(self)))

    def dollars(self, prices: Prices, workflow: Workflow) -> dict[str, float]:
        """The dollars for each amount that counts for this workflow type."""
        names = [one.name for one in fields(self) if one.name not in _ONLY[workflow]]
        return {name: getattr(self, name) * prices.per_million[name] / MILLION for name in names}

    def total(self, prices: Prices, workflow: Workflow) -> float:
        """The dollars for all amounts."""
        return sum(self.dollars(prices, workflow).values())

    def operations(self, workflow: Workflow) -> float:
        """Billed operations, as performance.md counts them: requests, starts, transitions and units."""
        counted = {one.name for one in fields(self)} - _ONLY[workflow]
        counted -= {"lambda_gb_seconds", "express_gb_seconds", "log_bytes", "parameter_reads"}
        return float(sum(getattr(self, name) for name in counted))


def seconds_of(invocation: Invocation, prices: Prices) -> float:
    """How many seconds it would take on AWS, by the assumptions and the calls that it made."""
    waits, cpu = prices.assumed["milliseconds"], prices.assumed["cpu_milliseconds"]
    calls = [call for call in invocation.calls if not call.get("more")]
    waited = sum(waits[call["service"]] for call in calls) + invocation.in_a_row * waits["partner"]
    worked = cpu["invocation"] + cpu["record"] * invocation.records
    worked += cpu["call"] * len(calls) + cpu["partner_call"] * invocation.partners
    return (waited + worked * max(1.0, VCPU_MB / invocation.memory_mb)) / 1000


def usage_of_invocation(invocation: Invocation, prices: Prices) -> Usage:
    """All that one run of a function is billed for."""
    init = prices.assumed["init"]
    gb = invocation.memory_mb / 1024
    extra = prices.assumed["bytes"]
    logged = sum(size + LOG_EVENT_BYTES for size in invocation.log) + extra["platform_log"] * invocation.platform_log
    asked = chunks(invocation.payload_bytes, HTTP_API_BYTES) if invocation.source == "api" else 0
    return Usage(
        http_api_requests=asked,
        lambda_requests=1,
        lambda_gb_seconds=gb * (seconds_of(invocation, prices) + init["share"] * init["cpu_seconds"]),
        sqs_requests=sum(chunks(call["bytes"], SQS_BYTES) for call in invocation.of("sqs")),
        write_units=sum(map(written, invocation.of("dynamodb"))),
        read_units=sum(map(read, invocation.of("dynamodb"))),
        log_bytes=logged + asked * (extra["access_log"] + LOG_EVENT_BYTES),
        parameter_reads=sum(1 for _ in invocation.of("ssm")),
    )


def share_of_schedule(invocation: Invocation, prices: Prices) -> Usage:
    """What the orders add to a run of a schedule: their part of the index pages, their reads, their messages.

    The rest does not depend on the number of orders: see `fixed_of_schedule`.
    """
    pages = sum(call["bytes"] / READ_BYTES / 2 for call in invocation.of("dynamodb") if call["action"] == "Query")
    for_orders = tuple(call for call in invocation.calls if not of_the_clock(call))
    added = usage_of_invocation(replace(invocation, calls=for_orders), prices)
    bare = usage_of_invocation(replace(invocation, calls=()), prices)
    return added + bare * -1 + Usage(read_units=pages)


def fixed_of_schedule(invocation: Invocation, prices: Prices) -> Usage:
    """What a run of a schedule costs if there is nothing to do."""
    queries = tuple(call | {"bytes": 0} for call in invocation.calls if of_the_clock(call))
    return usage_of_invocation(replace(invocation, calls=queries), prices) + Usage(schedule_starts=1)


def of_the_clock(call: Line) -> bool:
    """Whether a schedule makes this call even without orders: a query, a read of the registry."""
    return call["action"] == "Query" or "RegistryTable" in call.get("table", "")


def usage_of(record: Record, prices: Prices) -> Usage:
    """The usage of everything recorded, except what schedules use even without orders."""
    total = Usage()
    for invocation in record.invocations:
        scheduled = invocation.function in SCHEDULED
        total += share_of_schedule(invocation, prices) if scheduled else usage_of_invocation(invocation, prices)
    return total + usage_of_polls(record.polls) + usage_of_workflows(record, prices)


def steady_usage_of(record: Record, prices: Prices) -> Usage:
    """The usage of everything recorded, if every container has been busy for minutes.

    Each container reads the registry once a minute, and the orders of that minute share this cost: if a container is
    busy for one second for an order, the order gets 1/60 of the reads. The most registry reads of one invocation of a
    function are taken as its container's reads per minute. Reads of secrets are left out.
    """
    own, shared = warm(record), 0.0
    for function in {one.function for one in record.invocations} - set(SCHEDULED):
        busy = sum(seconds_of(one, prices) for one in own.only(function))
        most = max(sum(read(call) for call in _registry_reads(one)) for one in record.only(function))
        shared += busy / 60 * most
    return usage_of(own, prices) + Usage(read_units=shared)


def warm(record: Record) -> Record:
    """The record without the reads that are cached in a container: those of the registry and of secrets."""
    return replace(record, invocations=tuple(map(_without_registry, record.invocations)))


def usage_of_polls(polls: Iterable[Line]) -> Usage:
    """The usage of the batches that event sources received and deleted."""
    return Usage(sqs_requests=sum(chunks(poll["bytes"], SQS_BYTES) for poll in polls))


def usage_of_workflows(record: Record, prices: Prices) -> Usage:
    """The usage of all executions, both as STANDARD and as EXPRESS workflows.

    Each state entered, each retry and each start is one transition. An EXPRESS execution is billed for the time of its
    functions and the time between them, in steps of 100 ms, at 64 MB.
    """
    executions = len({state["execution"] for state in record.states})
    if not executions:
        return Usage()
    tasks = [one for one in record.invocations if one.source == "direct" and one.answers and not _scheduled(one)]
    retries = max(0, len(tasks) - sum(state["type"] == "task" for state in record.states))
    between = prices.assumed["milliseconds"]["state"] / 1000 * len(record.states)
    mean = (sum(seconds_of(one, prices) for one in tasks) + between) / executions
    return Usage(
        transitions=executions + len(record.states) + retries,
        express_starts=executions,
        express_gb_seconds=executions * math.ceil(mean * 10) / 10 * 64 / 1024,
    )


def written(call: Line) -> int:
    """The write units of a DynamoDB call, including its indexes."""
    if "old" not in call:
        return 0
    indexes = sum(index_write_units(one["change"], one["bytes"]) for one in call["indexes"])
    return write_units(call["old"], call["new"]) + indexes


def read(call: Line) -> float:
    """The read units of a DynamoDB call."""
    return 0 if "old" in call else read_units(call["bytes"], consistent=call["consistent"])


def parts(usage: Usage, prices: Prices, workflow: Workflow) -> Iterator[dict[str, Any]]:
    """One row for each billed amount: the amount, and dollars per million orders; `usage` is that of one order."""
    for name, dollars in usage.dollars(prices, workflow).items():
        amount = getattr(usage, name)
        if amount:
            yield {"what": name, "per_order": amount, "dollars_per_million": dollars * MILLION}


def _registry_reads(invocation: Invocation) -> Iterator[Line]:
    return (call for call in invocation.of("dynamodb") if "RegistryTable" in call["table"])


def _without_registry(invocation: Invocation) -> Invocation:
    shared = [*_registry_reads(invocation), *invocation.of("ssm")]
    return replace(invocation, calls=tuple(call for call in invocation.calls if call not in shared))


def _scheduled(invocation: Invocation) -> bool:
    return invocation.function in SCHEDULED
