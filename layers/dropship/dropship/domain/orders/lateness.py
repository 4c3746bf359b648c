"""What happens when a clock runs out: somebody is told, and the clock is set again, so that nothing is forgotten.

What a look-back or a poll finds has run out without an explicit clock (`watching`); it is acted on all the same.
"""

from datetime import datetime

from dropship.domain.deadlines import Deadlines
from dropship.domain.lifecycle import PARCEL

from .order import Order, TaskKind
from .parcel import Parcel
from .purchase_order import IN_DISPATCH, PurchaseOrder


def overdue(order: Order, now: datetime, deadlines: Deadlines) -> list[TaskKind]:
    """Act on every clock of the order that has run out; the deadlines found missed.

    Work that only has to be taken up again (a dispatch, a cancellation, a writeback) is for the caller to start:
    its clock is set anew here. A purchase order that the last look-back found before its time gets a clock of its own.
    """
    missed: list[TaskKind] = []
    for po in order.purchase_orders:
        clock = _clock(order, po, deadlines)
        if clock is None:
            continue
        if clock > now:
            po.due_at = clock if now >= order.created_at + deadlines.ship else po.due_at
            continue
        kind = _too_late(order, po, now, deadlines)
        if kind is not None:
            missed.append(kind)
    missed += stalled(order, now, deadlines)
    if _has_run_out(order, now, deadlines):
        _close_window(order, now)
        order.arm(now, deadlines)
    return missed


def stalled(order: Order, now: datetime, deadlines: Deadlines) -> list[TaskKind]:
    """Ask for a person about every parcel without news for too long; the deadlines found missed.

    A parcel that is followed is looked at again with its next poll, any other when its clock says so.
    """
    late = [parcel for parcel in order.parcels if (clock := parcel.clock(deadlines)) is not None and clock <= now]
    for parcel in late:
        parcel.due_at = None if parcel.followed else now + deadlines.remind
        order.need(TaskKind.PARCEL_STALLED, now, "no news from the carrier", parcel.number)
    return [TaskKind.PARCEL_STALLED for _ in late]


def untold(order: Order, now: datetime, deadlines: Deadlines) -> list[Parcel]:
    """Parcels that the marketplace should have been told of by now."""
    return [parcel for parcel in order.parcels if parcel.untold and parcel.writeback_at + deadlines.writeback <= now]


def _clock(order: Order, po: PurchaseOrder, deadlines: Deadlines) -> datetime | None:
    if po.due_at is not None or not po.remaining:
        return po.due_at
    return order.created_at + deadlines.resume if po.status in IN_DISPATCH else po.claimed_at + deadlines.ship


def _too_late(order: Order, po: PurchaseOrder, now: datetime, deadlines: Deadlines) -> TaskKind | None:
    if po.status in IN_DISPATCH or (po.status == "CANCEL_REQUESTED" and not po.answer_promised):
        po.due_at = now + deadlines.resume
        return None
    kind = TaskKind.ACKNOWLEDGE_LATE if po.status == "DISPATCHED" else TaskKind.SHIP_LATE
    if po.status == "CANCEL_REQUESTED":
        kind = TaskKind.CANCEL_LATE
        po.apply("cancel_timeout")
        po.cancel = "REFUSED"
    po.due_at = now + deadlines.remind
    order.need(kind, now, "the supplier's deadline has passed", po.id)
    return kind


def _has_run_out(order: Order, now: datetime, deadlines: Deadlines) -> bool:
    if order.due_at is not None:
        return order.due_at <= now
    waits = not order.finished and not order.holds and any(line.units.unrouted for line in order.lines)
    return waits and order.created_at + deadlines.resume <= now


def _close_window(order: Order, now: datetime) -> None:
    if order.status != "DELIVERED" or order.holds or any(not remedy.outcome for remedy in order.remedies):
        return
    if any(parcel.untold or not parcel.finished for parcel in order.parcels):
        return
    for parcel in order.parcels:
        if parcel.state == "DELIVERED":
            parcel.state = PARCEL.next(parcel.state, "window_closed")
    order.apply("aftersale_window_closed")
    order.note(now, "completed")
