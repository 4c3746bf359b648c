"""What suppliers are asked, answer and report, in the domain's terms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from dropship.domain.fact import ConnectionId, Fact, Quantity, WaybillNumber
from dropship.domain.identity import Waybill
from dropship.domain.money import Money

from .marketplace import Recipient
from .outcomes import Absent, Busy, Refused, Unknown


class PurchaseLine(Fact):
    """Units of one order line that one supplier ships, at the agreed cost per unit."""

    line: str
    supplier_sku: str
    quantity: Quantity
    unit_cost: Money


class PurchaseOrderRequest(Fact):
    """Everything a supplier needs to ship one purchase order. Holds personal data: never log it."""

    id: str
    order_number: str
    lines: tuple[PurchaseLine, ...]
    recipient: Recipient
    shipping_method: str = ""
    packing_note: str = ""
    ship_by: datetime | None = None


class Placed(Fact):
    """The supplier has our purchase order; `supplier_reference` is its own number for it."""

    purchase_order: str
    supplier_reference: str
    acknowledged: bool = Field(default=False, description="it has looked at it, and will ship it")


class CancelAccepted(Fact):
    """The supplier will not ship the purchase order."""


class CancelPending(Fact):
    """The supplier will answer the cancellation with an event."""


PlaceResult = Placed | Refused | Busy | Unknown

FindResult = Placed | Absent | Busy | Unknown

CancelResult = CancelAccepted | CancelPending | Refused | Busy | Unknown


class ShippedLine(Fact):
    """Units of one order line in a parcel."""

    line: str
    quantity: Quantity


def units_by_line(lines: Iterable[ShippedLine]) -> dict[str, int]:
    """Units by order line; a line may be named more than once."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.line] = units.get(line.line, 0) + line.quantity
    return units


class Shipment(Fact):
    """A parcel as the supplier reports it; no lines means all remaining units of the purchase order."""

    carrier: ConnectionId
    number: WaybillNumber
    lines: tuple[ShippedLine, ...] = ()

    @property
    def waybill(self) -> Waybill:
        """The carrier and its number."""
        return Waybill(self.carrier, self.number)


class SupplierEvent(Fact):
    """A supplier tells us about one of our purchase orders. `occurred_at` is None if it does not say when."""

    kind: Literal["acknowledged", "rejected", "shipped", "cancelled", "cancel_rejected"]
    purchase_order: str
    occurred_at: datetime | None = None
    supplier_reference: str = ""
    reason: str = ""
    shipment: Shipment | None = None
