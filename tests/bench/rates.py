"""How many orders a second the default quotas of an AWS account allow, calculated from what one order needs."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tools.cost.bill import SCHEDULED, Prices, Usage, Workflow, seconds_of, warm
from tools.cost.record import Invocation, Record
from tools.cost.units import index_write_units
from tools.local.stack import Stack

# Default quotas, from AWS's own pages.
API_REQUESTS_PER_S = 10_000
LAMBDA_CONCURRENCY = 1_000
TABLE_WRITE_UNITS_PER_S = 40_000
PARTITION_WRITE_UNITS_PER_S = 1_000
STARTS_PER_S: dict[Workflow, int] = {"STANDARD": 300, "EXPRESS": 6_000}
TRANSITIONS_PER_S = 5_000  # STANDARD, us-east-1


@dataclass(frozen=True)
class Limit:
    """One quota and the orders a second that it allows."""

    quota: str
    orders_per_s: float
    note: str = ""


@dataclass(frozen=True)
class Source:
    """A queue's event source: the function's name, and how many batches it may work on at the same time."""

    function: str
    concurrency: int
    batch: int


def sources(stack: Stack) -> list[Source]:
    """The event sources as they are deployed."""
    found = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return [
        Source(
            one["FunctionArn"].rsplit(":", 1)[-1],
            one.get("ScalingConfig", {}).get("MaximumConcurrency", LAMBDA_CONCURRENCY),
            one["BatchSize"],
        )
        for one in found
    ]


def throttle(template: str) -> float:
    """The front door's own limit in requests a second from the template; AWS's limit where the template sets none."""
    found = re.search(r"ThrottlingRateLimit: (\d+)", template)
    return float(found[1]) if found else API_REQUESTS_PER_S


def limits(
    record: Record, orders: int, usage: Usage, prices: Prices, workflow: Workflow, deployed: list[Source], door: float
) -> list[Limit]:
    """Every quota, the tightest first. `usage` is for one order, `record` for `orders` orders."""
    found = [
        Limit("API Gateway requests", API_REQUESTS_PER_S / usage.http_api_requests),
        Limit(
            "the front door's own throttle",
            door / usage.http_api_requests,
            f"{door:,.0f} requests/s, ThrottlingRateLimit",
        ),
        Limit("DynamoDB write units per table", TABLE_WRITE_UNITS_PER_S / usage.write_units),
        Limit(f"StartExecution {workflow}", STARTS_PER_S[workflow] / usage.express_starts),
        *_lambda(record, orders, prices, deployed),
        *_partitions(record, orders),
    ]
    if workflow == "STANDARD":
        found.append(Limit("state transitions", TRANSITIONS_PER_S / usage.transitions))
    return sorted(found, key=lambda limit: limit.orders_per_s)


def _lambda(record: Record, orders: int, prices: Prices, deployed: list[Source]) -> Iterator[Limit]:
    """For warm containers and batches as full as the fullest of the run, because at the limit messages queue up."""
    working: dict[str, list[Invocation]] = defaultdict(list)
    for one in warm(record).invocations:
        if one.function not in SCHEDULED:
            working[one.function].append(one)
    busy = {function: _seconds_when_full(mine, prices) / orders for function, mine in working.items()}
    total = sum(busy.values())
    yield Limit("Lambda concurrency", LAMBDA_CONCURRENCY / total, f"{total:.2f} s of functions per order")
    for source in deployed:
        for function in (function for function in working if source.function.endswith(f"-{function}")):
            fullest = max(one.records for one in working[function])
            note = f"{source.concurrency} batches at once, of {fullest} messages here, of up to {source.batch}"
            yield Limit(f"MaximumConcurrency of {function}", source.concurrency / busy[function], note)


def _seconds_when_full(mine: list[Invocation], prices: Prices) -> float:
    """The seconds that all messages of these invocations would take in batches as full as the fullest."""
    fullest = max(one.records for one in mine)
    full = [seconds_of(one, prices) / fullest for one in mine if one.records == fullest]
    return sum(full) / len(full) * sum(one.records for one in mine)


def _partitions(record: Record, orders: int) -> Iterator[Limit]:
    units: dict[str, float] = defaultdict(float)
    shards: dict[str, set[str]] = defaultdict(set)
    for one in (one for invocation in record.invocations for one in invocation.of("dynamodb")):
        for change in one.get("indexes", []):
            units[change["index"]] += index_write_units(change["change"], change["bytes"])
            shards[change["index"]].add(change["partition"])
    for index, written in units.items():
        per_order, seen = written / orders, len(shards[index])
        note = f"{per_order:.2f} units per order over {seen} partition keys, one shop"
        yield Limit(f"partition keys of index {index}", PARTITION_WRITE_UNITS_PER_S * seen / per_order, note)
