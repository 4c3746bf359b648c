"""Corner Shop: a marketplace that pushes its orders. What it signs and sends is in its developer pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropship.connectors import connector, models, signatures
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import Fields, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.connectors.contract import RawRequest


@connector("corner-shop")
class CornerShop:
    """Webhook secret: the one in the shop's settings."""

    kept_headers: tuple[str, ...] = ("x-corner-event",)
    accepted: bytes = b'{"ok":true}'

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """See `Receives.verify`."""
        expected = [signatures.hmac_sha256_base64(secret, request.body) for secret in secrets if secret]
        if not signatures.matches(request.headers.get("x-corner-signature", ""), expected):
            raise BadSignature("x-corner-signature fits none of the secrets")

    def read_events(self, request: RawRequest, shop: models.Shop) -> Sequence[models.MarketplaceEvent]:
        """See `ReceivesOrders.read_events`."""
        if request.headers.get("x-corner-event") != "order":
            return []
        order = read_json(request.body)
        return [models.OrderChanged(order=_order(order, shop), recipient=_recipient(order.child("ship_to")))]


def _order(order: Fields, shop: models.Shop) -> models.MarketplaceOrder:
    state = order.text("state")
    if state not in {"unpaid", "paid", "cancelled"}:
        raise order.invalid("state", "is not a state that we know")
    return models.MarketplaceOrder(
        shop=shop.id,
        external_id=order.id("id"),
        number=order.text("number"),
        updated_at=order.time("changed_at"),
        paid=state == "paid",
        cancelled_at=order.time("changed_at") if state == "cancelled" else None,
        total=order.amount_or_none("total", order.text("currency")),
        lines=tuple(_line(line) for line in order.rows("lines")),
    )


def _line(line: Fields) -> models.MarketplaceLine:
    units = line.count("units")
    return models.MarketplaceLine(
        id=line.id("id"), sku=line.text("sku"), title=line.text("title"), quantity=units, fulfillable=units
    )


def _recipient(address: Fields) -> models.Recipient:
    names = ("name", "phone", "address1", "city", "postal_code", "country_code")
    return models.Recipient(**{name: address.text(name) for name in names})
