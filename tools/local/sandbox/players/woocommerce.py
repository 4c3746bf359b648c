"""WooCommerce: webhooks of a shop, and the REST API v3 for its orders, their refunds and their notes."""

import base64
import hmac
import itertools
import json
import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.local.sandbox.exchange import Malformed, Reply, Request
from tools.local.sandbox.players import Player, player
from tools.local.sandbox.sender import Delivery, Message, Sender
from tools.local.sandbox.settings import Settings
from tools.local.sandbox.signatures import hmac_sha256_base64

API = "/wp-json/wc/v3/orders"
_OPERATIONS = {
    ("GET", ""): "order",
    ("PUT", ""): "status",
    ("GET", "refunds"): "refunds",
    ("GET", "notes"): "notes",
    ("POST", "notes"): "note",
}


@dataclass
class ShopOrder:
    """An order in the shop."""

    payload: dict[str, Any]
    refunds: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    """The mails to the buyer: notes for customers, and that the order is completed."""

    @property
    def number(self) -> str:
        """Its id."""
        return str(self.payload["id"])

    @property
    def shown(self) -> dict[str, Any]:
        """The order as the API and a webhook show it."""
        short = [{"id": one["id"], "refund": one["reason"], "total": f"-{one['amount']}"} for one in self.refunds]
        return self.payload | {"refunds": short}

    def touch(self) -> None:
        """Set its time of change to now."""
        self.payload["date_modified_gmt"] = _now()


@dataclass
class OrderEvent:
    """The shop gets an order, or a change of an order, and sends a webhook only once, as a real shop does.

    If `deliver` is false, the shop knows the event but sends nothing. The topic `order.deleted` deletes the order.
    """

    payload: dict[str, Any]
    topic: str = "order.created"
    deliver: bool = True
    repeat: int = 1
    parallel: bool = False
    reorder: bool = False


@dataclass
class Refund:
    """The clerk refunds units of an order (units by line id), or only money."""

    order: str
    units: dict[str, int] = field(default_factory=dict)
    amount: str = "1.00"
    reason: str = ""
    deliver: bool = True


