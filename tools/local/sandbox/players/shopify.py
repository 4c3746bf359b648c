"""Shopify: webhooks that its shopper and clerk cause, and the GraphQL Admin API for fulfilments of those orders."""

import hmac
import itertools
import json
import re
import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.local.sandbox.exchange import Reply, Request
from tools.local.sandbox.graphql import Field, GraphQLError, parse, select
from tools.local.sandbox.players import Player, player
from tools.local.sandbox.records import now_text
from tools.local.sandbox.sender import Delivery, Message, Sender
from tools.local.sandbox.settings import Settings
from tools.local.sandbox.signatures import hmac_sha256_base64

API_VERSION = "2026-10"

_PATH = re.compile(r"/admin/api/\d{4}-\d{2}/graphql\.json")
_LOCATION = {"__typename": "Location", "id": "gid://shopify/Location/1", "name": "Sandbox warehouse"}
_THROTTLE = {"maximumAvailable": 2000.0, "currentlyAvailable": 1990, "restoreRate": 100.0}


@dataclass
class Fulfillment:
    """A parcel that the shop was told about; `lines` are units by order line id."""

    id: str
    order: str
    company: str | None
    numbers: list[str]
    url: str | None
    notify_customer: bool
    lines: dict[str, int]
    at: str = field(default_factory=now_text)


@dataclass
class ShopOrder:
    """What the shop knows about an order: one fulfillment order, with the units left by order line id."""

    id: str
    name: str
    fulfillment_order: str
    remaining: dict[str, int]
    line_numbers: dict[str, str]
    cancelled: bool = False
    refunds: set[str] = field(default_factory=set)

    @property
    def status(self) -> str:
        """The fulfillment order's status."""
        return "OPEN" if any(self.remaining.values()) else "CLOSED"


@dataclass
class ShopEvent:
    """A webhook that a shop's shopper or clerk causes. Copies share `webhook_id`, as Shopify's repeats do.

    `domain` is the shop's name at Shopify, by default `{shop}.myshopify.com`. If `deliver` is false, the shop knows the
    event but sends nothing.
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


@player("shopify", address="shopify/{id}")
class Shop(Player):
    """One shop. It learns of an order when its shopper sends a webhook about it."""

    about = "a Shopify shop: GraphQL Admin API"
    usage = """\
