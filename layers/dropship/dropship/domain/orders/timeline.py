"""The order's timeline in words, for people."""

from .events import CaseEnded, Event, HoldEvent, OrderEvent, ParcelEvent, ParcelMoved, PurchaseOrderEvent, TaskEvent

_WORDS = {
    "received": "received",
    "nothing_to_ship": "nothing to ship",
    "quantities_changed": "quantities changed",
    "units_withdrawn": "units withdrawn before dispatch",
    "all_shipped": "all shipped",
    "delivered": "delivered",
    "completed": "completed",
    "cancelled": "cancelled",
    "held": "held",
    "hold_released": "hold released",
    "claimed": "claimed",
    "placed": "placed",
    "outcome_unknown": "outcome unknown",
    "refused": "refused by the supplier",
    "acknowledged": "acknowledged",
    "cancellation_asked": "cancellation asked",
    "cancellation_refused": "cancellation refused",
    "cancelled_at_supplier": "cancelled at the supplier",
    "shipped": "shipped",
    "written_back": "written back",
}


def words(event: Event) -> str:
    """What happened."""
    if isinstance(event, TaskEvent):
        return f"needs a person: {event.task}" if event.kind == "task_opened" else f"task closed: {event.task}"
    if isinstance(event, ParcelMoved):
        return f"parcel {event.status}"
    if isinstance(event, CaseEnded):
        return f"after-sales case {event.outcome.lower()}"
    return _WORDS[event.kind]


def about(event: Event) -> str:
    """What it is about: a purchase order's id, `carrier number`, a hold's reason, a case's id, a person, or empty."""
    match event:
        case OrderEvent():
            return ""
        case HoldEvent():
            return event.reason
        case TaskEvent():
            return event.about or event.by
        case PurchaseOrderEvent():
            return event.purchase_order
        case ParcelEvent() | ParcelMoved():
            return f"{event.carrier} {event.number}"
        case CaseEnded():
            return event.case
