"""Metrics that ops people get alarms for: holds, tasks and unknown outcomes, counted when the order is saved."""

from collections.abc import Callable, Sequence

from dropship.domain.identity import OrderKey
from dropship.domain.orders import timeline
from dropship.domain.orders.attention import Stake
from dropship.domain.orders.events import Event, HoldEvent, TaskEvent

Count = Callable[..., None]
_OF_STAKE = {
    Stake.MONEY: "MoneyAtRisk",
    Stake.TIME: "DeadlineMissed",
    Stake.PLACING: "DispatchUnknown",
    Stake.NOTHING: "TaskOpened",
}


def metric_of(event: Event) -> str | None:
    """The metric that counts the event; None if it needs no alarm."""
    if isinstance(event, HoldEvent) and event.kind == "held":
        return "OrderHeld"
    if isinstance(event, TaskEvent) and event.kind == "task_opened":
        return _OF_STAKE[event.task.stake]
    return None


def count_events(count: Count, order: OrderKey, events: Sequence[Event]) -> None:
    """Count the events that were saved with an order."""
    for event in events:
        metric = metric_of(event)
        if metric is not None:
            count(metric, order=str(order), what=timeline.words(event), about=timeline.about(event))
