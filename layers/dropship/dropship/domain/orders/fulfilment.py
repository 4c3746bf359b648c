"""From the claim to the parcel: what dispatch and suppliers do to an order."""

from contextlib import suppress

from dropship.domain.deadlines import SWEEP, Moment
from dropship.domain.errors import InvalidMessage, OnHold, Stale
from dropship.domain.exchange.suppliers import Shipment, ShippedLine, SupplierEvent, units_by_line
from dropship.domain.identity import Waybill

from .attention import HoldReason, TaskKind
from .clocks import is_young
from .ledger import credit, refunded, unwanted
from .order import Order
from .parcel import Parcel
from .purchase_order import OPEN_AT_SUPPLIER, PlannedPurchaseOrder, PurchaseOrder

_ENDED_WITH_IT = (
    TaskKind.DISPATCH_UNKNOWN,
    TaskKind.SUPPLIER_BUSY,
    TaskKind.ACKNOWLEDGE_LATE,
    TaskKind.SHIP_LATE,
    TaskKind.CANCEL_LATE,
    TaskKind.CANCEL_REFUSED,
)


def claim(order: Order, planned: PlannedPurchaseOrder, moment: Moment, *, fence: int) -> PurchaseOrder:
    """Commit units of the order to a purchase order.

    After the claim, only the supplier can agree to a cancellation; before it, a cancellation is free. No units are
    committed twice or in spite of a hold, even if the caller did not look for that: a purchase order that was claimed
    before is returned as it is.

    Raises:
        Stale: the order changed since the plan was made (`fence` is its fence at that time).
        OnHold: the order has a hold.
    """
    existing = order.find_purchase_order(planned.id)
    if existing is not None:
        return existing
    if order.holds:
        raise OnHold(f"order {order.key} is on hold: {', '.join(hold.kind for hold in order.holds)}")
    if order.fence != fence or order.finished:
        raise Stale(f"order {order.key} changed since the plan was made")
    _commit_units(order, planned)
    purchase_order = PurchaseOrder.claimed(planned, moment, looked_at=is_young(order, moment))
    order.add_purchase_order(purchase_order)
    order.record_of_purchase_order("claimed", purchase_order, moment)
    return purchase_order


def _commit_units(order: Order, planned: PlannedPurchaseOrder) -> None:
    for line in planned.lines:
        own = order.line(line.line)
        if own is None or own.units.unrouted < line.quantity:
            raise Stale(f"line {line.line} of order {order.key} has no {line.quantity} units to route")
    for line in planned.lines:
        order.owned_line(line.line).units.move(line.quantity, "unrouted", "at_supplier")


def record_placed(order: Order, purchase_order: PurchaseOrder, reference: str, moment: Moment) -> None:
    """The supplier has the purchase order. One of its events may have said so before its answer did."""
    if purchase_order.in_dispatch:
        purchase_order.accept(reference, moment)
        order.end_task(TaskKind.DISPATCH_UNKNOWN, purchase_order.id)
        order.end_task(TaskKind.SUPPLIER_BUSY, purchase_order.id)
        order.record_of_purchase_order("placed", purchase_order, moment)
    elif purchase_order.never_placed:
        _contradiction(order, purchase_order, "was given up as never placed, yet the supplier has it", moment)
    else:
        purchase_order.learn_reference(purchase_order.supplier_reference or reference)


def record_unknown(order: Order, purchase_order: PurchaseOrder, why: str, moment: Moment) -> None:
    """It is not known whether the supplier has the purchase order: it is looked up before anything else is done."""
    if purchase_order.in_dispatch:
        if purchase_order.status == "DISPATCHING":
            order.record_of_purchase_order("outcome_unknown", purchase_order, moment)
        purchase_order.doubt(why, moment)


def record_refused(order: Order, purchase_order: PurchaseOrder, words: str, moment: Moment) -> None:
    """The supplier said no to our request: free the units and hold the order, with the supplier's words.

    If another answer or an event has already said that the supplier has it, nothing is freed: units that one supplier
    may still ship are never given to another. A person has to look.
    """
    if purchase_order.in_dispatch:
        purchase_order.drop(words)
        order.record_of_purchase_order("refused", purchase_order, moment)
        _give_back(order, purchase_order, words, moment)
    elif not purchase_order.closed:
        _contradiction(order, purchase_order, f"was refused after it was accepted: {words}", moment)


