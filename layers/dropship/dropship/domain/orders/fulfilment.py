"""From the claim to the door: what dispatch, suppliers and carriers do to an order."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from dropship.domain.deadlines import SWEEP, Deadlines
from dropship.domain.errors import InvalidMessage, OnHold, Stale
from dropship.domain.exchange.suppliers import Shipment, ShippedLine, SupplierEvent, units_by_line
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.lifecycle import ORDER, PURCHASE_ORDER

from .ledger import credit, refunded, unwanted
from .order import HoldReason, Order, TaskKind
from .parcel import Parcel
from .purchase_order import IN_DISPATCH, OPEN_AT_SUPPLIER, PlannedPurchaseOrder, PurchaseOrder

# How a purchase order ends that the supplier will not ship, or not ship in full.
_WAY_OUT = {
    "DISPATCHED": ("rejected",),
    "PARTIALLY_ACKED": ("cancel_requested", "cancel_accepted"),
    "ACKED": ("cancel_requested", "cancel_accepted"),
    "CANCEL_REQUESTED": ("cancel_accepted",),
    "PARTIALLY_SHIPPED": ("short_closed",),
}
_ENDED_WITH_IT = (
    *(TaskKind.DISPATCH_UNKNOWN, TaskKind.SUPPLIER_BUSY, TaskKind.ACKNOWLEDGE_LATE, TaskKind.SHIP_LATE),
    *(TaskKind.CANCEL_LATE, TaskKind.CANCEL_REFUSED),
)
_STAGES_FOR_A_PERSON = frozenset(
    {TrackingStage.EXCEPTION, TrackingStage.EXPIRED, TrackingStage.FAILED_ATTEMPT}
    | {TrackingStage.RETURNING, TrackingStage.RETURNED}
)
# A scan further in the future than time zones explain is an error; taken in, it would silence all later ones.
_FURTHEST_SCAN = timedelta(days=1)


def claim(
    order: Order, planned: PlannedPurchaseOrder, *, fence: int, now: datetime, deadlines: Deadlines
) -> PurchaseOrder:
    """Commit units of the order to a purchase order.

    From here a cancellation must be asked of the supplier; before here it is free. A purchase order that
    was claimed before is returned as it is: `claimed_at` tells the caller that it re-enters.

    Raises:
        Stale: the order changed since the plan was made (`fence` is its fence then).
        OnHold: a hold stands in the way.
    """
    existing = order.find_purchase_order(planned.id)
    if existing is not None:
        return existing
    if order.holds:
        raise OnHold(f"order {order.key} is on hold: {', '.join(hold.kind for hold in order.holds)}")
    if order.fence != fence or order.finished:
        raise Stale(f"order {order.key} changed since the plan was made")
    _commit_units(order, planned)
    purchase_order = PurchaseOrder(id=planned.id, lines=list(planned.lines), claimed_at=now)
    purchase_order.apply("dispatch_claimed")
    purchase_order.due_at = None if order.is_fresh(now, deadlines) else now + deadlines.resume
    order.purchase_orders.append(purchase_order)
    for event in ("routed", "po_claimed"):
        if ORDER.allows(order.status, event):
            order.apply(event)
    order.arm(now, deadlines)
    order.note(now, "claimed", purchase_order.id)
    return purchase_order


def _commit_units(order: Order, planned: PlannedPurchaseOrder) -> None:
    for line in planned.lines:
        own = order.line(line.line)
        if own is None or own.units.unrouted < line.quantity:
            raise Stale(f"line {line.line} of order {order.key} has no {line.quantity} units to route")
    for line in planned.lines:
        order.owned_line(line.line).units.move(line.quantity, "unrouted", "at_supplier")


def record_placed(
    order: Order, purchase_order: PurchaseOrder, reference: str, now: datetime, deadlines: Deadlines
) -> None:
    """The supplier has the purchase order. Its events may have told so before its answer did."""
    if purchase_order.status in IN_DISPATCH:
        purchase_order.accepted(reference, now, deadlines)
        order.done(TaskKind.DISPATCH_UNKNOWN, purchase_order.id)
        order.done(TaskKind.SUPPLIER_BUSY, purchase_order.id)
        order.note(now, "placed", purchase_order.id)
    elif purchase_order.never_placed:
        _contradiction(order, purchase_order, "was given up as never placed, yet the supplier has it", now)
    else:
        purchase_order.supplier_reference = purchase_order.supplier_reference or reference


def record_unknown(order: Order, purchase_order: PurchaseOrder, why: str, now: datetime, deadlines: Deadlines) -> None:
    """Nobody can tell whether the supplier has the purchase order: it is looked up before anything else."""
    if purchase_order.status in IN_DISPATCH:
        if purchase_order.status == "DISPATCHING":
            order.note(now, "outcome unknown", purchase_order.id)
        purchase_order.unknown(why, now + deadlines.resume)


def record_refused(order: Order, purchase_order: PurchaseOrder, words: str, now: datetime) -> None:
    """The supplier said no to our request: free the units and hold the order, with the supplier's words.

    A no after the supplier was heard to have it (another worker's answer, an event) frees nothing: what one
    supplier may still ship is never given to another. A person has to look.
    """
    if purchase_order.status in IN_DISPATCH:
        purchase_order.drop(words)
        order.note(now, "refused by the supplier", purchase_order.id)
        _give_back(order, purchase_order, words, now)
    elif purchase_order.status not in PURCHASE_ORDER.terminal:
        _contradiction(order, purchase_order, f"was refused after it was accepted: {words}", now)


def _contradiction(order: Order, purchase_order: PurchaseOrder, words: str, now: datetime) -> None:
    order.need(TaskKind.SUPPLIER_EVENT_REFUSED, now, f"{purchase_order.id} {words}", purchase_order.id)
    if purchase_order.never_placed and any(line.units.unrouted for line in order.lines):
        order.hold(HoldReason.SUPPLIER_CONTRADICTS, now, f"{purchase_order.id} {words}")


def _give_back(order: Order, purchase_order: PurchaseOrder, words: str, now: datetime) -> None:
    free_units(order, purchase_order, now)
    if not order.finished and any(line.units.unrouted for line in order.lines):
        order.hold(HoldReason.SUPPLIER_REFUSED, now, words)


def free_units(order: Order, purchase_order: PurchaseOrder, now: datetime) -> None:
    """Give back the units of a purchase order that ended: to routing, or to nobody where the buyer wants them not."""
    for planned in purchase_order.lines:
        left = planned.quantity - purchase_order.shipped.get(planned.line, 0)
        line = order.owned_line(planned.line)
        back = left if purchase_order.cancel else min(left, unwanted(order.remedies, line.id, line.units.shipped))
        line.units.move(back, "at_supplier", "cancelled")
        line.units.move(left - back, "at_supplier", "unrouted")
        credit(order.remedies, line.id, back)
    for kind in _ENDED_WITH_IT:
        order.done(kind, purchase_order.id)
    settle(order, now)


def settle(order: Order, now: datetime) -> None:
    """Bring the order's status in line with its quantities."""
    units = [line.units for line in order.lines]
    busy = any(po.status in IN_DISPATCH or po.status in OPEN_AT_SUPPLIER for po in order.purchase_orders)
    shipped = sum(line.shipped for line in units)
    waiting = sum(line.unrouted + line.at_supplier for line in units)
    if order.status == "IN_FULFILMENT" and not busy and not shipped:
        if not waiting:
            order.close_as_cancelled(now)
            return
        order.apply("reroute_needed")
        if order.holds:
            order.apply("hold_added")
    if order.status in {"IN_FULFILMENT", "PARTIALLY_SHIPPED"} and shipped:
        if not waiting:
            order.apply("all_shipped")
            order.note(now, "all shipped")
        elif order.status == "IN_FULFILMENT":
            order.apply("qty_shipped")
    if order.status == "SHIPPED":
        _settle_parcels(order, now)
    order.wake(now)


def _settle_parcels(order: Order, now: datetime) -> None:
    """End the way of parcels that have all ended it; what came back or was lost must have been refunded."""
    units = [(line.units, refunded(order.remedies, line.id)) for line in order.lines]
    if not all(parcel.finished for parcel in order.parcels):
        return
    if any(line.returned + line.lost > paid_back for line, paid_back in units):
        return
    if any(line.delivered for line, _ in units):
        order.apply("all_parcels_delivered")
        order.note(now, "delivered")
    else:
        order.close_as_cancelled(now)


def supplier_says(
    order: Order, event: SupplierEvent, now: datetime, deadlines: Deadlines, *, followed: bool = True
) -> None:
    """Take in what a supplier tells of a purchase order; a repeat or a late event changes nothing.

    `followed` says whether a tracker can be asked for news of the parcel that it tells of.

    Raises:
        UnknownPurchaseOrder: the order has no such purchase order.
        InvalidMessage: the event contradicts what was ordered.
    """
    purchase_order = order.purchase_order(event.purchase_order)
    if purchase_order.status in PURCHASE_ORDER.terminal:
        if event.kind == "shipped" or (event.kind == "acknowledged" and purchase_order.never_placed):
            _contradiction(order, purchase_order, f"is closed, yet the supplier says: {event.kind}", now)
        return
    record_placed(order, purchase_order, event.supplier_reference, now, deadlines)
    if event.kind == "acknowledged":
        record_acknowledged(order, purchase_order, now, deadlines)
    elif event.kind == "shipped":
        _shipped(order, purchase_order, event, now, deadlines, followed=followed)
    elif event.kind == "cancel_rejected":
        record_cancel_refused(order, purchase_order, event.reason, now, deadlines)
    else:
        record_cancelled_by_supplier(order, purchase_order, event.reason, now)


def accepts_shipment(order: Order, event: SupplierEvent) -> bool:
    """Whether the parcel that the event tells of is one of the order's, or would become one."""
    purchase_order, shipment = order.find_purchase_order(event.purchase_order), event.shipment
    if purchase_order is None or shipment is None:
        return False
    if order.parcel(shipment.carrier, shipment.number) is not None:
        return True
    if purchase_order.status in PURCHASE_ORDER.terminal:
        return False
    with suppress(InvalidMessage):
        return bool(_units_of(shipment, purchase_order))
    return False


def record_acknowledged(order: Order, purchase_order: PurchaseOrder, now: datetime, deadlines: Deadlines) -> None:
    """The supplier will ship it: by an event, or in its answer to placing."""
    if purchase_order.status != "DISPATCHED":
        return
    purchase_order.apply("ack_all")
    in_time = purchase_order.claimed_at < order.created_at + deadlines.resume
    seen_later = in_time and now + SWEEP < order.created_at + deadlines.ship  # it is saved before the look-back
    purchase_order.due_at = None if seen_later else purchase_order.claimed_at + deadlines.ship
    order.done(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.note(now, "acknowledged", purchase_order.id)


def _shipped(
    order: Order,
    purchase_order: PurchaseOrder,
    event: SupplierEvent,
    now: datetime,
    deadlines: Deadlines,
    *,
    followed: bool,
) -> None:
    shipment = event.shipment
    if shipment is None:
        raise InvalidMessage(f"a shipped event of {purchase_order.id} without a shipment")
    known = order.parcel(shipment.carrier, shipment.number)
    if known is not None:
        if not _is_repeat(shipment, purchase_order, known):
            words = f"{purchase_order.id} names waybill {known.waybill} again, for other units"
            order.need(TaskKind.WAYBILL_REUSED, now, words, known.number)
        return
    units = _units_of(shipment, purchase_order)
    for line_id, quantity in units.items():
        order.owned_line(line_id).units.move(quantity, "at_supplier", "in_transit")
    purchase_order.ship(units, deadlines, now)
    order.parcels.append(
        Parcel(
            purchase_order=purchase_order.id,
            carrier=shipment.carrier,
            number=shipment.number,
            lines=[ShippedLine(line=line, quantity=quantity) for line, quantity in units.items()],
            shipped_at=now,
            followed=followed,
            due_at=None if followed else now + deadlines.pickup,
            writeback_at=now,
        )
    )
    order.done(TaskKind.SHIP_LATE, purchase_order.id)
    order.done(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.note(now, "shipped", order.parcels[-1])
    if purchase_order.cancel == "WANTED":
        purchase_order.cancel = "REFUSED"
        words = "it was shipped in spite of the cancellation"
        order.need(TaskKind.CANCEL_REFUSED, now, words, purchase_order.id)
    settle(order, now)
    order.arm(now, deadlines)


def _is_repeat(shipment: Shipment, purchase_order: PurchaseOrder, known: Parcel) -> bool:
    same_units = not shipment.lines or units_by_line(shipment.lines) == units_by_line(known.lines)
    return known.purchase_order == purchase_order.id and same_units


def _units_of(shipment: Shipment, purchase_order: PurchaseOrder) -> dict[str, int]:
    remaining = purchase_order.remaining
    units = units_by_line(shipment.lines) or dict(remaining)
    excess = {line: quantity for line, quantity in units.items() if quantity > remaining.get(line, 0)}
    if excess or not units:
        raise InvalidMessage(f"{purchase_order.id} was shipped beyond what was ordered: {excess or 'nothing is left'}")
    return units


def record_cancelled_by_supplier(order: Order, purchase_order: PurchaseOrder, reason: str, now: datetime) -> None:
    """The supplier will not ship it, or not the rest: because we asked, late or not, or of its own accord.

    Units that nobody took back are routed anew once a person has released the order.
    """
    if purchase_order.status in PURCHASE_ORDER.terminal:
        return
    if purchase_order.status not in _WAY_OUT:
        _contradiction(order, purchase_order, f"is {purchase_order.status}, yet was cancelled: {reason}", now)
        return
    for step in _WAY_OUT[purchase_order.status]:
        purchase_order.apply(step)
    purchase_order.end(reason)
    order.note(now, "cancelled at the supplier", purchase_order.id)
    _give_back(order, purchase_order, reason or "cancelled by the supplier", now)


def record_cancel_promised(purchase_order: PurchaseOrder, now: datetime, deadlines: Deadlines) -> None:
    """The supplier will answer the cancellation by an event; from here its own clock runs."""
    if purchase_order.status == "CANCEL_REQUESTED" and not purchase_order.answer_promised:
        purchase_order.answer_promised = True
        purchase_order.due_at = now + deadlines.cancel


def record_cancel_refused(
    order: Order, purchase_order: PurchaseOrder, words: str, now: datetime, deadlines: Deadlines
) -> None:
    """The supplier ships it in spite of our wish: a person has to decide what becomes of it."""
    if purchase_order.status != "CANCEL_REQUESTED":
        return
    purchase_order.apply("cancel_rejected")
    purchase_order.cancel = "REFUSED"
    purchase_order.due_at = now + deadlines.ship
    order.note(now, "cancellation refused", purchase_order.id)
    order.need(TaskKind.CANCEL_REFUSED, now, words, purchase_order.id)


def track(order: Order, parcel: Parcel, events: Iterable[TrackingEvent], now: datetime, deadlines: Deadlines) -> bool:
    """Take in scans of a parcel and move its units along; whether the order changed."""
    place, state = parcel.place, parcel.state
    if not parcel.track([event for event in events if event.at <= now + _FURTHEST_SCAN], deadlines):
        return False
    if parcel.state != state:
        order.note(now, f"parcel {parcel.state}", parcel)
    if parcel.place != place:
        for shipped in parcel.lines:
            order.owned_line(shipped.line).units.move(shipped.quantity, place, parcel.place)
    if parcel.last_stage in _STAGES_FOR_A_PERSON:
        order.need(TaskKind.PARCEL_EXCEPTION, now, str(parcel.last_stage), parcel.number)
    else:
        order.done(TaskKind.PARCEL_EXCEPTION, parcel.number)
        order.done(TaskKind.PARCEL_STALLED, parcel.number)
    settle(order, now)
    order.arm(now, deadlines)
    return True


def follow_no_more(order: Order, parcel: Parcel, now: datetime, deadlines: Deadlines) -> None:
    """No tracker will tell of the parcel any more: it is left to a person, of whom its own clock asks again."""
    parcel.followed, parcel.due_at = False, now + deadlines.remind
    order.arm(now, deadlines)


def record_written_back(order: Order, parcel: Parcel, fulfilment: str, now: datetime, deadlines: Deadlines) -> None:
    """The marketplace knows the parcel."""
    parcel.end_writeback("DONE", now, fulfilment)
    order.done(TaskKind.WRITEBACK_REFUSED, parcel.number)
    order.note(now, "written back", parcel)
    order.arm(now, deadlines)


def record_writeback_refused(order: Order, parcel: Parcel, words: str, now: datetime, deadlines: Deadlines) -> None:
    """The marketplace will not take the parcel: a person has to look, with its words."""
    parcel.end_writeback("REFUSED", now)
    order.need(TaskKind.WRITEBACK_REFUSED, now, words, parcel.number)
    order.arm(now, deadlines)
