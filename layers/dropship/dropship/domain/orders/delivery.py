"""From the parcel to the buyer's door: what carriers tell about it, and what the marketplace was told."""

from collections.abc import Iterable
from datetime import timedelta

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage

from .attention import TaskKind
from .fulfilment import settle
from .order import Order
from .parcel import Parcel

_STAGES_FOR_A_PERSON = frozenset(
    {
        TrackingStage.EXCEPTION,
        TrackingStage.EXPIRED,
        TrackingStage.FAILED_ATTEMPT,
        TrackingStage.RETURNING,
        TrackingStage.RETURNED,
    }
)
_FURTHEST_SCAN = timedelta(days=1)
"""A scan further in the future than time zones explain is an error; if it counted, all later scans would be too old."""


def track(order: Order, parcel: Parcel, events: Iterable[TrackingEvent], moment: Moment) -> bool:
    """Take in scans of a parcel and move its units to their new place. Returns whether the order changed."""
    place, state = parcel.place, parcel.state
    if not parcel.track([event for event in events if event.at <= moment.after(_FURTHEST_SCAN)], moment.deadlines):
        return False
    if parcel.state != state:
        order.record_move(parcel, moment)
    if parcel.place != place:
        for shipped in parcel.lines:
            order.owned_line(shipped.line).units.move(shipped.quantity, place, parcel.place)
    if parcel.last_stage in _STAGES_FOR_A_PERSON:
        order.open_task(TaskKind.PARCEL_EXCEPTION, moment, str(parcel.last_stage), parcel.number)
    else:
        order.end_task(TaskKind.PARCEL_EXCEPTION, parcel.number)
        order.end_task(TaskKind.PARCEL_STALLED, parcel.number)
    settle(order, moment)
    return True


def record_written_back(order: Order, parcel: Parcel, fulfilment: str, moment: Moment) -> None:
    """The marketplace knows the parcel."""
    parcel.end_writeback("DONE", moment, fulfilment)
    order.end_task(TaskKind.WRITEBACK_REFUSED, parcel.number)
    order.record_of_parcel("written_back", parcel, moment)


def record_writeback_refused(order: Order, parcel: Parcel, words: str, moment: Moment) -> None:
    """The marketplace refused the parcel: a task with its words asks a person to look."""
    parcel.end_writeback("REFUSED", moment)
    order.open_task(TaskKind.WRITEBACK_REFUSED, moment, words, parcel.number)
