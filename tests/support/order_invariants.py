"""What is true of every order at every moment."""

from collections import Counter
from datetime import datetime

from dropship.adapters.stored_format import pack, unpack
from dropship.domain.deadlines import SWEEP, Deadlines, Moment
from dropship.domain.orders.clocks import Watch, arm, watched
from dropship.domain.orders.lifecycles import ORDER, PARCEL, PURCHASE_ORDER
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import IN_DISPATCH, OPEN_AT_SUPPLIER


def check(order: Order, now: datetime | None = None, deadlines: Deadlines | None = None) -> None:
    """Assert every invariant of an order, at `now` or when it last changed. One is: all it waits for has a watch."""
    order.check()
    _units_at_suppliers(order)
    _units_in_parcels(order)
    _remedies(order)
    _clocks(order)
    _watches(order, now or order.timeline[-1].at, deadlines or Deadlines())
    _status(order)
    stored = Order.model_validate_json(unpack(pack(order.model_dump_json(exclude_defaults=True))))
    assert stored.model_dump() == order.model_dump()


def saved(order: Order, now: datetime | None = None) -> None:
    """Arm the order's clock, as a save does, then assert every invariant."""
    now = now or order.timeline[-1].at
    arm(order, Moment(now, Deadlines()))
    check(order, now)


def _units_at_suppliers(order: Order) -> None:
    ids = [po.id for po in order.purchase_orders]
    assert len(ids) == len(set(ids)), "two purchase orders of one id"
    owed: Counter[str] = Counter()
    for po in order.purchase_orders:
        assert po.status in PURCHASE_ORDER.table or po.status in PURCHASE_ORDER.terminal
        for line in po.lines:
            assert 0 <= po.shipped.get(line.line, 0) <= line.quantity, "shipped beyond what was ordered"
        if po.status in IN_DISPATCH | OPEN_AT_SUPPLIER:
            owed.update(po.remaining)
    for line in order.lines:
        assert owed[line.id] == line.units.at_supplier, "purchase orders and line disagree"


def _units_in_parcels(order: Order) -> None:
    waybills = [parcel.waybill for parcel in order.parcels]
    assert len(waybills) == len(set(waybills)), "two parcels of one waybill"
    places: Counter[tuple[str, str]] = Counter()
    shipped: Counter[tuple[str, str]] = Counter()
    for parcel in order.parcels:
        assert parcel.state in PARCEL.table or parcel.state in PARCEL.terminal
        for line in parcel.lines:
            places[line.line, parcel.place] += line.quantity
            shipped[parcel.purchase_order, line.line] += line.quantity
    for line in order.lines:
        for place in ("in_transit", "delivered", "returning", "returned", "lost"):
            assert places[line.id, place] == getattr(line.units, place), f"parcels and line disagree on {place}"
    for po in order.purchase_orders:
        for line_id, count in po.shipped.items():
            assert shipped[po.id, line_id] == count, "parcels and purchase order disagree"


def _remedies(order: Order) -> None:
    cases = [remedy.case for remedy in order.remedies]
    assert len(cases) == len(set(cases)), "two ledger entries for one case"
    for remedy in order.remedies:
        for line_id, count in remedy.cancelled.items():
            assert count <= remedy.units[line_id], "more taken back than was asked"
    for line in order.lines:
        credited = sum(remedy.cancelled.get(line.id, 0) for remedy in order.remedies)
        assert credited <= line.units.cancelled, "one cancelled unit credited to two cases"


def _clocks(order: Order) -> None:
    assert order.due is None or not order.finished, "finished with a clock"
    assert order.polled_since is None or not order.finished, "finished, and polled"
    for po in order.purchase_orders:
        runs = po.status in IN_DISPATCH | OPEN_AT_SUPPLIER
        assert po.due_at is None or runs, f"{po.status} with clock {po.due_at}"
    for parcel in order.parcels:
        alone = not parcel.finished and not parcel.followed
        assert (parcel.due_at is not None) == alone, f"parcel {parcel.state} with clock {parcel.due_at}"
        assert (parcel.clock(Deadlines()) is None) == parcel.finished


def _watches(order: Order, now: datetime, deadlines: Deadlines) -> None:
    found = watched(order, Moment(now, deadlines))
    assert bool(found) != order.finished
    unseen = [name for name, watch in found.items() if watch is None]
    assert not unseen, f"nothing looks at {unseen}"
    has = {
        Watch.CLOCK: order.due is not None,
        Watch.POLLS: order.polled_since is not None,
        Watch.LOOK_BACK: now < order.created_at + max(deadlines.resume, deadlines.ship) + SWEEP,
    }
    assert all(has[watch] for watch in found.values() if watch is not None), "a watch without its index entry"


def _status(order: Order) -> None:
    busy = any(po.status in IN_DISPATCH | OPEN_AT_SUPPLIER for po in order.purchase_orders)
    shipped = sum(line.units.shipped for line in order.lines)
    waiting = sum(line.units.unrouted + line.units.at_supplier for line in order.lines)
    assert order.status in ORDER.table or order.status in ORDER.terminal
    assert order.status not in {"RECEIVED", "ROUTED"}, "these are passed within one write"
    expected = {
        "READY": bool(waiting and not shipped and not busy and not order.holds),
        "ON_HOLD": bool(waiting and not shipped and not busy and order.holds),
        "IN_FULFILMENT": bool(busy and not shipped),
        "PARTIALLY_SHIPPED": bool(waiting and shipped),
        "SHIPPED": bool(shipped and not waiting),
        "DELIVERED": bool(shipped and not waiting),
        "COMPLETED": not waiting and not busy and not order.holds,
        "CANCELLED": not waiting and not busy and not order.holds,
    }
    assert expected[order.status], f"{order.status} does not fit the quantities: {order.lines}"
