"""What sees to it that whatever an order waits for is looked at in time.

An entry of the index `due` costs a write when it comes, when it goes, and two when it moves. So a clock is explicit,
a `due_at` with an entry, only where nothing else looks:

- *Look-backs* are the clocks that all fresh orders of a shop share. The sweep reads the index of recent orders and
  takes up what was received `resume` ago and is not dispatched, and what was received `ship` ago and is not shipped.
- *Polls* visit every order with a parcel under way that a tracker follows. They look at its parcels, and at what the
  marketplace has not been told of them.

Explicit are therefore: the acknowledgement of a purchase order, whatever was claimed, released or taken up again too
late for a look-back, doubts, refusals, cancellations, reminders, parcels that no tracker follows, and completion.
Decisions 20 and 22 say why, and decision 45 which clocks are never left to a look-back.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dropship.domain.deadlines import SWEEP, Deadlines

from .purchase_order import IN_DISPATCH

if TYPE_CHECKING:
    from .order import Order
    from .purchase_order import PurchaseOrder


class Watch(StrEnum):
    """What looks at an order again without being told to."""

    CLOCK = "CLOCK"
    LOOK_BACK = "LOOK_BACK"
    POLLS = "POLLS"


def for_dispatch(order: "Order") -> bool:
    """Whether the look-back at `resume` has to take the order up."""
    return order.needs_dispatch


def for_shipment(order: "Order") -> bool:
    """Whether the look-back at `ship` has to take the order up.

    It is not asked which clocks are explicit: the read that finds the order may be a moment old.
    """
    return any(po.remaining for po in order.purchase_orders)


def watched(order: "Order", now: datetime, deadlines: Deadlines) -> dict[str, Watch | None]:
    """All that the order waits for, by name, and what looks at it; None where nothing does. Empty once it is finished.

    A look-back counts until the sweep that makes it is over; what it takes up has explicit clocks from then on.
    """
    if order.finished:
        return {}
    own = Watch.CLOCK if order.due_at is not None else None
    polls = Watch.POLLS if order.polled_since is not None else own
    found = {po.id: _of(po, order, now, deadlines) or own for po in order.purchase_orders if po.remaining}
    for parcel in order.parcels:
        if not parcel.finished:
            alone = Watch.CLOCK if parcel.due_at is not None else own
            found[str(parcel.waybill)] = Watch.POLLS if parcel.followed else alone
        if parcel.untold:
            found[f"writeback of {parcel.waybill}"] = polls
    if order.holds:
        found["holds"] = own
    elif any(line.units.unrouted for line in order.lines):
        found["dispatch"] = own or _ahead(order, deadlines.resume, now)
    if order.status == "DELIVERED":
        found["completion"] = own
    return found or {"order": own}


def _of(po: "PurchaseOrder", order: "Order", now: datetime, deadlines: Deadlines) -> Watch | None:
    if po.due_at is not None:
        return Watch.CLOCK
    return _ahead(order, deadlines.resume if po.status in IN_DISPATCH else deadlines.ship, now)


def _ahead(order: "Order", age: timedelta, now: datetime) -> Watch | None:
    return Watch.LOOK_BACK if now < order.created_at + age + SWEEP else None
