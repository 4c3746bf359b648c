"""Partners in memory, for `FakeHttp`: they keep what they are given, and fail when a test tells them to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from dropship.ports import HttpRequest, HttpResponse, NoAnswer

Failure = HttpResponse | NoAnswer
LOST = NoAnswer("the answer did not come", sent=True)
REFUSED_CONNECTION = NoAnswer("connection refused", sent=False)


def answer(status: int, body: object = None, **headers: str) -> HttpResponse:
    """An answer with a JSON body; `retry_after="3"` is the header `retry-after`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, named, b"" if body is None else json.dumps(body).encode())


@dataclass
class Partner:
    """A partner. `failures[operation]` are its first answers, each given before or after the operation took effect."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    """Every (operation, what it was about), the oldest first."""
    failures: dict[str, list[tuple[Failure, bool]]] = field(default_factory=dict)

    def fail(self, operation: str, *failures: Failure, after: bool = False) -> None:
        """Let the next requests of the operation fail; with `after`, they fail after they took effect."""
        self.failures.setdefault(operation, []).extend((failure, after) for failure in failures)

    def requests(self, operation: str) -> list[str]:
        """What the requests of one operation were about."""
        return [about for asked, about in self.asked if asked == operation]

    def _do(self, operation: str, about: str, act: Callable[[], HttpResponse]) -> HttpResponse:
        self.asked.append((operation, about))
        failures = self.failures.get(operation)
        if not failures:
            return act()
        failure, after = failures.pop(0)
        if after:
            act()
        if isinstance(failure, NoAnswer):
            raise failure
        return failure


@dataclass
class SupplierApi(Partner):
    """Supplier API v1. A reference that is placed again is the same purchase order."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancels: Literal["yes", "no", "later"] = "yes"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        url = urlsplit(request.path)
        if request.method == "GET":
            reference = parse_qs(url.query)["reference"][0]
            return self._do("find", reference, lambda: self._find(reference))
        if url.path.endswith("/cancel"):
            reference = unquote(url.path.split("/")[2])
            return self._do("cancel", reference, lambda: self._cancel(reference))
        body = json.loads(request.body)
        assert request.headers["idempotency-key"] == body["reference"]
        return self._do("place", body["reference"], lambda: self._place(body))

    @property
    def open(self) -> list[str]:
        """References of the purchase orders that it intends to ship."""
        return [reference for reference, order in self.orders.items() if not order["cancelled"]]

    def _place(self, body: dict[str, Any]) -> HttpResponse:
        self.orders.setdefault(body["reference"], {"request": body, "cancelled": False})
        return answer(201, self._shown(body["reference"]))

    def _find(self, reference: str) -> HttpResponse:
        return answer(200, {"purchase_orders": [self._shown(reference)] if reference in self.orders else []})

    def _cancel(self, reference: str) -> HttpResponse:
        if self.cancels == "later":
            return answer(202)
        if self.cancels == "no":
            return answer(409, {"error": {"message": "already packed"}})
        self.orders[reference]["cancelled"] = True
        return answer(200, {"status": "cancelled"})

    def _shown(self, reference: str) -> dict[str, Any]:
        return {"reference": reference, "supplier_order_id": self.number(reference)}

    def number(self, reference: str) -> str:
        """Its own number of a purchase order: the purchase orders are counted as they come."""
        return f"SO-{1 + list(self.orders).index(reference)}"


@dataclass
class ShopApi(Partner):
    """Shopify's fulfilments of one order. As at Shopify, telling the same parcel twice makes two fulfilments."""

    units: dict[str, int] = field(default_factory=dict)
    """Units still to be sent, by order line."""
    created: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = json.loads(request.body)
        if "mutation" not in body["query"]:
            return self._do("ask", body["variables"]["order"], self._ask)
        wanted = body["variables"]["fulfillment"]
        return self._do("create", wanted["trackingInfo"]["number"], lambda: self._create(wanted))

    @property
    def told(self) -> list[str]:
        """The tracking number of each fulfilment."""
        return [wanted["trackingInfo"]["number"] for wanted in self.created]

    def _ask(self) -> HttpResponse:
        lines = [
            {
                "id": f"gid://shopify/FulfillmentOrderLineItem/{line}",
                "remainingQuantity": units,
                "lineItem": {"id": line},
            }
            for line, units in (("gid://shopify/LineItem/" + line, units) for line, units in self.units.items())
        ]
        group = {"id": "gid://shopify/FulfillmentOrder/1", "status": "OPEN", "lineItems": {"nodes": lines}}
        told = [
            {"id": _fulfilment(index), "status": "SUCCESS", "trackingInfo": [{"number": number}]}
            for index, number in enumerate(self.told)
        ]
        return answer(200, {"data": {"order": {"fulfillmentOrders": {"nodes": [group]}, "fulfillments": told}}})

    def _create(self, wanted: dict[str, Any]) -> HttpResponse:
        for group in wanted["lineItemsByFulfillmentOrder"]:
            for line in group["fulfillmentOrderLineItems"]:
                self.units[line["id"].rpartition("/")[2]] -= line["quantity"]
        self.created.append(wanted)
        made = {"fulfillment": {"id": _fulfilment(len(self.created) - 1)}, "userErrors": []}
        return answer(200, {"data": {"fulfillmentCreate": made}})