GET    /shopify/{shop}/fulfillments?order=      the parcels the shop was told of
POST   /control/shopify/{shop}/orders         {payload, topic?, repeat?, parallel?, reorder?, deliver?, …}"""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        super().__init__(connection, settings, sender)
        self._orders: dict[str, ShopOrder] = {}
        self._fulfillments: list[Fulfillment] = []
        self._numbers = itertools.count(940656279)
        self._lock = threading.Lock()

    def operation(self, request: Request) -> str:
        """`create` for fulfillmentCreate, `query` for everything else."""
        return "create" if b"fulfillmentCreate" in request.body else "query"

    def answer(self, request: Request, operation: str) -> Reply:  # noqa: ARG002
        """The Admin API's answer."""
        if request.method != "POST" or not _PATH.fullmatch(request.path):
            return Reply.of({"errors": "Not Found"}, 404)
        wanted = self.settings.api_secrets("shopify").get(self.id, {}).get("access_token")
        if wanted and not hmac.compare_digest(wanted, request.headers.get("x-shopify-access-token", "")):
            return Reply.of(
                {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401
            )
        body = request.json()
        try:
            kind, fields = parse(str(body.get("query", "")), body.get("variables") or {})
            with self._lock:
                data = {field.alias: select(self._resolve(kind, field), field.fields) for field in fields}
        except GraphQLError as problem:
            return Reply.of({"errors": [{"message": str(problem)}]})
        cost = {"requestedQueryCost": 10, "actualQueryCost": 10, "throttleStatus": _THROTTLE}
        return Reply.of({"data": data, "extensions": {"cost": cost}})

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """`fulfillments`: of one `order`, or all."""
        return {what: self.fulfillments(query.get("order"))} if what == "fulfillments" else None

    def do(self, action: str, request: Request) -> object | None:
        """`orders`: send a webhook of any topic."""
        if action != "orders":
            return None
        event = request.read(ShopEvent)
        return {"webhook_id": event.webhook_id, "statuses": self._send(event)}

    def _send(self, event: ShopEvent) -> list[int]:
        """Tell the shop about the event and send its webhook. Returns the statuses of our answers."""
        url = self.settings.webhook_url("shopify", self.id)
        body = json.dumps(event.payload, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": event.topic,
            "X-Shopify-Shop-Domain": event.domain or f"{self.id}.myshopify.com",
            "X-Shopify-Hmac-Sha256": hmac_sha256_base64(self.settings.webhook_secret("shopify", self.id), body),
            "X-Shopify-Webhook-Id": event.webhook_id,
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": event.triggered_at,
            "X-Shopify-API-Version": API_VERSION,
        }
        self.learn(event.topic, event.payload)
        if not event.deliver:
            return []
        message = Message(self.name, event.topic, url, body, lambda: headers)
        return self.sender.send(message, Delivery(event.repeat, event.parallel, event.reorder))

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """An app's secret and an access token."""
        return f"shpss_{secrets.token_hex(16)}", {"access_token": f"shpat_{secrets.token_hex(16)}"}

    def throttled(self, retry_after: int) -> Reply:  # noqa: ARG002
        """HTTP 200, as Shopify does: the body has the error, and the rate at which credit comes back."""
        throttle = {"maximumAvailable": 1000.0, "currentlyAvailable": 10, "restoreRate": 50.0}
        cost = {"requestedQueryCost": 252, "actualQueryCost": None, "throttleStatus": throttle}
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return Reply.of({"errors": [error], "extensions": {"cost": cost}})

    def learn(self, topic: str, payload: dict[str, Any]) -> None:
        """Keep what a webhook says, whether or not it arrives at our API."""
        with self._lock:
            if topic.startswith("orders/") and "line_items" in payload:
                self._learn_order(payload)
            elif topic == "refunds/create":
                self._learn_refund(payload)

    def fulfillments(self, order: str | None) -> list[dict[str, Any]]:
        """The parcels that the shop was told about, oldest first: of one order, or all."""
        with self._lock:
            return [asdict(told) for told in self._fulfillments if order in {None, told.order}]

    def _learn_order(self, payload: dict[str, Any]) -> None:
        open_units = {
            str(line["id"]): int(line.get("fulfillable_quantity", line["quantity"]))
            for line in payload["line_items"]
            if line.get("requires_shipping", True)
        }
        order_id = str(payload["id"])
        order = self._orders.get(order_id)
        if order is None:
            order = ShopOrder(order_id, str(payload.get("name", "")), str(next(self._numbers)), {}, {})
            self._orders[order_id] = order
        for line, units in open_units.items():
            order.line_numbers.setdefault(line, str(next(self._numbers)))
            order.remaining[line] = min(order.remaining.get(line, units), units)
        if payload.get("cancelled_at"):
            order.cancelled = True
            order.remaining = dict.fromkeys(order.remaining, 0)

    def _learn_refund(self, payload: dict[str, Any]) -> None:
        order = self._orders.get(str(payload.get("order_id")))
        if order is None or str(payload["id"]) in order.refunds:
            return
        order.refunds.add(str(payload["id"]))
        for refunded in payload.get("refund_line_items", []):
            line = str(refunded["line_item_id"])
            order.remaining[line] = max(0, order.remaining.get(line, 0) - int(refunded["quantity"]))

    def _resolve(self, kind: str, wanted: Field) -> dict[str, Any] | None:
        match kind, wanted.name:
            case "query", "order":
                order = self._orders.get(_number(wanted.arguments.get("id"), "Order"))
                return self._order_view(order) if order else None
            case "mutation", "fulfillmentCreate":
                return self._create(wanted.arguments.get("fulfillment") or {})
        root = "QueryRoot" if kind == "query" else "Mutation"
        raise GraphQLError(f"Field '{wanted.name}' doesn't exist on type '{root}'")

    def _order_view(self, order: ShopOrder) -> dict[str, Any]:
        told = [told for told in self._fulfillments if told.order == order.id]
        return {
            "__typename": "Order",
            "id": f"gid://shopify/Order/{order.id}",
            "name": order.name,
            "cancelledAt": None if not order.cancelled else now_text(),
            "fulfillmentOrders": _connection([self._group_view(order)]),
            "fulfillments": [_fulfillment_view(one) for one in told],
        }

    def _group_view(self, order: ShopOrder) -> dict[str, Any]:
        lines = [
            {
                "__typename": "FulfillmentOrderLineItem",
                "id": f"gid://shopify/FulfillmentOrderLineItem/{order.line_numbers[line]}",
                "remainingQuantity": units,
                "lineItem": {"__typename": "LineItem", "id": f"gid://shopify/LineItem/{line}"},
            }
            for line, units in order.remaining.items()
        ]
        return {
            "__typename": "FulfillmentOrder",
            "id": f"gid://shopify/FulfillmentOrder/{order.fulfillment_order}",
            "status": order.status,
            "assignedLocation": {"__typename": "AssignedLocation", "name": _LOCATION["name"], "location": _LOCATION},
            "lineItems": _connection(lines),
        }

    def _create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        groups = wanted.get("lineItemsByFulfillmentOrder") or []
        ids = {_number(group.get("fulfillmentOrderId"), "FulfillmentOrder") for group in groups}
        orders = [order for order in self._orders.values() if order.fulfillment_order in ids]
        if len(ids) != 1 or len(orders) != 1:
            return _refusal("Fulfillment order does not exist.")
        order = orders[0]
        if order.status == "CLOSED":
            number = order.fulfillment_order
            return _refusal(f"Fulfillment order {number} has an unfulfillable status= closed.")
        lines = _wanted_units(order, groups)
        if lines is None:
            return _refusal("Invalid fulfillment order line item quantity requested.")
        for line, units in lines.items():
            order.remaining[line] -= units
        fulfillment = self._told(order, wanted, lines)
        return {
            "__typename": "FulfillmentCreatePayload",
            "fulfillment": _fulfillment_view(fulfillment),
            "userErrors": [],
        }

    def _told(self, order: ShopOrder, wanted: dict[str, Any], lines: dict[str, int]) -> Fulfillment:
        tracking = wanted.get("trackingInfo") or {}
        fulfillment = Fulfillment(
            id=str(next(self._numbers)),
            order=order.id,
            company=tracking.get("company"),
            numbers=tracking.get("numbers") or [number for number in [tracking.get("number")] if number],
            url=tracking.get("url"),
            notify_customer=bool(wanted.get("notifyCustomer", False)),
            lines=lines,
        )
        self._fulfillments.append(fulfillment)
        return fulfillment


def _wanted_units(order: ShopOrder, groups: list[dict[str, Any]]) -> dict[str, int] | None:
    """Units by order line id: all that is left if no lines are named; None if more is wanted than is left."""
    lines_of = {number: line for line, number in order.line_numbers.items()}
    units: dict[str, int] = {}
    for group in groups:
        for wanted in group.get("fulfillmentOrderLineItems") or []:
            line = lines_of.get(_number(wanted.get("id"), "FulfillmentOrderLineItem"))
            if line is None:
                return None
            units[line] = units.get(line, 0) + int(wanted.get("quantity", 0))
    units = units or {line: left for line, left in order.remaining.items() if left}
    return units if all(0 < wanted <= order.remaining[line] for line, wanted in units.items()) else None


def _fulfillment_view(told: Fulfillment) -> dict[str, Any]:
    tracking = [
        {"__typename": "FulfillmentTrackingInfo", "company": told.company, "number": number, "url": told.url}
        for number in told.numbers
    ]
    return {
        "__typename": "Fulfillment",
        "id": f"gid://shopify/Fulfillment/{told.id}",
        "status": "SUCCESS",
        "createdAt": told.at,
        "trackingInfo": tracking,
    }


def _refusal(words: str) -> dict[str, Any]:
    error = {"__typename": "UserError", "field": ["fulfillment"], "message": words}
    return {"__typename": "FulfillmentCreatePayload", "fulfillment": None, "userErrors": [error]}


def _connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    page = {"__typename": "PageInfo", "hasNextPage": False, "endCursor": None}
    return {"__typename": "Connection", "nodes": nodes, "edges": [{"node": node} for node in nodes], "pageInfo": page}


def _number(global_id: object, kind: str) -> str:
    """The number in `gid://shopify/{kind}/{number}`; empty if it has another form."""
    found = re.fullmatch(rf"gid://shopify/{kind}/(\d+)", str(global_id))
    return found.group(1) if found else ""