def _contradiction(order: Order, purchase_order: PurchaseOrder, words: str, moment: Moment) -> None:
    order.open_task(TaskKind.SUPPLIER_EVENT_REFUSED, moment, f"{purchase_order.id} {words}", purchase_order.id)
    if purchase_order.never_placed and order.has_unrouted_units:
        order.hold(HoldReason.SUPPLIER_CONTRADICTS, moment, f"{purchase_order.id} {words}")


def _give_back(order: Order, purchase_order: PurchaseOrder, words: str, moment: Moment) -> None:
    free_units(order, purchase_order, moment)
    if not order.finished and order.has_unrouted_units:
        order.hold(HoldReason.SUPPLIER_REFUSED, moment, words)


def free_units(order: Order, purchase_order: PurchaseOrder, moment: Moment) -> None:
    """Give back the units of a purchase order that ended: as unrouted, or as cancelled if they are not wanted."""
    for planned in purchase_order.lines:
        left = planned.quantity - purchase_order.shipped.get(planned.line, 0)
        line = order.owned_line(planned.line)
        back = left if purchase_order.cancel else min(left, unwanted(order.remedies, line.id, line.units.shipped))
        line.units.move(back, "at_supplier", "cancelled")
        line.units.move(left - back, "at_supplier", "unrouted")
        credit(order.remedies, line.id, back)
    for kind in _ENDED_WITH_IT:
        order.end_task(kind, purchase_order.id)
    settle(order, moment)


def settle(order: Order, moment: Moment) -> None:
    """Bring the order's status in line with its quantities."""
    units = [line.units for line in order.lines]
    busy = any(po.in_dispatch or po.status in OPEN_AT_SUPPLIER for po in order.purchase_orders)
    shipped = sum(line.shipped for line in units)
    waiting = sum(line.unrouted + line.at_supplier for line in units)
    if order.status == "IN_FULFILMENT" and not busy and not shipped:
        if not waiting:
            order.close_as_cancelled(moment)
            return
        order.step("reroute_needed")
        if order.holds:
            order.step("hold_added")
    if order.status in {"IN_FULFILMENT", "PARTIALLY_SHIPPED"} and shipped:
        if not waiting:
            order.step("all_shipped")
            order.record("all_shipped", moment)
        elif order.status == "IN_FULFILMENT":
            order.step("qty_shipped")
    if order.status == "SHIPPED":
        _settle_parcels(order, moment)


def _settle_parcels(order: Order, moment: Moment) -> None:
    """End the delivery once all parcels are finished and all units that came back or were lost are refunded."""
    units = [(line.units, refunded(order.remedies, line.id)) for line in order.lines]
    if not all(parcel.finished for parcel in order.parcels):
        return
    if any(line.returned + line.lost > paid_back for line, paid_back in units):
        return
    if any(line.delivered for line, _ in units):
        order.step("all_parcels_delivered")
        order.record("delivered", moment)
    else:
        order.close_as_cancelled(moment)


def supplier_says(order: Order, event: SupplierEvent, moment: Moment, *, followed: bool = True) -> None:
    """Take in what a supplier tells about a purchase order; a repeat or a late event changes nothing.

    `followed` says whether a tracker can be asked for news of the parcel in the event.

    Raises:
        UnknownPurchaseOrder: the order has no such purchase order.
        InvalidMessage: the event contradicts what was ordered.
    """
    purchase_order = order.purchase_order(event.purchase_order)
    if purchase_order.closed:
        if event.kind == "shipped" or (event.kind == "acknowledged" and purchase_order.never_placed):
            _contradiction(order, purchase_order, f"is closed, yet the supplier says: {event.kind}", moment)
        return
    record_placed(order, purchase_order, event.supplier_reference, moment)
    if event.kind == "acknowledged":
        record_acknowledged(order, purchase_order, moment)
    elif event.kind == "shipped":
        _shipped(order, purchase_order, event, moment, followed=followed)
    elif event.kind == "cancel_rejected":
        record_cancel_refused(order, purchase_order, event.reason, moment)
    else:
        record_cancelled_by_supplier(order, purchase_order, event.reason, moment)


