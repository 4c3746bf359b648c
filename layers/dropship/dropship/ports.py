"""What the services need of the outside world. Adapters provide it; tests provide it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # the front door knows the ports without paying for the models
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dropship.domain.attention import AttentionPage, AttentionQuery
    from dropship.domain.exchange.marketplace import MarketplaceOrder, Recipient
    from dropship.domain.exchange.suppliers import CancelResult, FindResult, PlaceResult, PurchaseOrderRequest
    from dropship.domain.identity import OrderKey, Waybill
    from dropship.domain.orders.order import Order
    from dropship.domain.orders.unrouted import Unrouted
    from dropship.domain.registry.connections import Carrier, Shop, Supplier, Tracker
    from dropship.domain.registry.offers import Offer
    from dropship.domain.remedies.case import Case


SHARDS = 8
"""Parts that the index of clocks is spread over, so that no partition of it is hot; asked for one by one."""
RECENT_SHARDS = 4
"""Parts that the index of recent orders of one shop and day is spread over, for the same reason."""


class Conflict(Exception):
    """Somebody else changed the item in the meantime. Load it again and repeat the work."""


class Unavailable(Exception):
    """It cannot be done now. Repeat the message later, at the earliest after `retry_after` seconds."""

    def __init__(self, why: str, retry_after: float = 0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class NotFound(Exception):
    """There is nothing under that name. For a secret: the connection does not exist."""


class Loaded[Aggregate](NamedTuple):
    """An aggregate as it was read, with the storage version that a save must still find. 0: never saved."""

    value: Aggregate
    version: int


class Sourced(NamedTuple):
    """An order together with what was bought and where it goes. Holds personal data: never log it."""

    order: Loaded[Order]
    source: MarketplaceOrder
    recipient: Recipient


class Orders(Protocol):
    """Orders and waybills. Every save is one conditional write on the version."""

    def load(self, key: OrderKey, *, fresh: bool = False) -> Loaded[Order] | None:
        """The order's state; None if there is none.

        Unless `fresh` it may be a moment old, which costs half. A save on what is not the latest version is refused;
        whoever concludes without a save that there is nothing to do has to look at it fresh.
        """

    def load_all(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Loaded[Order]]:
        """Many orders as they were a moment ago, without those that are not seen or cannot be read."""

    def load_with_source(self, key: OrderKey) -> Sourced | None:
        """The order with its source and recipient, read at once, the recipient as fresh as the order."""

    def save(self, order: Order, version: int) -> int:
        """Write the state if `version` is still stored (0: if there is none); the new version.

        The due, polls, attention and recent index attributes follow from the order. What has happened to it since it
        was read or saved (`Order.pop_unsaved_events`) is given to whoever counts, once it is stored. A write that
        committed but whose answer was lost counts as done when it is repeated by the SDK.

        Raises:
            Conflict: another version is stored.
        """

    def put_source(self, source: MarketplaceOrder, recipient: Recipient) -> None:
        """Keep the normalised marketplace order and the buyer's address, empty or not, unless later ones are there."""

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """The normalised marketplace order; NotFound if there is none."""

    def recipient(self, key: OrderKey) -> Recipient:
        """The buyer's address; an empty one if none was given or it was erased."""

    def claim_waybill(self, waybill: Waybill, order: OrderKey) -> OrderKey:
        """Tie the waybill to the order, for ever, unless it is tied already; the order it is tied to."""

    def order_of(self, waybill: Waybill) -> OrderKey | None:
        """The order the waybill is tied to."""

    def polled(self, slot: int, since: datetime | None) -> Iterable[OrderKey]:
        """Orders of one slot with a parcel that is followed, the oldest of them shipped after `since`."""

    def due(self, shard: int, now: datetime) -> Iterable[OrderKey]:
        """Orders of one shard whose clock has run out, the most overdue first."""

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Orders that need a person, the most urgent first, and the newest first of those equally urgent."""

    def recent(self, shop: str, day: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        """Orders of a shop received on a UTC day (`2026-11-21`), the newest first."""

    def received(self, shop: str, since: datetime, before: datetime) -> Iterable[OrderKey]:
        """Orders of a shop received from `since` on and before `before`."""


class Cases(Protocol):
    """After-sales cases, by shop and case id."""

    def load(self, shop: str, case: str) -> Loaded[Case] | None:
        """The case, strongly consistent; None if there is none."""

    def save(self, case: Case, version: int) -> int:
        """Write the case if `version` is still stored (0: if there is none); the new version. Raises Conflict."""

    def due(self, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        """(shop, case id) of cases of one shard whose clock has run out."""

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Cases that need a person, in the same order."""


