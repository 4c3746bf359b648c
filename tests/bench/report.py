"""The figures made from what was counted, each beside its budget."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.bench import designs
from tests.bench.counting import CROWDS, FOLLOWED, Counted
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.happy_path import Life
from tests.bench.rates import Limit, limits
from tools.cost.bill import (
    MILLION,
    SCHEDULED,
    Prices,
    Usage,
    Workflow,
    fixed_of_schedule,
    of_the_clock,
    parts,
    read,
    seconds_of,
    steady_usage_of,
    usage_of,
    warm,
    written,
)
from tools.cost.record import Record
from tools.cost.unbatched import unbatched
from tools.cost.units import index_write_units

WORKFLOWS: tuple[Workflow, ...] = ("EXPRESS", "STANDARD")
DOLLARS: dict[Workflow, float] = {"EXPRESS": 17, "STANDARD": 120}
TRANSITIONS, WRITE_UNITS, READ_UNITS = 4, 14, 6
ORDERS_PER_S = 1000
FLAT = 1.02
MINUTES_A_MONTH = 60 * 24 * 30

Tables = dict[str, list[Figure]]


def tables(counted: Counted, prices: Prices) -> Tables:
    """Every table, in the order to print them."""
    return {
        f"Billed for one order on the happy path, counted over {counted.base.orders}": happy_path(counted, prices),
        "Its parts with the EXPRESS workflow": parts_of(counted, prices),
        "Its functions, by dollars of their time": time_of(counted.base, prices),
        "Its write and read units, by function and item": units_of(counted.base),
        "Beside other orders in the table": crowded(counted, prices),
        "Other ways, not budgeted": ways(counted, prices),
        "By the clock, whatever the number of orders": by_the_clock(counted, prices),
        "Orders a second at AWS's default quotas, on paper": sustained(counted, prices),
        "Ours beside other designs, per million orders": beside(counted, prices),
    }


def per_order(life: Life, prices: Prices) -> Usage:
    """The usage of one order, on containers that have been busy for minutes."""
    return steady_usage_of(life.record, prices) * (1 / life.orders)


def happy_path(counted: Counted, prices: Prices) -> list[Figure]:
    """The figures of the happy path with their budgets."""
    usage, idle = per_order(counted.base, prices), _idle(counted.base.record)
    dollars = [
        at_most(f"$ per million orders, {workflow}", usage.total(prices, workflow) * MILLION, "$", DOLLARS[workflow],
                f"{usage.operations(workflow):.1f} billed operations an order")
        for workflow in WORKFLOWS
    ]  # fmt: skip
    named = ", ".join(f"{function} {times}" for function, times in idle.items())
    return [
        *dollars,
        at_most("STANDARD transitions", usage.transitions, "", TRANSITIONS, _standard(counted, prices)),
        at_most("invocations that change nothing", sum(idle.values()) / counted.base.orders, "", 0,
                f"only reads of our own state, and nobody waited for the answer; {named}".rstrip("; ")),
        at_most("invocations that failed", sum(one.failed for one in counted.base.record.invocations), "", 0,
                "the count would be of something else"),
        at_most("write units", usage.write_units, "", WRITE_UNITS, "index writes included"),
        at_most("read units", usage.read_units, "", READ_UNITS, "registry: a container reads it once a minute"),
        polling_is_flat(counted, prices),
    ]  # fmt: skip


def parts_of(counted: Counted, prices: Prices) -> list[Figure]:
    """Each part that is billed, and what it costs."""
    usage = per_order(counted.base, prices)
    return [
        Figure(part["what"], part["dollars_per_million"], "$/M", note=f"{part['per_order']:.4g} an order")
        for part in parts(usage, prices, "EXPRESS")
    ]


def time_of(life: Life, prices: Prices) -> list[Figure]:
    """Where the time goes: one row for each function, without the schedules."""
    rows = []
    for function in sorted({one.function for one in life.record.invocations} - set(SCHEDULED)):
        mine = warm(life.record).only(function)
        seconds = sum(seconds_of(one, prices) for one in mine) / life.orders
        dollars = seconds * mine[0].memory_mb / 1024 * prices.per_million["lambda_gb_seconds"]
        runs, calls = len(mine) / life.orders, sum(len(one.calls) for one in mine) / life.orders
        partners = sum(one.partners for one in mine) / life.orders
        note = (
            f"{runs:.2f} runs, {seconds * 1000:.0f} ms, {calls:.2f} AWS calls and {partners:.1f} to partners an order"
        )
        rows.append(Figure(f"{function}, {mine[0].memory_mb} MB", dollars, "$/M", note=note))
    return sorted(rows, key=lambda row: row.value, reverse=True)


def units_of(life: Life) -> list[Figure]:
    """Where the units go: one row for each function and item, with what the indexes take."""
    writes, reads = defaultdict[str, float](float), defaultdict[str, float](float)
    indexes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for invocation in life.record.invocations:
        for call in invocation.of("dynamodb"):
            if invocation.function in SCHEDULED and of_the_clock(call):
                continue
            table = call["table"].split("-")[2].removesuffix("Table")
            name = f"{invocation.function}: {table} {call['what'] or 'nothing there'}"
            writes[name] += written(call) / life.orders
            reads[name] += read(call) / life.orders
            for one in call.get("indexes", ()):
                indexes[name][one["index"]] += index_write_units(one["change"], one["bytes"]) / life.orders
    return [
        Figure(name, writes[name] + reads[name], "units", note=_units(writes[name], reads[name], indexes[name]))
        for name in sorted(writes)
    ]


def _units(written_units: float, read_units: float, indexes: dict[str, float]) -> str:
    of_them = ", ".join(f"{units:g} in {name}" for name, units in indexes.items())
    return f"{written_units:g} written{of_them and f' ({of_them})'}, {read_units:g} read"


def crowded(counted: Counted, prices: Prices) -> list[Figure]:
    """The same order beside more and more other orders."""
    rows, alone = [], per_order(counted.crowded[0], prices)
    for others, life in counted.crowded.items():
        usage = per_order(life, prices)
        units = usage.write_units + usage.read_units
        note = f"{usage.write_units:.2f} written, {usage.read_units:.2f} read; ${_dollars(usage, prices):.2f}/M EXPRESS"
        most = (alone.write_units + alone.read_units) * FLAT
        rows.append(at_most(f"beside {others:,} others", units, "units", round(most, 2), note))
    return rows


def polling_is_flat(counted: Counted, prices: Prices) -> Figure:
    """The units of one poll without news beside the most other orders, as a ratio to the units beside none."""
    asked = {others: _silent_poll(record, prices) for others, record in counted.silent.items()}
    alone, most = asked[0], asked[CROWDS[-1]]
    units = [one.write_units + one.read_units for one in (alone, most)]
    note = (
        f"a poll without news: {units[0]:.2f} units alone, {units[1]:.2f} beside {CROWDS[-1]:,} others of which "
        f"{FOLLOWED} are followed; ${_dollars(alone, prices):.2f} and ${_dollars(most, prices):.2f} per M polls"
    )
    return at_most("polling cost per parcel, to that without others", units[1] / units[0], "x", FLAT, note)


def ways(counted: Counted, prices: Prices) -> list[Figure]:
    """Variants of the happy path, and the extremes of batching."""
    base = per_order(counted.base, prices)
    single = unbatched(counted.base.record, prices) * (1 / counted.base.orders)
    first = usage_of(counted.first.record, prices)
    named = {
        **{way: per_order(life, prices) for way, life in counted.ways.items()},
        "happy path, every message a batch of its own": base + single,
        "happy path, the only order of its minute, everything cold": first,
    }
    return [_way(name, usage, prices) for name, usage in named.items()]


def by_the_clock(counted: Counted, prices: Prices) -> list[Figure]:
    """What schedules and empty receives cost, in dollars a month."""
    rows = []
    for function, minutes in counted.every_minutes.items():
        runs = [one for one in counted.base.record.invocations if function.endswith(one.function)]
        if runs:
            one = sum((fixed_of_schedule(run, prices) for run in runs), Usage()) * (1 / len(runs))
            dollars = one.total(prices, "EXPRESS") * MINUTES_A_MONTH / minutes
            rows.append(Figure(f"{runs[0].function}, every {minutes} min", dollars, "$/month",
                               note=f"{one.read_units:g} read units a run"))  # fmt: skip
    poll = prices.assumed["empty_receives"]
    receives = counted.queues * poll["pollers"] * MINUTES_A_MONTH * 60 / poll["seconds"]
    dollars = receives * prices.per_million["sqs_requests"] / MILLION
    rows.append(
        Figure("receives that bring nothing", dollars, "$/month", note=f"{receives:,.0f}, {counted.queues} queues")
    )
    return rows


def sustained(counted: Counted, prices: Prices) -> list[Figure]:
    """The quota that limits us first, and the ones after it."""
    rows: list[Figure] = []
    for workflow in WORKFLOWS:
        found = _limits(counted, prices, workflow)
        words = f"{found[0].quota} binds; {found[0].note}".removesuffix("; ")
        if workflow == "EXPRESS":
            rows.append(at_least("largest sustained rate, EXPRESS", found[0].orders_per_s, "/s", ORDERS_PER_S, words))
            rows += [Figure(f"  {limit.quota}", limit.orders_per_s, "/s", note=limit.note) for limit in found]
        else:
            rows.append(Figure("largest sustained rate, STANDARD", found[0].orders_per_s, "/s", note=words))
    return rows


def beside(counted: Counted, prices: Prices) -> list[Figure]:
    """Ours first, then other designs."""
    usage = per_order(counted.base, prices)
    ours = [
        Figure(f"ours, {workflow}", usage.total(prices, workflow) * MILLION, "$/M",
               note=f"{usage.operations(workflow):.1f} operations")
        for workflow in WORKFLOWS
    ]  # fmt: skip
    return ours + designs.figures()


def details(counted: Counted, prices: Prices) -> dict[str, Any]:
    """The data behind the tables, for the JSON file."""
    usage = per_order(counted.base, prices)
    return {
        "orders_counted": counted.base.orders,
        "usage_per_order": vars(usage),
        "parts": {workflow: list(parts(usage, prices, workflow)) for workflow in WORKFLOWS},
        "limits": {workflow: [vars(limit) for limit in _limits(counted, prices, workflow)] for workflow in WORKFLOWS},
        "prices": prices.per_million,
        "prices_as_of": prices.as_of,
        "assumed": prices.assumed,
        "cpu_seconds_seen": _cpu_seen(counted.base),
    }


def _limits(counted: Counted, prices: Prices, workflow: Workflow) -> list[Limit]:
    base = counted.base
    return limits(base.record, base.orders, per_order(base, prices), prices, workflow, counted.deployed, counted.door)


def _standard(counted: Counted, prices: Prices) -> str:
    if counted.standard is None:
        return "not run as STANDARD"
    usage = per_order(counted.standard, prices)
    return f"{usage.transitions:g} when run as STANDARD, ${usage.total(prices, 'STANDARD') * MILLION:.2f}/M"


def _idle(record: Record) -> dict[str, int]:
    found = defaultdict[str, int](int)
    for one in record.invocations:
        if one.idle and one.function not in SCHEDULED:
            found[one.function] += 1
    return dict(found)


def _silent_poll(record: Record, prices: Prices) -> Usage:
    asked = sum(one.partners for one in record.only("tracking-poll"))
    return steady_usage_of(record, prices) * (1 / asked)


def _way(name: str, usage: Usage, prices: Prices) -> Figure:
    standard = usage.total(prices, "STANDARD") * MILLION
    units = f"{usage.write_units:.1f} written, {usage.read_units:.1f} read"
    return Figure(name, _dollars(usage, prices), "$/M", note=f"EXPRESS; {standard:.2f} STANDARD; {units}")


def _dollars(usage: Usage, prices: Prices) -> float:
    return usage.total(prices, "EXPRESS") * MILLION


def _cpu_seen(life: Life) -> dict[str, float]:
    """CPU seconds per order that each function's worker took here, AWS calls included; for comparison only."""
    seen = defaultdict[str, float](float)
    for one in life.record.invocations:
        seen[one.function] += one.cpu_s / life.orders
    return {function: round(seconds, 5) for function, seconds in sorted(seen.items())}


def foot(prices: Prices) -> Iterator[str]:
    """What the dollar figures are based on."""
    waits, cpu = prices.assumed["milliseconds"], prices.assumed["cpu_milliseconds"]
    yield f"Prices: us-east-1, {prices.as_of}. Counted from the emulator: every call, item size, batch and log line."
    yield (
        "Assumed, ms: "
        + ", ".join(f"{name} {value:g}" for name, value in waits.items())
        + "; of a vCPU: "
        + ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in cpu.items())
    )
    init, added = prices.assumed["init"], prices.assumed["bytes"]
    yield f"INIT: {init['share']:.0%} of invocations, {init['cpu_seconds']:g} s. Log bytes that AWS adds: " + ", ".join(
        f"{name.replace('_', ' ')} {value:g}" for name, value in added.items()
    )
