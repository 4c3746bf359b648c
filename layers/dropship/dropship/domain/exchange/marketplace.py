"""What a marketplace tells us, in the domain's terms: orders, refunds, returns."""

import hashlib
from typing import Literal

from pydantic import Field

from dropship.domain.fact import ExternalId, Fact, Instant
from dropship.domain.identity import OrderKey
from dropship.domain.money import Money
from dropship.domain.quantities import Units


def _can_be_seen(text: str) -> bool:
    """Whether the text has a visible character; blanks and characters without width do not count."""
    return any(sign.isprintable() and not sign.isspace() for sign in text)


class Recipient(Fact):
    """Where the parcel goes. Personal data: stored separately, never logged, erasable. Empty text: not given.

    An order is put on hold without `name`, `address1`, `city` or `country_code` (two letters, ISO 3166). Set `CN` if a
    marketplace in China does not name the country. A Chinese address has its district (区) in front of the street, in
    `address1`.
    """

    name: str = ""
    company: str = ""
    phone: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    province: str = ""
    postal_code: str = ""
    country_code: str = ""

    @property
    def missing(self) -> list[str]:
        """Names of the fields that a shipping label needs and that are empty."""
        needed = ("name", "address1", "city", "country_code")
        return [field for field in needed if not _can_be_seen(getattr(self, field))]

    @property
    def digest(self) -> str:
        """A digest that tells whether two addresses differ, and reveals nothing about them."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class MarketplaceLine(Fact):
    """One line as the marketplace sold it.

    `fulfillable` counts the units that still have to be sent; refunds and edits lower it, but not `quantity`. The price
    is only for people to read; None if it is not known.
    """

    id: ExternalId
    sku: str
    title: str
    quantity: Units
    fulfillable: Units
    unit_price: Money | None = None
    requires_shipping: bool = True

    @property
    def units_to_ship(self) -> int:
        """Units that a supplier has to send: 0 if the line needs no shipping (gift cards, services)."""
        return self.fulfillable if self.requires_shipping else 0


class RefundedUnits(Fact):
    """Units of one line that a refund or return is about."""

    line: ExternalId
    quantity: Units


class MarketplaceOrder(Fact):
    """A marketplace order as of `updated_at`, which is its version: a later one replaces an earlier one.

    `paid` means that the goods may be sent. Once an order is `off`, neither `paid` nor what is `fulfillable` matters.
    `placed_at` and `total` are only for people to read; None if they are not known.
    """

    shop: str
    external_id: ExternalId
    number: str
    updated_at: Instant
    placed_at: Instant | None = None
    paid: bool
    refunded: bool = Field(default=False, description="all of the money is back with the buyer, or was never taken")
    cancelled_at: Instant | None = None
    total: Money | None = None
    lines: tuple[MarketplaceLine, ...]
    refunds: tuple[ExternalId, ...] = Field(default=(), description="refunds that `fulfillable` already reflects")
    chosen_shipping: str = Field(default="", description="the shipping method the buyer chose, as shown to them")

    @property
    def key(self) -> OrderKey:
        """The order's key."""
        return OrderKey(self.shop, self.external_id)

    @property
    def off(self) -> bool:
        """Whether the order is called off: what has not been sent must not be sent."""
        return self.refunded or self.cancelled_at is not None


class OrderChanged(Fact):
    """The marketplace order was created, paid, edited or cancelled; the event has the whole order.

    `likely_new`: an event of this kind is usually the first one about its order.
    """

    order: MarketplaceOrder
    likely_new: bool = False
    recipient: Recipient | None = None


AfterSalesKind = Literal["refund", "return"]


def case_id(kind: AfterSalesKind, external_id: str) -> str:
    """The id, within its shop, of the case that a refund or return opens."""
    return f"{kind}-{external_id}"


class AfterSalesRequested(Fact):
    """A refund was made, or a return was asked for.

    `id` names the refund or return within its shop. `amount` is what was refunded; None if nothing was refunded yet, or
    the amount is not known. For a refund, an amount means that the money has moved. `requested_at` is only for people.
    """

    kind: AfterSalesKind
    id: ExternalId
    shop: str
    order: ExternalId
    requested_at: Instant | None = None
    units: tuple[RefundedUnits, ...] = ()
    amount: Money | None = None
    reason: str = ""

    @property
    def order_key(self) -> OrderKey:
        """The order it is about."""
        return OrderKey(self.shop, self.order)


class OrderHint(Fact):
    """Something happened to an order, but we know only its id at the marketplace: it has to be read there.

    `deleted`: the order was deleted, so it may no longer be there.
    """

    order: ExternalId
    deleted: bool = False


MarketplaceEvent = OrderChanged | AfterSalesRequested | OrderHint


class ChangedOrders(Fact):
    """A page of orders that changed; `next_cursor` names the next page and is empty on the last one."""

    events: tuple[MarketplaceEvent, ...]
    next_cursor: str = ""
