"""From the claim to the door: what dispatch, suppliers and carriers do to an order."""

from collections.abc import Iterable
from datetime import datetime

from .deadlines import Deadlines
from .errors import InvalidMessage, OnHold, Stale
from .lifecycle import ORDER, PURCHASE_ORDER
from .order import HoldReason, Order, TaskKind
from .parcel import Parcel
from .partners import Shipment, ShippedLine, SupplierEvent, TrackingEvent, TrackingStage
from .planning import PlannedPurchaseOrder
from .purchase_order import IN_DISPATCH, OPEN_AT_SUPPLIER, PurchaseOrder


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
    for line in planned.lines:
        own = order.line(line.line)
        if own is None or own.units.unrouted < line.quantity:
            raise Stale(f"line {line.line} of order {order.key} has no {line.quantity} units to route")
        own.units.move(line.quantity, "unrouted", "at_supplier")
    purchase_order = PurchaseOrder(id=planned.id, lines=list(planned.lines), claimed_at=now)
    purchase_order.apply("dispatch_claimed")
    purchase_order.due_at = now + deadlines.resume
    order.purchase_orders.append(purchase_order)
    for event in ("routed", "po_claimed"):
        if ORDER.allows(order.status, event):
            order.apply(event)
    order.arm(now, deadlines)
    order.note(now, "claimed", purchase_order.id)
    return purchase_order


def placed(order: Order, purchase_order: PurchaseOrder, reference: str, now: datetime, deadlines: Deadlines) -> None:
    """The supplier has the purchase order."""
    if purchase_order.status in IN_DISPATCH:
        purchase_order.accepted(reference, now, deadlines)
        order.done(TaskKind.DISPATCH_UNKNOWN, purchase_order.id)
        order.note(now, "placed", purchase_order.id)


def unknown(order: Order, purchase_order: PurchaseOrder, why: str, now: datetime, deadlines: Deadlines) -> None:
    """Nobody can tell whether the supplier has the purchase order: it is looked up before anything else."""
    if purchase_order.status in IN_DISPATCH:
        if purchase_order.status == "DISPATCHING":
            order.note(now, "outcome unknown", purchase_order.id)
        purchase_order.unknown(why, now + deadlines.resume)


def refused(order: Order, purchase_order: PurchaseOrder, words: str, now: datetime) -> None:
    """The supplier said no: free the units and hold the order, with the supplier's words."""
    if purchase_order.status in IN_DISPATCH:
        purchase_order.drop(words)
    elif purchase_order.status in PURCHASE_ORDER.terminal:
        return
    else:
        purchase_order.apply("rejected")
        purchase_order.reason, purchase_order.due_at = words, None
    order.done(TaskKind.DISPATCH_UNKNOWN, purchase_order.id)
    order.note(now, "refused by the supplier", purchase_order.id)
    free_units(order, purchase_order, now)
    if not order.finished and any(line.units.unrouted for line in order.lines):
        order.hold(HoldReason.SUPPLIER_REFUSED, now, words)


def free_units(order: Order, purchase_order: PurchaseOrder, now: datetime) -> None:
    """Give back the units of a purchase order that ended unshipped: to routing, or to nobody if unwanted."""
    unwanted = purchase_order.cancel == "WANTED"
    for planned in purchase_order.lines:
        left = planned.quantity - purchase_order.shipped.get(planned.line, 0)
        line = order.line(planned.line)
        if line is None or not left:
            continue
        line.units.move(left, "at_supplier", "cancelled" if unwanted else "unrouted")
        if unwanted:
            _credit_remedies(order, line.id, left)
    settle(order, now)


def _credit_remedies(order: Order, line_id: str, units: int) -> None:
    for remedy in order.remedies:
        missing = remedy.units.get(line_id, 0) - remedy.cancelled.get(line_id, 0)
        credited = min(units, missing) if not remedy.outcome else 0
        if credited > 0:
            remedy.cancelled[line_id] = remedy.cancelled.get(line_id, 0) + credited
            units -= credited


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
    if order.status in {"IN_FULFILMENT", "PARTIALLY_SHIPPED"} and shipped:
        if not waiting:
            order.apply("all_shipped")
            order.note(now, "all shipped")
        elif order.status == "IN_FULFILMENT":
            order.apply("qty_shipped")
    if order.status == "SHIPPED":
        _settle_parcels(order, now)


def _settle_parcels(order: Order, now: datetime) -> None:
    states = {parcel.state for parcel in order.parcels}
    if states <= {"DELIVERED", "DELIVERED_FINAL"}:
        order.apply("all_parcels_delivered")
        order.note(now, "delivered")


