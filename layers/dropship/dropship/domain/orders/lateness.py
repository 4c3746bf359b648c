"""What happens when a clock runs out: a person is asked, and the clock is set again, so that nothing is forgotten.

What a look-back or a poll finds has no explicit clock (`clocks`); it is handled in the same way.
"""

from datetime import datetime

from dropship.domain.deadlines import Deadlines, Moment

from .attention import TaskKind
from .order import Order
from .parcel import Parcel
from .purchase_order import PurchaseOrder


def overdue(order: Order, moment: Moment) -> None:
    """Act on every clock of the order that has run out: a missed deadline of a partner becomes a task.

    Work that only has to be started again (a dispatch, a cancellation, a writeback) is left to the caller; here only
    its clock is set again. A purchase order that is not yet late at the last look-back gets its own clock.
    """
    for po in order.purchase_orders:
        clock = _clock(order, po, moment.deadlines)
        if clock is not None and clock <= moment.now:
            _too_late(order, po, moment)
        elif clock is not None and moment.now >= order.created_at + moment.deadlines.ship:
            po.run_clock_to(clock)
    stalled(order, moment)
    if order.due_at is not None and order.due_at <= moment.now:
        _close_window(order, moment)
        order.stop_clock()


def stalled(order: Order, moment: Moment) -> None:
    """Ask for a person about every parcel without news for too long.

    A followed parcel is looked at again at its next poll, any other parcel when its new clock runs out.
    """
    for parcel in order.parcels:
        clock = parcel.clock(moment.deadlines)
        if clock is not None and clock <= moment.now:
            parcel.remind_later(moment)
            order.open_task(TaskKind.PARCEL_STALLED, moment, "no news from the carrier", parcel.number)


def untold(order: Order, moment: Moment) -> list[Parcel]:
    """Parcels that the marketplace should have been told about by now."""
    too_long = moment.deadlines.writeback
    return [parcel for parcel in order.parcels if parcel.untold and parcel.writeback_at + too_long <= moment.now]


def _clock(order: Order, po: PurchaseOrder, deadlines: Deadlines) -> datetime | None:
    if po.due_at is not None or not po.remaining:
        return po.due_at
    return order.created_at + deadlines.resume if po.in_dispatch else po.claimed_at + deadlines.ship


def _too_late(order: Order, po: PurchaseOrder, moment: Moment) -> None:
    if po.in_dispatch or (po.status == "CANCEL_REQUESTED" and not po.answer_promised):
        po.try_again_later(moment)
    else:
        order.open_task(po.miss_deadline(moment), moment, "the supplier's deadline has passed", po.id)


def _close_window(order: Order, moment: Moment) -> None:
    if order.status != "DELIVERED" or order.holds or any(remedy.open for remedy in order.remedies):
        return
    if any(parcel.untold or not parcel.finished for parcel in order.parcels):
        return
    for parcel in order.parcels:
        parcel.close_window()
    order.step("aftersale_window_closed")
    order.record("completed", moment)
