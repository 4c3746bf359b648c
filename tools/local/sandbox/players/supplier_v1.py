"""Suppliers: they take purchase orders over the Supplier API v1 and report on them by signed webhooks."""

import base64
import hmac
import itertools
import json
import re
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote

from tools.local.sandbox.exchange import Malformed, Reply, Request
from tools.local.sandbox.players import Player, player
from tools.local.sandbox.records import now_text
from tools.local.sandbox.sender import Delivery, Message, Sender
from tools.local.sandbox.settings import Settings
from tools.local.sandbox.signatures import standard_webhook

_PATHS = {
    ("POST", r"/purchase-orders"): "place",
    ("GET", r"/purchase-orders"): "find",
    ("POST", r"/purchase-orders/([^/]+)/cancel"): "cancel",
}
EVENTS = {
    "acknowledge": ("acknowledged", "acknowledged"),
    "reject": ("rejected", "rejected"),
    "ship": ("shipped", "shipped"),
    "cancel": ("cancelled", "cancelled"),
    "refuse-cancellation": ("cancel_rejected", "acknowledged"),
}
"""What a supplier can be told to do: the event it sends and the status the purchase order gets."""


@dataclass
class Auto:
    """What a supplier does by itself: each in seconds after a purchase order came, None for never.

    With `acknowledge_in_answer` it acknowledges in its answer to placing instead of by an event.
    `cancel` says how it answers a cancellation: `accept`, `refuse`, or `pending` (an event follows when told to).
    """

    acknowledge: float | None = None
    ship: float | None = None
    carrier: str = "YTO"
    cancel: str = "accept"
    acknowledge_in_answer: bool = False

    def __post_init__(self) -> None:
        if self.cancel not in {"accept", "refuse", "pending"}:
            raise Malformed("`cancel` is accept, refuse or pending")


@dataclass
class SupplierOrder:
    """A purchase order at the supplier. `repeats` counts repeated requests with its idempotency key."""

    supplier_order_id: str
    reference: str
    idempotency_key: str
    request: dict[str, Any]
    status: str = "accepted"
    repeats: int = 0
    shipped: dict[str, int] = field(default_factory=dict)
    received_at: str = field(default_factory=now_text)

    @property
    def answer(self) -> dict[str, str]:
        """The purchase order as the API shows it."""
        return {"supplier_order_id": self.supplier_order_id, "reference": self.reference, "status": self.status}

    @property
    def remaining(self) -> list[dict[str, Any]]:
        """The lines, with the units that are not shipped yet."""
        left = [(str(line["line"]), line["quantity"]) for line in self.request.get("lines", [])]
        left = [(line, quantity - self.shipped.get(line, 0)) for line, quantity in left]
        return [{"line": line, "quantity": quantity} for line, quantity in left if quantity > 0]


@dataclass
class Emission:
    """An event to send: of the newest purchase order if `reference` is empty; of all open units if `lines` is."""

    reference: str = ""
    reason: str = ""
    carrier: str = ""
    tracking_number: str = ""
    lines: list[dict[str, Any]] | None = None
    occurred_at: str = ""
    repeat: int = 1
    parallel: bool = False
    reorder: bool = False

    @property
    def delivery(self) -> Delivery:
        """How to send it."""
        return Delivery(self.repeat, self.parallel, self.reorder)


