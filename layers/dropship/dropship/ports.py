"""What the services need from the outside world. Adapters provide it; tests provide it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # so the front door can import the ports without loading the models
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
"""How many parts the index of clocks is spread over, so that no partition is hot; each is queried separately."""
RECENT_SHARDS = 4
"""How many parts the index of recent orders of one shop and day is spread over, for the same reason."""


class Conflict(Exception):
    """Another worker changed the item in the meantime. Load it again and repeat the work."""


class Unavailable(Exception):
    """It cannot be done now. Repeat the message later, at the earliest after `retry_after` seconds."""

    def __init__(self, why: str, retry_after: float = 0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class NotFound(Exception):
    """There is nothing under that name. For a secret: the connection does not exist."""


class Loaded[Aggregate](NamedTuple):
    """An aggregate as it was read, and its version: a save needs this version to be still stored. 0: never saved."""

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

        Without `fresh` it may be a moment old, which costs half. That is safe for a change, because a save is refused
        if another version is stored. It is not safe for deciding that nothing has to change: read it with `fresh`.
        """

    def load_all(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Loaded[Order]]:
        """Many orders, possibly a moment old; those that are not found or cannot be read are left out."""

    def load_with_source(self, key: OrderKey) -> Sourced | None:
        """The order with its source and recipient, read together; the recipient is not older than the order."""

    def save(self, order: Order, version: int) -> int:
        """Write the state if `version` is still stored (0: if there is none), and return the new version.

        The attributes of the indexes due, polls, attention and recent follow from the order. After the write, the
        events since the order was read or saved (`Order.pop_unsaved_events`) go to the metrics. If a write was stored
        but its answer was lost, the SDK's repeat of it counts as done.

        Raises:
            Conflict: another version is stored.
        """

    def put_source(self, source: MarketplaceOrder, recipient: Recipient) -> None:
        """Store the normalised marketplace order and the buyer's address, even if empty, unless later are there."""

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """The normalised marketplace order; NotFound if there is none."""

    def recipient(self, key: OrderKey) -> Recipient:
        """The buyer's address; an empty one if none was given or it was erased."""

    def claim_waybill(self, waybill: Waybill, order: OrderKey) -> OrderKey:
        """Tie the waybill to the order for ever, unless it is tied already, and return the order it is tied to."""

    def order_of(self, waybill: Waybill) -> OrderKey | None:
        """The order the waybill is tied to; None if there is none."""

    def polled(self, slot: int, since: datetime | None) -> Iterable[OrderKey]:
        """Orders of one slot with followed parcels; the oldest was shipped after `since` (None: at any time)."""

    def due(self, shard: int, now: datetime) -> Iterable[OrderKey]:
        """Orders of one shard whose clock has run out, the most overdue first."""

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Orders that need a person, the most urgent first; of equal urgency, the newest first."""

    def recent(self, shop: str, day: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        """Orders of a shop received on a UTC day (`2026-11-21`), the newest first."""

    def received(self, shop: str, since: datetime, before: datetime) -> Iterable[OrderKey]:
        """Orders of a shop received from `since` on and before `before`."""


class Cases(Protocol):
    """After-sales cases, by shop and case id."""

    def load(self, shop: str, case: str) -> Loaded[Case] | None:
        """The case, strongly consistent; None if there is none."""

    def save(self, case: Case, version: int) -> int:
        """Write the case if `version` is still stored (0: if there is none), and return the new version.

        Raises:
            Conflict: another version is stored.
        """

    def due(self, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        """(shop, case id) of cases of one shard whose clock has run out."""

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Cases that need a person, in the same order."""


class Registry(Protocol):
    """Connections and offers. Each read of one connection raises NotFound if the id is unknown."""

    def shops(self) -> Sequence[str]:
        """The ids of all shops. Raises NotFound if the registry was never written."""

    def shop(self, shop: str) -> Shop:
        """A shop."""

    def supplier(self, supplier: str) -> Supplier:
        """A supplier."""

    def carrier(self, carrier: str) -> Carrier:
        """A carrier."""

    def tracker(self, tracker: str) -> Tracker:
        """A tracking service."""

    def offers(self, shop: str, skus: Iterable[str]) -> Mapping[str, Sequence[Offer]]:
        """Offers by SKU of that shop; a SKU without offers is left out."""