def accepts_shipment(order: Order, event: SupplierEvent) -> bool:
    """Whether the parcel in the event is a parcel of the order, or would become one."""
    purchase_order, shipment = order.find_purchase_order(event.purchase_order), event.shipment
    if purchase_order is None or shipment is None:
        return False
    if order.parcel(shipment.carrier, shipment.number) is not None:
        return True
    if purchase_order.closed:
        return False
    with suppress(InvalidMessage):
        return bool(_units_of(shipment, purchase_order))
    return False


def record_acknowledged(order: Order, purchase_order: PurchaseOrder, moment: Moment) -> None:
    """The supplier said that it will ship it, in an event or in its answer to placing."""
    if purchase_order.status != "DISPATCHED":
        return
    in_time = purchase_order.claimed_at < order.created_at + moment.deadlines.resume
    before_look_back = moment.after(SWEEP) < order.created_at + moment.deadlines.ship  # it is saved before then
    purchase_order.acknowledge(moment, looked_at=in_time and before_look_back)
    order.end_task(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.record_of_purchase_order("acknowledged", purchase_order, moment)


def _shipped(
    order: Order,
    purchase_order: PurchaseOrder,
    event: SupplierEvent,
    moment: Moment,
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
            order.open_task(TaskKind.WAYBILL_REUSED, moment, words, known.number)
        return
    units = _units_of(shipment, purchase_order)
    purchase_order.ship(units, moment)
    parcel = _parcel(order, purchase_order, shipment.waybill, units, moment, followed=followed)
    for line_id, quantity in units.items():
        order.owned_line(line_id).units.move(quantity, "at_supplier", parcel.place)
    order.add_parcel(parcel)
    order.end_task(TaskKind.SHIP_LATE, purchase_order.id)
    order.end_task(TaskKind.ACKNOWLEDGE_LATE, purchase_order.id)
    order.record_of_parcel("shipped", parcel, moment)
    if purchase_order.cancel == "WANTED":
        purchase_order.give_up_cancellation()
        order.open_task(TaskKind.CANCEL_REFUSED, moment, "it was shipped all the same", purchase_order.id)
    settle(order, moment)


def _parcel(
    order: Order,
    purchase_order: PurchaseOrder,
    waybill: Waybill,
    units: dict[str, int],
    moment: Moment,
    *,
    followed: bool,
) -> Parcel:
    """A parcel that has just been shipped. It has its own clock unless it is `followed`."""
    return Parcel(
        purchase_order=purchase_order.id,
        carrier=waybill.carrier,
        number=waybill.number,
        lines=[ShippedLine(line=line, quantity=quantity) for line, quantity in units.items()],
        shipped_at=moment.now,
        followed=followed,
        due_at=None if followed else moment.after(moment.deadlines.pickup),
        writeback="NOT_NEEDED" if order.origin.ours else "DUE",
        writeback_at=moment.now,
    )


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


def record_cancelled_by_supplier(order: Order, purchase_order: PurchaseOrder, reason: str, moment: Moment) -> None:
    """The supplier will not ship it, or not the rest: because we asked (even if it answers late), or by its own choice.

    Units that we did not take back are routed again once a person has released the order.
    """
    if purchase_order.closed or purchase_order.closed_short:
        return
    if not purchase_order.can_be_called_off:
        _contradiction(order, purchase_order, f"is {purchase_order.status}, yet was cancelled: {reason}", moment)
        return
    purchase_order.call_off(reason)
    order.record_of_purchase_order("cancelled_at_supplier", purchase_order, moment)
    _give_back(order, purchase_order, reason or "cancelled by the supplier", moment)


def record_cancel_refused(order: Order, purchase_order: PurchaseOrder, words: str, moment: Moment) -> None:
    """The supplier ships it although we asked to cancel: a person has to decide what happens with the goods."""
    if purchase_order.status != "CANCEL_REQUESTED":
        return
    purchase_order.refuse_cancellation(moment)
    order.record_of_purchase_order("cancellation_refused", purchase_order, moment)
    order.open_task(TaskKind.CANCEL_REFUSED, moment, words, purchase_order.id)
