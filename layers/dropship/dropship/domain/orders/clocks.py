"""When an order is looked at again, and by what.

An entry of the index `due` costs one write when it is added, one when it is removed, and two when it moves. So a clock
is explicit (a `due_at` with an entry) only if nothing else looks at the order:

- *Look-backs* are the clocks that all young orders of a shop share. The sweep reads the index of recent orders and
  finds what was received `resume` ago and is not dispatched, and what was received `ship` ago and is not shipped.
- *Polls* visit every order with a parcel under way that a tracker follows. They look at its parcels, and at the parcels
  that the marketplace has not been told about.

So these clocks are explicit: the acknowledgement of a purchase order; everything that was claimed, released or started
again too late for a look-back; unknown outcomes, refusals, cancellations, reminders; parcels that no tracker follows;
completion. Decisions 20 and 22 say why; decision 45 says which clocks are never left to a look-back.
"""

from datetime import timedelta
from enum import StrEnum

from dropship.domain.deadlines import SWEEP, Deadlines, Moment

from .order import Order, Wait
from .purchase_order import PurchaseOrder

TO_BE_STORED = timedelta(minutes=1)
"""How long a save may take, including a small difference between two machines' clocks."""


class Watch(StrEnum):
    """What looks at an order again by itself."""

    CLOCK = "CLOCK"
    LOOK_BACK = "LOOK_BACK"
    POLLS = "POLLS"


def arm(order: Order, moment: Moment) -> None:
    """Set the order's own clock by what it waits for. Called in one place only: where the order is saved.

    While the order waits for the same thing, the clock keeps its time, even after it has run out. `lateness.overdue`
    does what is due and stops such a clock before this sets a new one.
    """
    wait = _waits_for(order, moment)
    if wait == "" and None in _watched(order, moment, own=None).values():
        wait = "REMINDER"
    if wait == "":
        order.stop_clock()
    else:
        order.run_clock(wait, moment.after(_length(wait, moment.deadlines)))


def _waits_for(order: Order, moment: Moment) -> Wait:
    """What its own clock is needed for; empty if look-backs and polls look at everything."""
    if order.finished:
        return ""
    if order.polled_since is None and any(parcel.untold for parcel in order.parcels):
        return "WRITEBACK"
    if order.holds:
        return "HOLD"
    if order.has_unrouted_units:
        return "" if is_young(order, moment) else "DISPATCH"
    return "COMPLETION" if order.status == "DELIVERED" else ""


def _length(wait: Wait, deadlines: Deadlines) -> timedelta:
    if wait == "WRITEBACK":
        return deadlines.writeback
    if wait == "DISPATCH":
        return deadlines.resume
    return deadlines.completion if wait == "COMPLETION" else deadlines.remind


def is_young(order: Order, moment: Moment) -> bool:
    """Whether the look-back at `resume` is still to come for the order, and its own clock does not run.

    The order has to be stored before the look-back, so the time for a save is subtracted (`TO_BE_STORED`).
    """
    return order.due_at is None and moment.now + TO_BE_STORED < order.created_at + moment.deadlines.resume


def for_dispatch(order: Order) -> bool:
    """Whether the order still waits when the look-back at `resume` finds it."""
    return order.needs_dispatch


def for_shipment(order: Order) -> bool:
    """Whether the order still waits when the look-back at `ship` finds it.

    Explicit clocks are ignored here, because the order may have been read a moment ago and be out of date.
    """
    return any(po.remaining for po in order.purchase_orders)


def watched(order: Order, moment: Moment) -> dict[str, Watch | None]:
    """All that the order waits for, by name, and what looks at it; None if nothing does. Empty once it is finished.

    A look-back counts until its sweep is over; after that, what it found has explicit clocks.
    """
    return _watched(order, moment, own=Watch.CLOCK if order.due_at is not None else None)


def _watched(order: Order, moment: Moment, *, own: Watch | None) -> dict[str, Watch | None]:
    if order.finished:
        return {}
    polls = Watch.POLLS if order.polled_since is not None else own
    found = {po.id: _of(po, order, moment) or own for po in order.purchase_orders if po.remaining}
    for parcel in order.parcels:
        if not parcel.finished:
            alone = Watch.CLOCK if parcel.due_at is not None else own
            found[str(parcel.waybill)] = Watch.POLLS if parcel.followed else alone
        if parcel.untold:
            found[f"writeback of {parcel.waybill}"] = polls
    if order.holds:
        found["holds"] = own
    elif order.has_unrouted_units:
        found["dispatch"] = own or _ahead(order, moment.deadlines.resume, moment)
    if order.status == "DELIVERED":
        found["completion"] = own
    return found or {"order": own}


def _of(po: PurchaseOrder, order: Order, moment: Moment) -> Watch | None:
    if po.due_at is not None:
        return Watch.CLOCK
    return _ahead(order, moment.deadlines.resume if po.in_dispatch else moment.deadlines.ship, moment)


def _ahead(order: Order, age: timedelta, moment: Moment) -> Watch | None:
    return Watch.LOOK_BACK if moment.now < order.created_at + age + SWEEP else None
