"""微信小店, as far as tests need it: it tests our address by a challenge, and its signature is in the query."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dropship.connectors import connector, models, signatures
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import read_json
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.connectors.contract import RawRequest


@connector("wechat-shop")
class WechatShop:
    """Webhook secret: the token of the push settings. Only messages that are not encrypted are read."""

    kept_headers: tuple[str, ...] = ()
    kept_query: tuple[str, ...] = ("encrypt_type",)
    accepted: bytes = b"success"

    def greet(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> bytes | None:
        """A signed GET wants its `echostr` back."""
        if request.method != "GET":
            return None
        self.verify(request, secrets, now)
        return request.query.get("echostr", "").encode()

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """SHA1 over token, time and nonce, sorted."""
        parts = [request.query.get(name, "") for name in ("timestamp", "nonce")]
        expected = [
            hashlib.sha1("".join(sorted([secret, *parts])).encode("utf-8", "surrogatepass")).hexdigest()
            for secret in secrets
            if secret
        ]
        if not all(parts) or not signatures.matches(request.query.get("signature", ""), expected):
            raise BadSignature("the signature in the query fits none of the tokens")

    def read_events(self, request: RawRequest, shop: models.Shop) -> Sequence[models.MarketplaceEvent]:
        """A push only names the order; the order has to be read there."""
        if request.query.get("encrypt_type", "raw") != "raw":
            raise InvalidMessage("an encrypted message, which this connector does not read")
        message = read_json(request.body)
        if not message.text("Event").startswith("channels_ec_order_"):
            return []
        return [models.OrderHint(order=message.child("order_info").id("order_id"))]
