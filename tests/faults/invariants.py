"""The promises of the product as code, as far as they can be checked on what is stored and on the partners.

Each function is a promise and returns what breaks it, one line each. The promises of `AT_EVERY_STEP` always hold, also
while messages are under way; those of `WHEN_QUIET` hold once every message was delivered and every clock looked at.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.exchange.marketplace import MarketplaceOrder
from dropship.domain.identity import OrderKey
from dropship.domain.lifecycle import Lifecycle
from dropship.domain.orders.clocks import watched
from dropship.domain.orders.lifecycles import ORDER, PARCEL, PURCHASE_ORDER
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import IN_DISPATCH
from dropship.domain.remedies.case import Case
from dropship.domain.remedies.lifecycle import AFTER_SALES_CASE
from dropship.ports import Loaded
from tests.support.order_invariants import check

HORIZON = timedelta(days=16)
"""No clock of ours is longer than the after-sales window."""
OF_THE_BUYER = ("123 Shipping Street", "Steve Shipper", "555-555-SHIP", "Shippington", "jon@example.com")
"""The buyer's data in the example order."""


class Waiting(NamedTuple):
    """A message under way, or set aside, with the number of its deliveries."""

    queue: str
    body: str
    tries: int = 0
    shops: frozenset[str] | None = None
    """The shops that it is about; None where it does not say."""

    def names(self, order: OrderKey) -> bool:
        """Whether the message may be about the order."""
        return order.external_id in self.body and (self.shops is None or order.shop in self.shops)


class Asked(NamedTuple):
    """A request to a partner that has an effect there, and whether our intent was stored when it came."""

    operation: str
    about: str
    intended: bool


class Acknowledged(NamedTuple):
    """Something that we accepted: an order (`paid`), a `refund`, a `cancelled` order, a parcel that was `shipped`."""

    what: str
    order: OrderKey
    about: str = ""


