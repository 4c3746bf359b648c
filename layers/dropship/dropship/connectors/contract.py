"""What a connector has to be able to do. Every connector runs the same contract test from recorded payloads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:  # the front door verifies signatures without paying for the models
    from dropship.domain.exchange.marketplace import MarketplaceEvent
    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.suppliers import (
        CancelResult,
        FindResult,
        PlaceResult,
        PurchaseOrderRequest,
        SupplierEvent,
    )
    from dropship.domain.exchange.tracking import TrackingReport
    from dropship.domain.exchange.writeback import FulfilmentState, ParcelShipped, WritebackResult
    from dropship.domain.registry.connections import Shop, Supplier
    from dropship.ports import HttpRequest, HttpResponse

Credentials = Mapping[str, object]
Role = Literal["marketplace", "supplier", "tracker"]


class UnknownChannel(Exception):
    """There is no connector of that name."""


class BadSignature(Exception):
    """The request is not signed with any of the connection's secrets: answer 401, keep nothing."""


class RawRequest(NamedTuple):
    """A request as it came: header names in lower case, the body's exact bytes."""

    headers: Mapping[str, str]
    body: bytes


class Connector(Protocol):
    """What every connector has: the way its partner signs, and what it wants for an answer."""

    role: Role
    kept_headers: tuple[str, ...]
    """Headers (lower case) that `read_event` needs and that travel with the body; never a signature."""
    accepted: bytes
    """The body of our 200 answer, as the partner expects it; JSON."""

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """Check the signature over the raw bytes against each secret (current, previous).

        Raises:
            BadSignature: for whatever is wrong or malformed with it.
        """


class MarketplaceConnector(Connector, Protocol):
    """A marketplace: sends orders and refunds, is told of parcels."""

    def read_event(self, request: RawRequest, shop: "Shop") -> "MarketplaceEvent | None":
        """The event in our words; None where the topic is not for us. InvalidMessage where it makes no sense."""

    def ask_fulfilment(self, order: str, credentials: Credentials) -> "HttpRequest":
        """Ask what is still to be sent of an order and which tracking numbers are known."""

    def read_fulfilment(self, response: "HttpResponse") -> "FulfilmentState | Refused | Busy | Unknown":
        """The answer to `ask_fulfilment`."""

    def writeback(
        self,
        parcel: "ParcelShipped",
        state: "FulfilmentState",
        *,
        notify_buyer: bool,
        credentials: Credentials,
    ) -> "HttpRequest":
        """Tell of a parcel. InvalidMessage where none of its units is open in `state`."""

    def read_writeback(self, response: "HttpResponse") -> "WritebackResult":
        """The answer to `writeback`."""


@runtime_checkable
class PurchaseOrderApi(Protocol):
    """A supplier's API for purchase orders. Our purchase order id is reference and idempotency key."""

    def place(self, request: "PurchaseOrderRequest", credentials: Credentials) -> "HttpRequest":
        """Place a purchase order."""

    def read_place(self, response: "HttpResponse") -> "PlaceResult":
        """The answer to `place`."""

    def find(self, reference: str, credentials: Credentials) -> "HttpRequest":
        """Look a purchase order up by our reference."""

    def read_find(self, response: "HttpResponse") -> "FindResult":
        """The answer to `find`."""

    def cancel(self, reference: str, credentials: Credentials) -> "HttpRequest":
        """Ask to cancel a purchase order."""

    def read_cancel(self, response: "HttpResponse") -> "CancelResult":
        """The answer to `cancel`."""


class SupplierConnector(Connector, PurchaseOrderApi, Protocol):
    """A supplier: gets purchase orders, tells how they go."""

    def read_event(self, request: RawRequest, supplier: "Supplier") -> "SupplierEvent | None":
        """The event in our words; None where the type is not for us. InvalidMessage where it makes no sense."""


class TrackerConnector(Connector, Protocol):
    """A tracking service: asked for a parcel's scans, or pushes them. `code` is its own code for the carrier.

    `phone` is the last four digits of the buyer's phone for a carrier that `needs_phone`, and empty for all others,
    or where the buyer gave none.
    """

    def needs_phone(self, code: str) -> bool:
        """Whether the carrier shows a parcel's scans only to those who know its recipient's phone."""

    def subscribe(
        self, code: str, number: str, phone: str, callback_url: str, credentials: Credentials
    ) -> "HttpRequest":
        """Ask for pushes about a parcel."""

    def read_subscribe(self, response: "HttpResponse") -> "Refused | Busy | Unknown | None":
        """The answer to `subscribe`; None where it is, or was already, subscribed."""

    def query(self, code: str, number: str, phone: str, credentials: Credentials) -> "HttpRequest":
        """Ask for a parcel's scans."""

    def read_query(self, response: "HttpResponse") -> "TrackingReport | Absent | Refused | Busy | Unknown":
        """The answer to `query`."""

    def read_push(self, request: RawRequest) -> "TrackingReport | None":
        """A pushed report; None where there is no news in it. InvalidMessage where it makes no sense."""
