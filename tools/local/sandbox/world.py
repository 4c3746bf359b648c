"""All partners of one stack, made when they are first spoken to, and what they share."""

import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tools.local.sandbox.exchange import Dropped, Reply, Request
from tools.local.sandbox.faults import Faults
from tools.local.sandbox.kuaidi100 import Kuaidi100
from tools.local.sandbox.records import Records, now_text
from tools.local.sandbox.sender import Delivery, Message, Sender
from tools.local.sandbox.settings import Settings
from tools.local.sandbox.shopify import Shop
from tools.local.sandbox.signatures import shopify
from tools.local.sandbox.supplier import Supplier

API_VERSION = "2026-10"
_ADDRESS = re.compile(r"/(?:(?P<kind>shopify|suppliers)/(?P<id>[a-z0-9-]{1,32})|kuaidi100)(?P<rest>/.*)")


class Partner(Protocol):
    """What the server asks of a partner."""

    @property
    def name(self) -> str:
        """As in records and faults."""

    def operation(self, request: Request) -> str:
        """What the request is for."""

    def answer(self, request: Request, operation: str) -> Reply:
        """What the partner answers when it is well."""

    def throttled(self, retry_after: int) -> Reply:
        """How the partner says that it is asked too often."""


@dataclass
class ShopEvent:
    """A webhook that a shop's shopper or clerk causes. Copies share `webhook_id`, as Shopify's repeats do.

    `domain` is the shop's name at Shopify, by default `{shop}.myshopify.com`. Where `deliver` is false, only the
    shop knows of it.
    """

    payload: dict[str, Any]
    topic: str = "orders/paid"
    domain: str = ""
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    triggered_at: str = field(default_factory=now_text)
    deliver: bool = True
    repeat: int = 1
    parallel: bool = False
    reorder: bool = False


class World:
    """The partners, their faults and the records."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(directory)
        self.records = Records()
        self.faults = Faults()
        self.sender = Sender(self.records)
        self.kuaidi100 = Kuaidi100(self.settings, self.sender)
        self._shops: dict[str, Shop] = {}
        self._suppliers: dict[str, Supplier] = {}
        self._lock = threading.Lock()

    def shop(self, shop: str) -> Shop:
        """The shop of that id."""
        with self._lock:
            return self._shops.setdefault(shop, Shop(shop, self.settings))

    def supplier(self, supplier: str) -> Supplier:
        """The supplier of that id."""
        with self._lock:
            return self._suppliers.setdefault(supplier, Supplier(supplier, self.settings, self.sender))

    def answer(self, request: Request) -> Reply:
        """What the partner at the request's address answers, well or under a fault; recorded.

        Raises:
            Dropped: there is no answer.
        """
        partner, inner = self._partner(request)
        if partner is None:
            return Reply.of(
                {"error": f"nobody lives at {request.path}; see `python -m tools.local.sandbox --help`"}, 404
            )
        operation = partner.operation(inner)
        record = self.records.add("received", partner.name, operation, request)
        fault = self.faults.pop(partner.name, operation, request)
        record.fault = fault.mode if fault else None
        try:
            reply = (
                fault.strike(lambda: partner.answer(inner, operation), partner.throttled)
                if fault
                else partner.answer(inner, operation)
            )
        except Dropped:
            record.status = 0
            raise
        record.status = reply.status
        return reply

    def shop_event(self, shop: str, event: ShopEvent) -> list[int]:
        """Let the shop know of the event and send its webhook; the statuses of our answers."""
        url = self.settings.webhook_url("shopify", shop)
        body = json.dumps(event.payload, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": event.topic,
            "X-Shopify-Shop-Domain": event.domain or f"{shop}.myshopify.com",
            "X-Shopify-Hmac-Sha256": shopify(self.settings.webhook_secret("shopify", shop), body),
            "X-Shopify-Webhook-Id": event.webhook_id,
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": event.triggered_at,
            "X-Shopify-API-Version": API_VERSION,
        }
        self.shop(shop).learn(event.topic, event.payload)
        if not event.deliver:
            return []
        message = Message(f"shopify:{shop}", event.topic, url, body, lambda: headers)
        return self.sender.send(message, Delivery(event.repeat, event.parallel, event.reorder))

    def _partner(self, request: Request) -> tuple[Partner | None, Request]:
        """Who lives at the request's address, and the request as seen from its own base address."""
        found = _ADDRESS.fullmatch(request.path)
        if found is None:
            return None, request
        inner = Request(request.method, found["rest"], request.query, request.headers, request.body)
        match found["kind"]:
            case "shopify":
                return self.shop(found["id"]), inner
            case "suppliers":
                return self.supplier(found["id"]), inner
        return self.kuaidi100, inner