class Registry(Protocol):
    """Connections as data. Each read raises NotFound where the id is unknown."""

    def shops(self) -> Sequence[str]:
        """The ids of all shops. NotFound where the registry was never written."""

    def shop(self, shop: str) -> Shop:
        """A shop."""

    def supplier(self, supplier: str) -> Supplier:
        """A supplier."""

    def carrier(self, carrier: str) -> Carrier:
        """A carrier."""

    def tracker(self, tracker: str) -> Tracker:
        """A tracking service."""

    def offers(self, shop: str, skus: Iterable[str]) -> Mapping[str, Sequence[Offer]]:
        """Offers by SKU of that shop; a SKU that nobody offers is absent."""


class Suppliers(Protocol):
    """Suppliers as those see them who order there, whether an API, a workbook or a page is behind it.

    Our purchase order id is the reference. The supplier is the registry's entry. An outcome that is not certain is an
    answer (`Busy`, `Unknown`), never an error. Each method raises, before the supplier was asked anything:

    - NotFound: there are no credentials for the supplier, or one of them is missing.
    - Unavailable: the credentials cannot be read now.
    - UnknownChannel (of the connectors): there is no way to reach suppliers of that channel.
    """

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        """Place a purchase order. Its id goes along as the key by which the supplier knows a repeat.

        `Placed`: the supplier has it, by now or since an earlier call. `Refused`: it does not have it and will not,
        under this id. `Busy`: it does not have it; place it again later. `Unknown`: it may have it; find it first.
        """

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        """Look a purchase order up, without any effect; it sees what was placed before, once that call is over.

        `Placed`: the supplier has it. `Absent`: it does not have it. `Busy`, `Unknown`: neither is certain.
        """

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        """Ask the supplier not to ship a purchase order that was placed; asking again is harmless.

        `CancelAccepted`: it will not ship it. `CancelPending`: it will say so by an event. `Refused`: it ships it.
        `Busy`: it was not asked. `Unknown`: it may have been; ask again.
        """


class Queues(Protocol):
    """The queues between the functions. `send` returns when the message is durable; Unavailable otherwise."""

    def send(self, queue: str, body: str, delay_s: int = 0) -> None:
        """Send one message to the named queue (`inbox`, `supplier-events`, `tracking`, `outbound`, `after-sales`)."""

    def send_all(self, queue: str, bodies: Sequence[str]) -> None:
        """Send many, in as few requests as the service allows."""


class Outbox(Protocol):
    """Takes the messages that follow from the message being handled. `Queues` does so, without waiting."""

    def send(self, queue: str, body: str) -> None:
        """Send one message, at the latest before the message being handled counts as done.

        If it cannot be sent, the message being handled fails and comes again.
        """


class Workflows(Protocol):
    """Workflow executions. Starting one that was started under the same name is done already."""

    def start_fulfilment(self, order: OrderKey, name: str, reason: str, unrouted: Unrouted | None = None) -> None:
        """Start `order_fulfilment` for an order. With `unrouted` its plan can be made without reading the order."""

    def start_case(self, shop: str, case: str) -> None:
        """Start `after_sales_case`; one execution per case, ever."""

    def finish(self, task_token: str, output: Mapping[str, str]) -> None:
        """Answer a waiting task; one that no longer waits counts as answered."""


class Secrets(Protocol):
    """Secrets by name, cached for a while. Nothing of them is ever logged."""

    def get(self, name: str, *, newer_than_s: float | None = None) -> Mapping[str, object]:
        """The secret's fields; read anew if the cached one is older than `newer_than_s` seconds.

        Raises:
            NotFound: there is no secret of that name.
            Unavailable: it cannot be read now.
        """

    def put(self, name: str, fields: Mapping[str, object]) -> None:
        """Keep new fields of a secret that is there, such as a renewed token. Unavailable where they cannot be kept."""


class HttpRequest(NamedTuple):
    """A request to a partner. `path` comes after the connection's base URL."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class HttpResponse(NamedTuple):
    """A partner's answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The connection failed. `sent` tells whether the request may have reached the partner."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Http(Protocol):
    """The way out to partners."""

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        """Send once; no retry, no redirect.

        Raises:
            NoAnswer: there was no complete answer in time, or the address is not one we may call.
        """


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
