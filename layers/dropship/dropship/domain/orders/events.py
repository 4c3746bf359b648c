"""What happened to an order, as typed events. The timeline, metrics and alarms follow from them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from dropship.domain.fact import Fact

from .attention import HoldReason, TaskKind
from .ledger import RemedyOutcome
from .lifecycles import ParcelStatus

OrderEventKind = Literal[
    "received",
    "nothing_to_ship",
    "quantities_changed",
    "units_withdrawn",
    "all_shipped",
    "delivered",
    "completed",
    "cancelled",
]
PurchaseOrderEventKind = Literal[
    "claimed",
    "placed",
    "outcome_unknown",
    "refused",
    "acknowledged",
    "cancellation_asked",
    "cancellation_refused",
    "cancelled_at_supplier",
]


class _Event(Fact):
    """`at` is the time it was recorded, in UTC, to the second."""

    at: datetime


class OrderEvent(_Event):
    """Something happened to the order as a whole."""

    kind: OrderEventKind


class HoldEvent(_Event):
    """A hold was added or released."""

    kind: Literal["held", "hold_released"]
    reason: HoldReason


class TaskEvent(_Event):
    """A person is needed, or has dealt with it; `about` as in `Task`, `by` is who closed the task."""

    kind: Literal["task_opened", "task_closed"]
    task: TaskKind
    about: str = ""
    by: str = ""


class PurchaseOrderEvent(_Event):
    """Something happened to a purchase order."""

    kind: PurchaseOrderEventKind
    purchase_order: str


class ParcelEvent(_Event):
    """A parcel was shipped, or the marketplace was told about it."""

    kind: Literal["shipped", "written_back"]
    carrier: str
    number: str


class ParcelMoved(_Event):
    """Scans brought a parcel to another status."""

    kind: Literal["parcel_moved"]
    carrier: str
    number: str
    status: ParcelStatus


class CaseEnded(_Event):
    """An after-sales case of the order ended."""

    kind: Literal["case_ended"]
    case: str
    outcome: RemedyOutcome


Event = Annotated[
    OrderEvent | HoldEvent | TaskEvent | PurchaseOrderEvent | ParcelEvent | ParcelMoved | CaseEnded,
    Field(discriminator="kind"),
]