@player("woocommerce", address="woocommerce/{id}")
class Shop(Player):
    """One shop with its orders."""

    about = "a WooCommerce shop: REST API v3"
    usage = """\
GET    /woocommerce/{shop}/orders?order=      its orders, and what was told of them
POST   /control/woocommerce/{shop}/orders     {payload, topic?, repeat?, parallel?, reorder?, deliver?}
POST   /control/woocommerce/{shop}/refunds    {order, units?: {line: count}, amount?, reason?, deliver?}
POST   /control/woocommerce/{shop}/ping       what a webhook sends that was saved"""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        super().__init__(connection, settings, sender)
        self._orders: dict[str, ShopOrder] = {}
        self._numbers = itertools.count(7001)
        self._lock = threading.Lock()

    def operation(self, request: Request) -> str:
        """`list`, `order`, `refunds`, `notes`, `status` or `note`."""
        if request.path == API:
            return "list"
        _, _, below = request.path.removeprefix(f"{API}/").partition("/")
        return _OPERATIONS.get((request.method, below), "unknown")

    def answer(self, request: Request, operation: str) -> Reply:
        """The API's answer."""
        if not self._knows(request.headers.get("authorization", "")):
            return _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        with self._lock:
            if operation == "list":
                return self._list(request.query)
            order = self._orders.get(request.path.removeprefix(f"{API}/").partition("/")[0])
            if operation == "unknown":
                return _error(404, "rest_no_route", "No route was found matching the URL and request method.")
            if order is None:
                return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
            return self._of(order, operation, request)

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """`orders` with what the shop was told about them: all, or one `order`."""
        if what != "orders":
            return None
        with self._lock:
            known = [order for order in self._orders.values() if query.get("order") in {None, order.number}]
            return {what: [order.shown | {"notes": order.notes, "mails": order.mails} for order in known]}

    def do(self, action: str, request: Request) -> object | None:
        """`orders`: a webhook of any topic; `refunds`: a refund and its webhook; `ping`: what a new webhook sends."""
        match action:
            case "orders":
                return {"statuses": self._event(request.read(OrderEvent))}
            case "refunds":
                return self._refund(request.read(Refund))
            case "ping":
                return {"statuses": self._send("ping", b"webhook_id=142", {}, Delivery())}
        return None

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """A webhook's secret, with characters that HTML escapes, and a key of the REST API."""
        key = {"consumer_key": f"ck_{secrets.token_hex(20)}", "consumer_secret": f"cs_{secrets.token_hex(20)}"}
        return f"w<oo&{secrets.token_hex(16)}'", key

    def _knows(self, authorization: str) -> bool:
        wanted = self.settings.api_secrets("woocommerce").get(self.id)
        if not wanted:
            return True
        key = base64.b64encode(f"{wanted['consumer_key']}:{wanted['consumer_secret']}".encode()).decode()
        return hmac.compare_digest(f"Basic {key}", authorization)

    def _list(self, query: Mapping[str, str]) -> Reply:
        after, size = query.get("modified_after", ""), int(query.get("per_page", "10"))
        found = [order for order in self._orders.values() if order.payload["date_modified_gmt"] > after]
        found.sort(key=lambda order: order.payload["date_modified_gmt"], reverse=query.get("order", "desc") == "desc")
        page, pages = int(query.get("page", "1")), -(-len(found) // size)
        shown = [order.shown for order in found[(page - 1) * size : page * size]]
        return Reply.of(shown, X_WP_Total=str(len(found)), X_WP_TotalPages=str(pages))

    def _of(self, order: ShopOrder, operation: str, request: Request) -> Reply:
        match operation:
            case "refunds":
                return Reply.of(order.refunds[::-1])
            case "notes":
                return Reply.of(order.notes[::-1])
            case "note":
                return self._note(order, request.json())
            case "status":
                wanted = request.json()
                if wanted.get("status", order.payload["status"]) != order.payload["status"]:
                    order.mails.append(f"your order is {wanted['status']}")
                    order.touch()
                order.payload |= wanted
        return Reply.of(order.shown)

    def _note(self, order: ShopOrder, wanted: dict[str, Any]) -> Reply:
        if not wanted.get("note"):
            return _error(400, "rest_missing_callback_param", "Missing parameter(s): note")
        note = {"id": next(self._numbers), "author": "system", "date_created_gmt": _now(), **wanted}
        order.notes.append(note)
        if wanted.get("customer_note"):
            order.mails.append(wanted["note"])
        return Reply.of(note, 201)

    def _event(self, event: OrderEvent) -> list[int]:
        with self._lock:
            number = str(event.payload.get("id", ""))
            if not number:
                raise Malformed("a WooCommerce order has an id")
            if event.topic == "order.deleted":
                self._orders.pop(number, None)
                shown: dict[str, Any] = {"id": int(number)}
            else:
                order = self._orders.setdefault(number, ShopOrder(event.payload))
                order.payload = order.payload | event.payload
                shown = order.shown
        if not event.deliver:
            return []
        return self._webhook(event.topic, shown, Delivery(event.repeat, event.parallel, event.reorder))

    def _refund(self, wanted: Refund) -> dict[str, Any]:
        with self._lock:
            order = self._orders.get(wanted.order)
            if order is None:
                raise Malformed(f"{self.name} has no order {wanted.order}")
            lines = [
                {
                    "id": next(self._numbers),
                    "quantity": -count,
                    "meta_data": [{"key": "_refunded_item_id", "value": line}],
                }
                for line, count in wanted.units.items()
            ]
            made = {"id": next(self._numbers), "date_created_gmt": _now(), "amount": wanted.amount}
            order.refunds.append(made | {"reason": wanted.reason, "line_items": lines})
            order.touch()
            shown = order.shown
        statuses = self._webhook("order.updated", shown, Delivery()) if wanted.deliver else []
        return {"refund": made["id"], "statuses": statuses}

    def _webhook(self, topic: str, shown: dict[str, Any], delivery: Delivery) -> list[int]:
        body = json.dumps(shown, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "WooCommerce/10.3.0 Hookshot (WordPress/6.8)",
            "X-WC-Webhook-Source": f"https://{self.id}.example/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": "order",
            "X-WC-Webhook-Event": topic.partition(".")[2],
            "X-WC-Webhook-Signature": hmac_sha256_base64(self.settings.webhook_secret("woocommerce", self.id), body),
            "X-WC-Webhook-ID": "142",
            "X-WC-Webhook-Delivery-ID": uuid.uuid4().hex,
        }
        return self._send(topic, body, headers, delivery)

    def _send(self, what: str, body: bytes, headers: Mapping[str, str], delivery: Delivery) -> list[int]:
        named = {"Content-Type": "application/x-www-form-urlencoded"} | dict(headers)
        url = self.settings.webhook_url("woocommerce", self.id)
        return self.sender.send(Message(self.name, what, url, body, lambda: named, insists=False), delivery)


def _now() -> str:
    """Now in WooCommerce's format: in GMT, without a zone, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.of({"code": code, "message": message, "data": {"status": status}}, status)