class Suppliers(Protocol):
    """Purchase orders at suppliers, whether they are sent by an API, a workbook or a web page.

    The reference is our purchase order id. The supplier is the registry's entry. If the outcome is not certain, the
    method returns `Busy` or `Unknown` and raises no error. These errors mean that the request at hand had no effect: it
    was not sent, or the supplier refused our key. If a method takes several requests, earlier ones may have had theirs.
    So after an error, too, the purchase order is looked up before it is placed again.

    - NotFound: there are no credentials for the supplier, or one of them is missing.
    - Unavailable: the credentials cannot be read now, or new ones cannot be kept.
    - UnknownChannel (of the connectors): there is no way to reach suppliers of that channel.
    """

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        """Place a purchase order. Its id is sent as the idempotency key, so the supplier recognises a repeat.

        - `Placed`: the supplier has it, from this call or an earlier one.
        - `Refused`: the supplier does not have it, and will not take it under this id.
        - `Busy`: the supplier does not have it; place it again later.
        - `Unknown`: the supplier may have it; call `find` before placing it again.
        """

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        """Look a purchase order up, without any effect. It finds every purchase order whose `place` call is over.

        - `Placed`: the supplier has it.
        - `Absent`: the supplier does not have it.
        - `Busy`, `Unknown`: it is not certain.
        """

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        """Ask the supplier not to ship a purchase order that was placed. To ask again does no harm.

        - `CancelAccepted`: the supplier will not ship it.
        - `CancelPending`: the supplier will answer with an event.
        - `Refused`: the supplier will ship it.
        - `Busy`: the supplier was not asked; ask again.
        - `Unknown`: the supplier may have been asked; ask again.
        """


class Queues(Protocol):
    """The queues between the functions. Sending returns once the messages are durable, or raises Unavailable."""

    def send(self, queue: str, body: str, delay_s: int = 0) -> None:
        """Send one message to the named queue (`inbox`, `supplier-events`, `tracking`, `outbound`, `after-sales`)."""

    def send_all(self, queue: str, bodies: Sequence[str]) -> None:
        """Send many messages to the named queue, in as few requests as the service allows."""


class Outbox(Protocol):
    """Takes the messages that follow from the message being handled. `Queues` does so, without waiting."""

    def send(self, queue: str, body: str) -> None:
        """Send one message, at the latest before the message being handled counts as done.

        If it cannot be sent, the message being handled fails and comes again.
        """


class Workflows(Protocol):
    """Workflow executions. Starting an execution again under the same name does nothing."""

    def start_fulfilment(self, order: OrderKey, name: str, reason: str, unrouted: Unrouted | None = None) -> None:
        """Start `order_fulfilment` for an order. With `unrouted`, it can plan without reading the order."""

    def start_case(self, shop: str, case: str) -> None:
        """Start `after_sales_case`; a case has only one execution, ever."""

    def finish(self, task_token: str, output: Mapping[str, str]) -> None:
        """Answer a waiting task; if it waits no longer, nothing happens."""


class Secrets(Protocol):
    """Secrets by name, cached for a while. Their content is never logged."""

    def get(self, name: str, *, newer_than_s: float | None = None) -> Mapping[str, object]:
        """The secret's fields; read again if the cached ones are older than `newer_than_s` seconds.

        Raises:
            NotFound: there is no secret of that name.
            Unavailable: it cannot be read now.
        """

    def put(self, name: str, fields: Mapping[str, object]) -> None:
        """Store the fields of an existing secret, for example with a renewed token.

        Raises:
            Unavailable: they cannot be stored now.
        """


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
    """HTTP requests to partners."""

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        """Send once; no retry, no redirect.

        Raises:
            NoAnswer: there was no complete answer in time, or the address is not one we may call.
        """


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
