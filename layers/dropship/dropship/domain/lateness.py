"""What happens when a clock runs out: somebody is told, and the clock is set again, so that nothing is forgotten."""

from datetime import datetime

from .deadlines import Deadlines
from .lifecycle import PARCEL
from .order import Order, TaskKind
from .purchase_order import IN_DISPATCH


def overdue(order: Order, now: datetime, deadlines: Deadlines) -> list[TaskKind]:
    """Act on every clock of the order that has run out; the deadlines found missed.

    Work that only has to be taken up again (a dispatch, a cancellation, a writeback) is for the caller to start:
    its clock is set anew here.
    """
    missed: list[TaskKind] = []
    for po in order.purchase_orders:
        if po.due_at is None or po.due_at > now:
            continue
        unanswered = po.status == "CANCEL_REQUESTED" and not po.answer_promised
        if po.status in IN_DISPATCH or unanswered:
            po.due_at = now + deadlines.resume
            continue
        kind = TaskKind.ACKNOWLEDGE_LATE if po.status == "DISPATCHED" else TaskKind.SHIP_LATE
        if po.status == "CANCEL_REQUESTED":
            kind = TaskKind.CANCEL_LATE
            po.apply("cancel_timeout")
            po.cancel = "REFUSED"
        po.due_at = now + deadlines.remind
        order.need(kind, now, "the supplier's deadline has passed", po.id)
        missed.append(kind)
    for parcel in order.parcels:
        if parcel.due_at is not None and parcel.due_at <= now:
            parcel.due_at = now + deadlines.remind
            order.need(TaskKind.PARCEL_STALLED, now, "no news from the carrier", parcel.number)
            missed.append(TaskKind.PARCEL_STALLED)
    if order.due_at is not None and order.due_at <= now:
        _close_window(order, now)
        order.arm(now, deadlines)
    return missed


def _close_window(order: Order, now: datetime) -> None:
    if order.status != "DELIVERED" or order.holds or any(not remedy.outcome for remedy in order.remedies):
        return
    if any(parcel.writeback in {"DUE", "SENDING"} or not parcel.finished for parcel in order.parcels):
        return
    for parcel in order.parcels:
        if parcel.state == "DELIVERED":
            parcel.state = PARCEL.next(parcel.state, "window_closed")
    order.apply("aftersale_window_closed")
    order.note(now, "completed")