@dataclass(frozen=True)
class Seen:
    """The world at one moment, read only. A field that a world cannot fill is empty, and is then not checked."""

    now: datetime
    deadlines: Callable[[str], Deadlines]
    orders: Mapping[OrderKey, Loaded[Order]]
    cases: Mapping[tuple[str, str], Case] = field(default_factory=dict)
    sources: Mapping[OrderKey, MarketplaceOrder] = field(default_factory=dict)
    placed: Mapping[str, int] = field(default_factory=dict)
    """How often each purchase order was made at its supplier."""
    told: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often each shop was told of each parcel."""
    sold: Mapping[OrderKey, Mapping[str, int]] = field(default_factory=dict)
    """Units of each line that the buyer paid for, including those that came back later."""
    sent: Mapping[OrderKey, Mapping[str, int]] = field(default_factory=dict)
    """Units of each line that suppliers were asked for and neither refused nor cancelled."""
    waiting: Sequence[Waiting] = ()
    executions: Sequence[Mapping[str, object]] = ()
    dead_letters: Sequence[Waiting] = ()
    saves: Mapping[OrderKey, Sequence[int]] = field(default_factory=dict)
    """The versions of each order, in the order in which they were saved."""
    asked: Sequence[Asked] = ()
    acknowledged: Sequence[Acknowledged] = ()
    max_receives: int = 5
    before: "Seen | None" = None
    """The world before the last step."""
    meant: frozenset[str] | None = None
    """The shops that the last step was about; None where it was about all."""


def no_loss(seen: Seen) -> list[str]:
    """Everything acknowledged is finished, open, or set aside with a reason."""
    return [f"lost: {one}" for one in seen.acknowledged if not _is_kept(seen, one)]


def _is_kept(seen: Seen, one: Acknowledged) -> bool:
    if any(message.names(one.order) for message in (*seen.waiting, *seen.dead_letters)):
        return True
    loaded = seen.orders.get(one.order)
    if loaded is None:
        return False
    order = loaded.value
    tasks = {task.kind for task in order.tasks}
    match one.what:
        case "refund":
            return (one.order.shop, one.about) in seen.cases
        case "cancelled":
            open_units = any(po.cancel or po.status in IN_DISPATCH for po in order.purchase_orders)
            return order.finished or open_units or "CANCEL_REFUSED" in tasks
        case "shipped":
            known = any(parcel.number == one.about for parcel in order.parcels)
            return known or bool(tasks & {"WAYBILL_REUSED", "SUPPLIER_EVENT_REFUSED"})
        case _:
            return True


def at_most_one_effect(seen: Seen) -> list[str]:
    """One supplier order per purchase order, one shipment per parcel at the marketplace, no unit bought twice."""
    found = [f"{many} supplier orders for {one}" for one, many in seen.placed.items() if many > 1]
    found += [f"{many} shipments of parcel {one} at the marketplace" for one, many in seen.told.items() if many > 1]
    for key, lines in seen.sent.items():
        sold = seen.sold[key]
        found += [
            f"{key}: {units} units of {line} at suppliers, {sold[line]} sold"
            for line, units in lines.items()
            if units > sold[line]
        ]
    for key, loaded in seen.orders.items():
        found += [
            f"{key}: {line.id} {wrong}" for line in loaded.value.lines if (wrong := _given_twice(loaded, line.id))
        ]
    return found


def _given_twice(loaded: Loaded[Order], line: str) -> str:
    """What is wrong where a unit was given back twice: remedies have more units than were taken out; else empty."""
    order = loaded.value
    credited = sum(remedy.cancelled.get(line, 0) for remedy in order.remedies)
    units = next(one.units for one in order.lines if one.id == line)
    return f"{credited} units credited to remedies, {units.cancelled} taken out" if credited > units.cancelled else ""


def at_least_one(seen: Seen) -> list[str]:
    """When quiet, every due effect has happened, or a person was asked."""
    return [wrong for key, loaded in seen.orders.items() for wrong in _missing(seen, key, loaded.value)]


def _missing(seen: Seen, key: OrderKey, order: Order) -> Iterator[str]:
    asked_for = {task.kind for task in order.tasks} | {hold.kind for hold in order.holds}
    if any(line.units.unrouted for line in order.lines) and not order.holds and not order.finished:
        yield f"{key}: units that nobody was asked to send"
    for po in order.purchase_orders:
        if po.status in IN_DISPATCH and not asked_for:
            yield f"{po.id} is {po.status}, and nobody was asked"
        if po.status not in IN_DISPATCH and not po.never_placed and seen.placed and not seen.placed.get(po.id):
            yield f"{po.id} is {po.status}, and no supplier has it"
    yield from _untold(seen, key, order, asked_for)


def _untold(seen: Seen, key: OrderKey, order: Order, asked_for: set[str]) -> Iterator[str]:
    for parcel in order.parcels:
        told = seen.told.get((key.shop, parcel.number), 0)
        if parcel.untold or (parcel.writeback == "DONE" and told != 1):
            yield f"{key}: {parcel.waybill} is {parcel.writeback}, told {told} times"
        if parcel.writeback == "REFUSED" and "WRITEBACK_REFUSED" not in asked_for:
            yield f"{key}: {parcel.waybill} was refused, and nobody was asked"


def monotone(seen: Seen) -> list[str]:
    """Only legal transitions; a version that grows by one with every save; nothing moves back."""
    found = [
        f"{key}: versions {list(saved)}, one of them saved over another's"
        for key, saved in seen.saves.items()
        if list(saved) != list(range(1, len(saved) + 1))
    ]
    if seen.before is None:
        return found
    found += [f"{key} is gone" for key in seen.before.orders if key not in seen.orders]
    for key, (order, version) in seen.orders.items():
        was = seen.before.orders.get(key)
        if was is None:
            continue
        if version < was.version or (version == was.version and order != was.value):
            found.append(f"{key}: version {was.version}, then {version}, with another content")
        found += [f"{key}: {wrong}" for wrong in _moved_back(was.value, order)]
    for name, case in seen.cases.items():
        was_case = seen.before.cases.get(name)
        if was_case is not None and not _legal(AFTER_SALES_CASE, was_case.status, case.status):
            found.append(f"case {name}: {was_case.status}, then {case.status}")
    return found


def _moved_back(was: Order, order: Order) -> Iterator[str]:
    if not _legal(ORDER, was.status, order.status):
        yield f"{was.status}, then {order.status}"
    if order.fence < was.fence:
        yield f"fence {was.fence}, then {order.fence}"
    for po in was.purchase_orders:
        now = order.find_purchase_order(po.id)
        if now is None or not _legal(PURCHASE_ORDER, po.status, now.status):
            yield f"{po.id}: {po.status}, then {now and now.status}"
        elif any(now.shipped.get(line, 0) < units for line, units in po.shipped.items()):
            yield f"{po.id}: fewer units shipped than before"
    yield from _parcels_moved_back(was, order)


def _parcels_moved_back(was: Order, order: Order) -> Iterator[str]:
    for parcel in was.parcels:
        moved = order.parcel(parcel.carrier, parcel.number)
        if moved is None or not _legal(PARCEL, parcel.state, moved.state):
            yield f"{parcel.waybill}: {parcel.state}, then {moved and moved.state}"
        elif parcel.last_event_at and (moved.last_event_at is None or moved.last_event_at < parcel.last_event_at):
            yield f"{parcel.waybill}: an earlier scan took the place of a later one"
        elif parcel.writeback in {"DONE", "REFUSED"} and moved.writeback != parcel.writeback:
            yield f"{parcel.waybill}: {parcel.writeback}, then {moved.writeback}"


def _legal(lifecycle: Lifecycle, before: str, after: str) -> bool:
    """Whether steps of the table lead from `before` to `after`; one step of a test may be several of the table."""
    steps = {event for state in lifecycle.table.values() for event in state}
    return before == after or lifecycle.path(before, after, steps) is not None


def nothing_stranded(seen: Seen) -> list[str]:
    """Everything unfinished has a message, an execution, or a watch inside the sweep's horizon."""
    found = []
    for key, (order, _) in seen.orders.items():
        unseen = [
            name for name, watch in watched(order, Moment(seen.now, seen.deadlines(key.shop))).items() if watch is None
        ]
        if unseen and not _under_way(seen, str(key), key):
            found.append(f"{key}: nothing looks at {unseen}")
        if order.due is not None and order.due > seen.now + HORIZON:
            found.append(f"{key}: its clock is at {order.due}")
    for (shop, case_id), case in seen.cases.items():
        if (
            not case.finished
            and case.due is None
            and not _under_way(seen, f"{shop}#{case_id}", OrderKey(shop, case.order))
        ):
            found.append(f"case {shop}#{case_id} is {case.status} without a clock")
    return found


