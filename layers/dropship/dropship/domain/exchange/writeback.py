"""What a marketplace is told about a parcel (发货回传), and what it answers."""

from pydantic import Field

from dropship.domain.fact import Fact

from .outcomes import Busy, Refused, Unknown
from .suppliers import ShippedLine


class ParcelShipped(Fact):
    """What the marketplace is told about one parcel.

    `is_last`: after it, nothing of the order is left to ship. `notify_buyer`: the marketplace should mail the buyer.
    """

    order: str
    carrier_name: str
    number: str
    lines: tuple[ShippedLine, ...]
    is_last: bool = False
    notify_buyer: bool = True


class FulfilmentGroup(Fact):
    """Units that the marketplace still waits for, with its own ids. A fulfilment's units are named group by group."""

    id: str
    lines: tuple[tuple[str, str, int], ...] = Field(description="(their line id, our order line, units left)")


class FulfilmentState(Fact):
    """What the marketplace knows of an order's shipping: open units and tracking numbers already told.

    `status` is the marketplace's own status of the order, if its connector needs it; else empty.
    """

    groups: tuple[FulfilmentGroup, ...]
    told: dict[str, str] = Field(default_factory=dict, description="tracking number -> fulfilment id")
    status: str = ""


class WrittenBack(Fact):
    """The marketplace knows the parcel; `fulfilment` is its id there."""

    fulfilment: str


WritebackResult = WrittenBack | Refused | Busy | Unknown