@player("supplier-v1", address="suppliers/{id}")
class Supplier(Player):
    """One supplier with its order book. A known idempotency key gets its old purchase order; no key, a new one."""

    about = "a supplier: Supplier API v1"
    usage = f"""\
GET    /suppliers/{{id}}/orders?reference=        the supplier's order book
POST   /control/suppliers/{{id}}/{{{"|".join(EVENTS)}}}
       {{reference?, reason?, carrier?, tracking_number?, lines?, occurred_at?, repeat?, parallel?, reorder?}}
POST   /control/suppliers/{{id}}/auto         {{acknowledge?, ship?: seconds; carrier?, cancel?: accept|…}}"""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        super().__init__(connection, settings, sender)
        self.auto = Auto()
        self._orders: list[SupplierOrder] = []
        self._numbers = itertools.count(10001)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Its name in records and faults."""
        return f"supplier:{self.id}"

    def operation(self, request: Request) -> str:
        """`place`, `find` or `cancel`."""
        for (method, path), operation in _PATHS.items():
            if method == request.method and re.fullmatch(path, request.path):
                return operation
        return "unknown"

    def answer(self, request: Request, operation: str) -> Reply:
        """The API's answer."""
        wanted = self.settings.api_secrets("supplier-v1").get(self.id, {}).get("api_key")
        if wanted and not hmac.compare_digest(f"Bearer {wanted}", request.headers.get("authorization", "")):
            return _error(401, "unauthorized", "the API key is not one of ours")
        match operation:
            case "place":
                return self._place(request)
            case "find":
                return self._find(request.query.get("reference", ""))
            case "cancel":
                return self._cancel(unquote(request.path.split("/")[2]))
        return _error(404, "not_found", "there is nothing at this address")

    def throttled(self, retry_after: int) -> Reply:
        """429, as most APIs answer."""
        error = {"code": "too_many_requests", "message": "slow down"}
        return Reply.of({"error": error}, 429, Retry_After=str(retry_after))

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """`orders`: those whose reference contains `reference`, or all."""
        return {what: self.orders(query.get("reference"))} if what == "orders" else None

    def do(self, action: str, request: Request) -> object | None:
        """An event of `EVENTS`; or `auto`: set what it does by itself from now on."""
        if action == "auto":
            self.auto = request.read(Auto)
            return asdict(self.auto)
        return self.emit(action, request.read(Emission)) if action in EVENTS else None

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """A secret of Standard Webhooks and an API key."""
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return f"whsec_{key}", {"api_key": f"key_{secrets.token_hex(16)}"}

    def orders(self, reference: str | None) -> list[dict[str, Any]]:
        """The order book, oldest first; with `reference`, only those whose reference contains it."""
        with self._lock:
            return [asdict(order) for order in self._orders if (reference or "") in order.reference]

    def emit(self, action: str, wanted: Emission) -> dict[str, Any]:
        """Do what `EVENTS` names to a purchase order and send the event.

        Raises:
            Malformed: there is no such purchase order.
            NotReady: no stack runs that the event could be sent to.
        """
        event, status = EVENTS[action]
        secret = self.settings.webhook_secret("supplier-v1", self.id)
        url = self.settings.webhook_url("supplier-v1", self.id)
        with self._lock:
            order = self._newest(wanted.reference)
            if order is None:
                raise Malformed(f"{self.name} has no purchase order {wanted.reference}".rstrip())
            order.status = status
            body = self._event(event, order, wanted)
        statuses = self.sender.send(self._message(event, body, url, secret), wanted.delivery)
        return {"event": body, "statuses": statuses}

    def _place(self, request: Request) -> Reply:
        body = request.json()
        reference, lines = str(body.get("reference", "")), body.get("lines")
        if not reference or not isinstance(lines, list) or not lines:
            return _error(422, "invalid", "a purchase order needs a reference and lines")
        key = request.headers.get("idempotency-key", "")
        with self._lock:
            known = next((order for order in self._orders if key and order.idempotency_key == key), None)
            if known is not None:
                known.repeats += 1
                return Reply.of(known.answer)
            order = SupplierOrder(f"SO-{next(self._numbers)}", reference, key, body)
            order.status = "acknowledged" if self.auto.acknowledge_in_answer else order.status
            self._orders.append(order)
        self._act_by_itself(reference)
        return Reply.of(order.answer, 201)

    def _find(self, reference: str) -> Reply:
        with self._lock:
            found = [order.answer for order in self._orders if order.reference == reference]
        return Reply.of({"purchase_orders": found})

    def _cancel(self, reference: str) -> Reply:
        with self._lock:
            order = self._newest(reference)
            if order is None:
                return _error(404, "not_found", "no purchase order has this reference")
            if order.status != "cancelled":
                if order.shipped or order.status == "rejected" or self.auto.cancel == "refuse":
                    return _error(409, "too_late", "it can no longer be cancelled")
                order.status = "cancelled" if self.auto.cancel == "accept" else "cancel_requested"
            return Reply.of(order.answer, 200 if order.status == "cancelled" else 202)

    def _newest(self, reference: str) -> SupplierOrder | None:
        fitting = [order for order in self._orders if reference in {"", order.reference}]
        return fitting[-1] if fitting else None

    def _event(self, event: str, order: SupplierOrder, wanted: Emission) -> dict[str, Any]:
        data: dict[str, Any] = {"reference": order.reference, "supplier_order_id": order.supplier_order_id}
        if wanted.reason:
            data["reason"] = wanted.reason
        if event == "shipped":
            data["shipment"] = self._shipment(order, wanted)
        data["occurred_at"] = wanted.occurred_at or now_text()
        return {"type": f"purchase_order.{event}", "timestamp": now_text(), "data": data}

    def _shipment(self, order: SupplierOrder, wanted: Emission) -> dict[str, Any]:
        lines = order.remaining if wanted.lines is None else wanted.lines
        for line in lines:
            name = str(line["line"])
            order.shipped[name] = order.shipped.get(name, 0) + line["quantity"]
        return {
            "carrier": wanted.carrier or self.auto.carrier,
            "tracking_number": wanted.tracking_number or f"YT{uuid.uuid4().int % 10**13:013}",
            "lines": lines,
        }

    def _message(self, event: str, body: Mapping[str, Any], url: str, secret: str) -> Message:
        raw = json.dumps(body, ensure_ascii=False).encode()
        message_id = f"msg_{uuid.uuid4().hex}"

        def sign() -> dict[str, str]:
            now = int(time.time())
            return {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(now),
                "webhook-signature": standard_webhook(secret, message_id, now, raw),
            }

        return Message(self.name, event, url, raw, sign)

    def _act_by_itself(self, reference: str) -> None:
        for action, seconds in (("acknowledge", self.auto.acknowledge), ("ship", self.auto.ship)):
            if seconds is not None:
                timer = threading.Timer(seconds, self.emit, (action, Emission(reference)))
                timer.daemon = True
                timer.start()


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.of({"error": {"code": code, "message": message}}, status)