def _under_way(seen: Seen, name: str, order: OrderKey) -> bool:
    return any(one.names(order) or name in one.body for one in (*seen.waiting, *seen.dead_letters)) or any(
        name in {str(wanted.get("order")), str(wanted.get("case"))} for wanted in seen.executions
    )


def sound(seen: Seen) -> list[str]:
    """Every unit is in one place, and purchase orders, parcels, ledger and status agree with it."""
    found = []
    for key, (order, _) in seen.orders.items():
        try:
            check(order, order.created_at)  # not at `now`: `nothing_stranded` checks the watches
        except Exception as broken:  # noqa: BLE001 - named in the report, whatever it is
            found.append(f"{key}: {type(broken).__name__} {broken}")
    return found


def money(seen: Seen) -> list[str]:
    """Every amount is in whole minor units of one currency; refunds never exceed what was paid."""
    found = []
    back: Counter[OrderKey] = Counter()
    for case in seen.cases.values():
        key = OrderKey(case.shop, case.order)
        total = seen.sources[key].total if key in seen.sources else None
        if case.amount is not None and total is not None:
            back[key] += case.amount.minor
            if case.amount.currency != total.currency:
                found.append(f"case {case.id} is in {case.amount.currency}")
    for key, source in seen.sources.items():
        amounts = [one for one in (source.total, *(line.unit_price for line in source.lines)) if one is not None]
        if not all(type(one.minor) is int for one in amounts) or len({one.currency for one in amounts}) > 1:
            found.append(f"{key}: amounts {amounts}")
        if source.total is not None and back[key] > source.total.minor:
            found.append(f"{key}: {back[key]} refunded of {source.total}")
    return found


def isolation(seen: Seen) -> list[str]:
    """One shop's events never change another's orders; only webhook messages have a buyer's data, executions never."""
    spoken = [json.dumps(wanted) for wanted in seen.executions]
    spoken += [message.body for message in seen.waiting if '"kind":"webhook"' not in message.body.replace(" ", "")]
    found = [f"a buyer's data in {text[:200]}" for text in spoken if any(word in text for word in OF_THE_BUYER)]
    if seen.before is not None and seen.meant is not None:
        for key, loaded in seen.orders.items():
            if key.shop not in seen.meant and seen.before.orders.get(key) != loaded:
                found.append(f"{key} changed by what {sorted(seen.meant)} said")
        for (shop, case_id), case in seen.cases.items():
            if shop not in seen.meant and seen.before.cases.get((shop, case_id)) != case:
                found.append(f"case {shop}#{case_id} changed by what {sorted(seen.meant)} said")
    return found


def poison_isolation(seen: Seen) -> list[str]:
    """Every message that is set aside was delivered exactly `maxReceiveCount` times."""
    return [
        f"set aside after {one.tries}: {one.body[:200]}" for one in seen.dead_letters if one.tries != seen.max_receives
    ]


def audit(seen: Seen) -> list[str]:
    """Every request that has an effect was intended in the stored order before it was made."""
    return [f"{one.operation} of {one.about} without an intent" for one in seen.asked if not one.intended]


def outcomes(seen: Seen) -> list[str]:
    """When quiet, every intent has an outcome, or a person was asked for it."""
    found = []
    for key, (order, _) in seen.orders.items():
        asked_for = {task.about for task in order.tasks}
        found += [
            f"{key}: nobody knows what became of {po.id}"
            for po in order.purchase_orders
            if po.status in IN_DISPATCH and po.id not in asked_for
        ]
        found += [f"{key}: {each.waybill} is being told" for each in order.parcels if each.writeback == "SENDING"]
    return found


def nothing_left_aside(seen: Seen) -> list[str]:
    """When quiet, and after what was set aside was tried again, only unreadable messages are set aside."""
    return [f"set aside: {one.queue} {one.body[:300]}" for one in seen.dead_letters if one.body.startswith("{")]


Promise = Callable[[Seen], list[str]]
OF_THE_STORE: tuple[Promise, ...] = (sound, at_most_one_effect, money)
AT_EVERY_STEP: tuple[Promise, ...] = (
    *OF_THE_STORE,
    monotone,
    nothing_stranded,
    isolation,
    poison_isolation,
    audit,
    no_loss,
)
WHEN_QUIET: tuple[Promise, ...] = (*AT_EVERY_STEP, at_least_one, outcomes, nothing_left_aside)


def broken(seen: Seen, promises: Sequence[Promise] = AT_EVERY_STEP) -> list[str]:
    """Everything that breaks a promise, each with the name of the promise."""
    return [f"{promise.__name__}: {wrong}" for promise in promises for wrong in promise(seen)]