def _fulfilment(index: int) -> str:
    return f"gid://shopify/Fulfillment/{index}"


@dataclass
class WooApi(Partner):
    """WooCommerce's orders with refunds and notes. As at WooCommerce, sending the same note twice makes two notes."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    per_page: int = 2
    mails: list[str] = field(default_factory=list)
    """The mails to the buyer: customer notes, and that the order is completed."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.path.removeprefix("/wp-json/wc/v3/orders").partition("?")
        if not path:
            page = parse_qs(query)["page"][0]
            return self._do("list", page, lambda: self._list(int(page)))
        number, _, below = path.strip("/").partition("/")
        if number not in self.orders:
            return answer(404, {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."})
        body = json.loads(request.body) if request.body else {}
        operation, act = {
            ("GET", ""): ("order", lambda: answer(200, self._shown(number))),
            ("GET", "refunds"): ("refunds", lambda: answer(200, self.refunds.get(number, []))),
            ("GET", "notes"): ("notes", lambda: answer(200, self.notes[::-1])),
            ("PUT", ""): ("status", lambda: self._change(number, body)),
            ("POST", "notes"): ("note", lambda: self._note(body)),
        }[request.method, below]
        return self._do(operation, number, act)

    def sell(self, order: dict[str, Any]) -> None:
        """A shopper buys."""
        self.orders[str(order["id"])] = order

    def refund(self, order: str, number: int, **units: int) -> None:
        """The clerk refunds units, by order line (`line_315=1`)."""
        rows = [
            {"id": 1000 + index, "quantity": -count, "meta_data": [{"key": "_refunded_item_id", "value": line[5:]}]}
            for index, (line, count) in enumerate(units.items())
        ]
        made = {"id": number, "amount": "1.00", "date_created_gmt": "2026-11-21T09:00:00", "line_items": rows}
        self.refunds.setdefault(order, []).append(made)

    def _shown(self, number: str) -> dict[str, Any]:
        made = [{"id": one["id"], "refund": "", "total": "-1.00"} for one in self.refunds.get(number, [])]
        return self.orders[number] | {"refunds": made}

    def _list(self, page: int) -> HttpResponse:
        numbers = sorted(self.orders, key=lambda one: self.orders[one]["date_modified_gmt"], reverse=True)
        shown = [self._shown(number) for number in numbers[(page - 1) * self.per_page : page * self.per_page]]
        pages = -(-len(numbers) // self.per_page)
        found = answer(200, shown)
        return found._replace(headers={"x-wp-totalpages": str(pages)})

    def _change(self, number: str, body: dict[str, Any]) -> HttpResponse:
        if self.orders[number]["status"] != body["status"]:
            self.mails.append(body["status"])
        self.orders[number] |= body
        return answer(200, self._shown(number))

    def _note(self, body: dict[str, Any]) -> HttpResponse:
        self.notes.append({"id": 281 + len(self.notes), **body})
        if body["customer_note"]:
            self.mails.append(body["note"])
        return answer(201, self.notes[-1])


@dataclass
class TrackerApi(Partner):
    """快递100: it answers a query with the entry of `reports` for the number."""

    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscribed: list[str] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)
    """The phone in the last request about each number; empty where there was none."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        param = json.loads(parse_qs(request.body.decode())["param"][0])
        self.phones[param.get("number") or param["num"]] = param.get("parameters", param).get("phone", "")
        if request.path == "/poll":
            return self._do("subscribe", param["number"], lambda: self._subscribe(param))
        return self._do("query", param["num"], lambda: self._query(param["num"]))

    def _subscribe(self, param: dict[str, Any]) -> HttpResponse:
        again = param["number"] in self.subscribed
        self.subscribed.append(param["number"])
        return answer(200, {"result": not again, "returnCode": "501" if again else "200", "message": ""})

    def _query(self, number: str) -> HttpResponse:
        nothing = {"result": False, "returnCode": "500", "message": "查询无结果"}
        return answer(200, self.reports.get(number, nothing))
