"""What suppliers and carriers are told and tell us, in our words."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .identity import CONNECTION_ID, EXTERNAL_ID
from .marketplace import Recipient
from .money import Money
from .stored import Stored

Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
ConnectionId = Annotated[str, Field(pattern=rf"^{CONNECTION_ID.pattern}$")]
WaybillNumber = Annotated[str, Field(pattern=rf"^{EXTERNAL_ID.pattern}$")]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Stored(_Fact, Stored):
    """A fact that an order keeps."""


class PurchaseLine(_Stored):
    """Units of one order line that one supplier ships, at the agreed cost per unit."""

    line: str
    supplier_sku: str
    quantity: Quantity
    unit_cost: Money


class PurchaseOrderRequest(_Fact):
    """Everything a supplier needs to ship one purchase order. Holds personal data: never log it."""

    id: str
    order_number: str
    lines: tuple[PurchaseLine, ...]
    recipient: Recipient
    shipping_method: str = ""
    packing_note: str = ""
    ship_by: datetime | None = None


class Placed(_Fact):
    """The supplier has a purchase order of ours, by our id, under its own number `supplier_reference`."""

    purchase_order: str
    supplier_reference: str
    acknowledged: bool = Field(default=False, description="it has looked at it, and will ship it")


class Refused(_Fact):
    """The partner said no, provably without effect; `words` are its own, for a person to read."""

    words: str


class Busy(_Fact):
    """Nothing happened; ask again, after `retry_after` seconds if the partner said so.

    `why` says, in our words, what a person has to mend first, such as a key that is not taken; empty where nothing.
    """

    retry_after: int | None = None
    why: str = ""


class Unknown(_Fact):
    """Nobody can tell whether it happened: no answer, a server error, or an answer that makes no sense."""

    why: str


class Absent(_Fact):
    """The partner has nothing under our reference."""


class CancelAccepted(_Fact):
    """The supplier will not ship it."""


class CancelPending(_Fact):
    """The supplier will answer the cancellation by an event."""


PlaceResult = Placed | Refused | Busy | Unknown
FindResult = Placed | Absent | Busy | Unknown
CancelResult = CancelAccepted | CancelPending | Refused | Busy | Unknown


class ShippedLine(_Stored):
    """Units of one order line in a parcel."""

    line: str
    quantity: Quantity


def units_by_line(lines: Iterable[ShippedLine]) -> dict[str, int]:
    """Units by order line; a line may be named more than once."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.line] = units.get(line.line, 0) + line.quantity
    return units


class Shipment(_Fact):
    """A parcel as the supplier reports it; no lines means all that is left of the purchase order."""

    carrier: ConnectionId
    number: WaybillNumber
    lines: tuple[ShippedLine, ...] = ()


class SupplierEvent(_Fact):
    """A supplier tells us of one of our purchase orders."""

    kind: Literal["acknowledged", "rejected", "shipped", "cancelled", "cancel_rejected"]
    purchase_order: str
    occurred_at: datetime
    supplier_reference: str = ""
    reason: str = ""
    shipment: Shipment | None = None


class TrackingStage(StrEnum):
    """Where a parcel is, in words that hold for every carrier; in order of progress."""

    INFO_RECEIVED = "INFO_RECEIVED"
    PICKED_UP = "PICKED_UP"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    AVAILABLE_FOR_PICKUP = "AVAILABLE_FOR_PICKUP"
    FAILED_ATTEMPT = "FAILED_ATTEMPT"
    EXCEPTION = "EXCEPTION"
    EXPIRED = "EXPIRED"
    DELIVERED = "DELIVERED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"


class TrackingEvent(_Fact):
    """One scan. `stage` is None for a code nobody knows; `code` is the carrier's own, `raw_time` its own text."""

    at: datetime
    raw_time: str
    stage: TrackingStage | None
    code: str


class TrackingReport(_Fact):
    """What a carrier says of one parcel: all scans it knows, in any order.

    `carrier` is the tracker's own code for the carrier (快递100: `yuantong`).
    """

    carrier: str
    number: str
    events: tuple[TrackingEvent, ...]


class ParcelShipped(_Fact):
    """What the marketplace is told about one parcel."""

    order: str
    carrier_name: str
    number: str
    lines: tuple[ShippedLine, ...]


class FulfilmentGroup(_Fact):
    """Units the marketplace still waits for, under its own ids; one fulfilment may not cross groups."""

    id: str
    lines: tuple[tuple[str, str, int], ...] = Field(description="(their line id, our order line, units left)")


class FulfilmentState(_Fact):
    """What the marketplace knows of an order's shipping: open units and tracking numbers already told."""

    groups: tuple[FulfilmentGroup, ...]
    told: dict[str, str] = Field(default_factory=dict, description="tracking number -> fulfilment id")


class WrittenBack(_Fact):
    """The marketplace knows the parcel; `fulfilment` is its id there."""

    fulfilment: str


WritebackResult = WrittenBack | Refused | Busy | Unknown
