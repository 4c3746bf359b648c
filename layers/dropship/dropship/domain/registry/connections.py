"""Connections as data: shops, suppliers, carriers and trackers, as the registry keeps them."""

from typing import Annotated

from pydantic import Field

from dropship.domain.deadlines import Deadlines
from dropship.domain.fact import ConnectionId, Fact

BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=500)]
ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]


Name = Annotated[str, Field(max_length=255)]
Note = Annotated[str, Field(max_length=2000)]


class _Entry(Fact):
    id: ConnectionId


class Shop(_Entry):
    """A shop on a marketplace. Its secrets are found by `channel` and `id`."""

    channel: ChannelName
    base_url: BaseUrl
    domain: Name = Field(description="the shop's own name at the marketplace, e.g. example.myshopify.com")
    deadlines: Deadlines = Deadlines()
    notify_buyer: bool = Field(default=True, description="the marketplace mails the buyer when a parcel is told")


class Supplier(_Entry):
    """A supplier we place purchase orders with."""

    channel: ChannelName
    base_url: BaseUrl
    name: Name
    active: bool = True
    carriers: dict[str, ConnectionId] = Field(default={}, description="the supplier's carrier names -> our carrier ids")
    packing_note: Note = ""


class Tracker(_Entry):
    """A tracking service that knows many carriers.

    `codes` maps its code for a carrier (快递100: `yuantong`) to our carrier id (`yto`). `callback_url` is the address
    for its pushes; None if it should not push.
    """

    channel: ChannelName
    base_url: BaseUrl
    codes: dict[str, ConnectionId]
    callback_url: BaseUrl | None = None

    def code_of(self, carrier: str) -> str | None:
        """The tracker's code for our carrier; None if the tracker does not follow that carrier."""
        return next((code for code, ours in self.codes.items() if ours == carrier), None)


class Carrier(_Entry):
    """A carrier as the marketplace shows it to the buyer, and the tracker that follows its parcels."""

    name: Name
    tracker: ConnectionId