def supplier_says(order: Order, event: SupplierEvent, now: datetime, deadlines: Deadlines) -> None:
    """Take in what a supplier tells of a purchase order; a repeat or a late event changes nothing.

    Raises:
        UnknownPurchaseOrder: the order has no such purchase order.
        InvalidMessage: the event contradicts what was ordered.
    """
    purchase_order = order.purchase_order(event.purchase_order)
    if purchase_order.status in PURCHASE_ORDER.terminal:
        return
    if purchase_order.status in IN_DISPATCH:
        placed(order, purchase_order, event.supplier_reference, now, deadlines)
    if event.kind == "acknowledged":
        _acknowledged(order, purchase_order, now, deadlines)
    elif event.kind == "rejected" and PURCHASE_ORDER.allows(purchase_order.status, "rejected"):
        refused(order, purchase_order, event.reason, now)
    elif event.kind == "shipped":
        _shipped(order, purchase_order, event, now, deadlines)
    elif event.kind == "cancelled":
        cancelled_by_supplier(order, purchase_order, event.reason, now)
    elif event.kind == "cancel_rejected":
        cancel_refused(order, purchase_order, event.reason, now, deadlines)


def _acknowledged(order: Order, purchase_order: PurchaseOrder, now: datetime, deadlines: Deadlines) -> None:
    if purchase_order.status != "DISPATCHED":
        return
    purchase_order.apply("ack_all")
    purchase_order.due_at = purchase_order.claimed_at + deadlines.ship
    order.done(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.note(now, "acknowledged", purchase_order.id)


def _shipped(
    order: Order, purchase_order: PurchaseOrder, event: SupplierEvent, now: datetime, deadlines: Deadlines
) -> None:
    shipment = event.shipment
    if shipment is None:
        raise InvalidMessage(f"a shipped event of {purchase_order.id} without a shipment")
    if order.parcel(shipment.carrier, shipment.number) is not None:
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
            due_at=now + deadlines.pickup,
            writeback_at=now,
        )
    )
    order.done(TaskKind.SHIP_LATE, purchase_order.id)
    order.done(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.note(now, "shipped", f"{shipment.carrier} {shipment.number}")
    settle(order, now)
    order.arm(now, deadlines)


def _units_of(shipment: Shipment, purchase_order: PurchaseOrder) -> dict[str, int]:
    remaining = purchase_order.remaining
    units: dict[str, int] = {}
    for line in shipment.lines:
        units[line.line] = units.get(line.line, 0) + line.quantity
    units = units or dict(remaining)
    excess = {line: quantity for line, quantity in units.items() if quantity > remaining.get(line, 0)}
    if excess or not units:
        raise InvalidMessage(f"{purchase_order.id} was shipped beyond what was ordered: {excess or 'nothing is left'}")
    return units


def cancelled_by_supplier(order: Order, purchase_order: PurchaseOrder, reason: str, now: datetime) -> None:
    """The supplier will not ship it: because we asked, or of its own accord, which is a refusal."""
    if purchase_order.status == "CANCEL_REQUESTED":
        purchase_order.apply("cancel_accepted")
        purchase_order.reason, purchase_order.due_at = reason, None
        order.note(now, "cancelled at the supplier", purchase_order.id)
        free_units(order, purchase_order, now)
    elif purchase_order.status == "DISPATCHED":
        refused(order, purchase_order, reason or "cancelled by the supplier", now)
    else:
        order.need(TaskKind.SUPPLIER_EVENT_REFUSED, now, f"cancelled by the supplier: {reason}", purchase_order.id)


def cancel_refused(
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
    if not parcel.track(events, deadlines):
        return False
    if parcel.state != state:
        order.note(now, f"parcel {parcel.state}", f"{parcel.carrier} {parcel.number}")
    if parcel.place != place:
        for shipped in parcel.lines:
            order.owned_line(shipped.line).units.move(shipped.quantity, place, parcel.place)
    if parcel.last_stage in {TrackingStage.EXCEPTION, TrackingStage.EXPIRED, TrackingStage.FAILED_ATTEMPT}:
        order.need(TaskKind.PARCEL_EXCEPTION, now, str(parcel.last_stage), parcel.number)
    else:
        order.done(TaskKind.PARCEL_EXCEPTION, parcel.number)
        order.done(TaskKind.PARCEL_STALLED, parcel.number)
    settle(order, now)
    order.arm(now, deadlines)
    return True


def written_back(order: Order, parcel: Parcel, fulfilment: str, now: datetime, deadlines: Deadlines) -> None:
    """The marketplace knows the parcel."""
    parcel.end_writeback("DONE", now, fulfilment)
    order.done(TaskKind.WRITEBACK_REFUSED, parcel.number)
    order.note(now, "written back", f"{parcel.carrier} {parcel.number}")
    order.arm(now, deadlines)


def writeback_refused(order: Order, parcel: Parcel, words: str, now: datetime, deadlines: Deadlines) -> None:
    """The marketplace will not take the parcel: a person has to look, with its words."""
    parcel.end_writeback("REFUSED", now)
    order.need(TaskKind.WRITEBACK_REFUSED, now, words, parcel.number)
    order.arm(now, deadlines)
