"""Shopify: reads its webhooks, and creates fulfilments over the GraphQL Admin API.

The payload of `returns/request` was never compared with a real delivery, so it is read leniently.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from dropship.connectors import connector, models, signatures
from dropship.connectors.answers import not_done, senseless
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import Fields, credential, cut, read_json, retry_after
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dropship.connectors.answers import Failure
    from dropship.connectors.contract import Access, RawRequest

API_PATH = "/admin/api/2026-10/graphql.json"
PAID = frozenset({"paid", "partially_refunded"})
REFUNDED = frozenset({"refunded", "voided"})
OPEN_FULFILMENT_ORDERS = frozenset({"OPEN", "IN_PROGRESS", "SCHEDULED"})
VOID_FULFILMENTS = frozenset({"CANCELLED", "ERROR", "FAILURE"})

_FIRST_TOPICS = frozenset({"orders/create", "orders/paid"})
_ORDER_TOPICS = frozenset({"orders/create", "orders/paid", "orders/updated", "orders/cancelled"})
_PREFIXES = ("x-shopify-", "shopify-")  # newer deliveries have no `x-`
_KEPT = ("topic", "shop-domain", "webhook-id", "triggered-at", "api-version")
_UNDECIDED_ERRORS = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})
_SECURITY_REJECTION = 430  # a status of Shopify's own, about us and not about what was asked
_ERRORS_ABOUT_US = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})

# One query may cost at most 1000 points, and nested pages multiply; with these page sizes it costs less.
_ASK = """query fulfilment($order: ID!) { order(id: $order) {
 fulfillmentOrders(first: 8) { pageInfo { hasNextPage } nodes { id status
  lineItems(first: 50) { pageInfo { hasNextPage } nodes { id remainingQuantity lineItem { id } } } } }
 fulfillments(first: 50) { id status trackingInfo { number } } } }"""
_TELL = """mutation fulfillmentCreate($fulfillment: FulfillmentInput!) {
 fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id status } userErrors { field message } } }"""


@connector("shopify")
class Shopify:
    """Shopify Admin API 2026-10 and its webhooks. API secret: `access_token`; webhook secret: the app's."""

    kept_headers: tuple[str, ...] = tuple(prefix + name for prefix in _PREFIXES for name in _KEPT)
    accepted: bytes = b"{}"

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """See `Receives.verify`."""
        given = _header(request.headers, "hmac-sha256")
        expected = (signatures.hmac_sha256_base64(secret, request.body) for secret in secrets if secret)
        if not given or not signatures.matches(given, expected):
            raise BadSignature("x-shopify-hmac-sha256 is missing or fits none of the secrets")

    def read_events(self, request: RawRequest, shop: models.Shop) -> Sequence[models.MarketplaceEvent]:
        """See `ReceivesOrders.read_events`. `orders/edited` has no order; `orders/updated` follows it."""
        domain = _header(request.headers, "shop-domain")
        if domain.casefold() != shop.domain.casefold():
            raise InvalidMessage(f"a webhook of {domain[:100]!r} came to shop {shop.id}, which is {shop.domain}")
        topic = _header(request.headers, "topic")
        if topic in _ORDER_TOPICS:
            return [_order_changed(read_json(request.body), shop.id, likely_new=topic in _FIRST_TOPICS)]
        if topic == "refunds/create":
            return [_refund_made(read_json(request.body), shop.id)]
        if topic == "returns/request":
            triggered = {"created_at": _header(request.headers, "triggered-at") or None}
            return [_return_asked(read_json(request.body), Fields(triggered), shop.id)]
        return []

    def ask_fulfilment(self, order: str, access: Access) -> models.HttpRequest:
        """See `WritesBack.ask_fulfilment`."""
        return _call(_ASK, {"order": f"gid://shopify/Order/{order}"}, access)

    def read_fulfilment(self, response: models.HttpResponse) -> models.FulfilmentState | Failure:
        """See `WritesBack.read_fulfilment`. The query has no effect, so after a server error it is asked again."""
        if response.status >= 500:
            return models.Busy(retry_after=retry_after(response))
        try:
            order = _result(response, "order", needed="fulfillmentOrders")
            if order is None:
                return models.Refused(words="Shopify does not know the order")
            return _fulfilment_state(order) if isinstance(order, Fields) else order
        except InvalidMessage as why:
            return senseless("Shopify", why)

    def writeback(
        self, parcel: models.ParcelShipped, state: models.FulfilmentState, access: Access
    ) -> models.HttpRequest:
        """See `WritesBack.writeback`. Lines are always named, because to Shopify no lines means all lines."""
        left = Counter[str]()
        for shipped in parcel.lines:
            left[shipped.line] += shipped.quantity
        groups = []
        for group in state.groups:
            lines = []
            for line_id, line, open_units in group.lines:
                if quantity := min(left[line], open_units):
                    left[line] -= quantity
                    lines.append({"id": line_id, "quantity": quantity})
            if lines:
                groups.append({"fulfillmentOrderId": group.id, "fulfillmentOrderLineItems": lines})
        if not groups:
            raise InvalidMessage("the marketplace waits for none of the parcel's units")
        fulfilment = {
            "lineItemsByFulfillmentOrder": groups,
            "trackingInfo": {"number": parcel.number, "company": parcel.carrier_name},
            "notifyCustomer": parcel.notify_buyer,
        }
        return _call(_TELL, {"fulfillment": fulfilment}, access)

    def read_writeback(
        self, response: models.HttpResponse, parcel: models.ParcelShipped, state: models.FulfilmentState
    ) -> models.WritebackResult:
        """See `WritesBack.read_writeback`."""
        try:
            result = _result(response, "fulfillmentCreate", needed="userErrors")
            if result is None:
                return models.Unknown(why="Shopify answered with neither a result nor an error")
            if not isinstance(result, Fields):
                return result
            if result.has("fulfillment"):
                return models.WrittenBack(fulfilment=_gid(result.child("fulfillment")))
            words = "; ".join(error.text("message") for error in result.rows_if_any("userErrors"))
            return models.Refused(words=cut(words)) if words else models.Unknown(why="neither yes nor no")
        except InvalidMessage as why:
            return senseless("Shopify", why)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((headers[prefix + name].strip() for prefix in _PREFIXES if headers.get(prefix + name)), "")


def _order_changed(order: Fields, shop: str, *, likely_new: bool) -> models.OrderChanged:
    currency = order.text("currency")
    address = order.child("shipping_address") if order.has("shipping_address") else None
    shipping = order.rows_if_any("shipping_lines")
    return models.OrderChanged(
        likely_new=likely_new,
        order=models.MarketplaceOrder(
            shop=shop,
            external_id=order.id("id"),
            number=order.text("name") or order.id("id"),
            updated_at=order.time("updated_at"),
            placed_at=order.time_or_none("created_at"),
            paid=order.text("financial_status") in PAID,
            refunded=order.text("financial_status") in REFUNDED,
            cancelled_at=_since(order, "cancelled_at"),
            total=order.amount_or_none("total_price", currency),
            lines=_lines(order, currency),
            refunds=tuple(refund.id("id") for refund in order.rows_if_any("refunds")),
            chosen_shipping=shipping[0].text("title") if shipping else "",
        ),
        recipient=None if address is None else _recipient(address),
    )


def _since(order: Fields, name: str) -> datetime | None:
    """When something happened; None if it did not. If that time cannot be read, the time of the snapshot is used."""
    return (order.time_or_none(name) or order.time("updated_at")) if order.has(name) else None


def _lines(order: Fields, currency: str) -> tuple[models.MarketplaceLine, ...]:
    lines = {}
    for index, line in enumerate(order.rows("line_items")):
        if line.id("id") in lines:
            raise order.invalid(f"line_items[{index}].id", "names a line that came before")
        sold, fulfillable = line.count("quantity"), line.count("fulfillable_quantity")
        if fulfillable > sold:
            raise line.invalid("fulfillable_quantity", "is more than was sold")
        gift_card = line.flag("gift_card", default=False)
        lines[line.id("id")] = models.MarketplaceLine(
            id=line.id("id"),
            sku=line.text("sku"),
            title=line.text("title"),
            quantity=sold,
            fulfillable=fulfillable,
            unit_price=line.amount_or_none("price", currency),
            requires_shipping=line.flag("requires_shipping", default=True) and not gift_card,
        )
    return tuple(lines.values())


def _recipient(address: Fields) -> models.Recipient:
    full_name = f"{address.text('first_name')} {address.text('last_name')}".strip()
    return models.Recipient(
        name=address.text("name") or full_name,
        company=address.text("company"),
        phone=address.text("phone"),
        address1=address.text("address1"),
        address2=address.text("address2"),
        city=address.text("city"),
        province=address.text("province"),
        postal_code=address.text("zip"),
        country_code=address.text("country_code"),
    )


def _refund_made(refund: Fields, shop: str) -> models.AfterSalesRequested:
    units = Counter[str]()
    for row in refund.rows("refund_line_items"):
        units[row.id("line_item_id")] += row.count("quantity")
    return models.AfterSalesRequested(
        kind="refund",
        id=refund.id("id"),
        shop=shop,
        order=refund.id("order_id"),
        requested_at=refund.time_or_none("created_at"),
        units=_refunded(units),
        amount=_amount(refund),
        reason=refund.text("note"),
    )


def _amount(refund: Fields) -> models.Money | None:
    """The money refunded to the buyer: all successful refund transactions in the currency of the first one."""
    total: models.Money | None = None
    for row in refund.rows_if_any("transactions"):
        if (row.text("kind"), row.text("status")) == ("refund", "success"):
            amount = row.amount_or_none("amount", row.text("currency"))
            if total is None or amount is None:
                total = total or amount
            elif amount.currency == total.currency:
                total += amount
    return total


def _return_asked(asked: Fields, headers: Fields, shop: str) -> models.AfterSalesRequested:
    units, reasons = Counter[str](), []
    for row in asked.rows_if_any("return_line_items"):
        sold = row.child("fulfillment_line_item").child("line_item")
        units[sold.id("id")] += row.count("quantity")
        reasons.append(row.text("customer_note") or row.text("return_reason"))
    return models.AfterSalesRequested(
        kind="return",
        id=asked.id("id"),
        shop=shop,
        order=asked.id("order_id") if asked.has("order_id") else asked.child("order").id("id"),
        requested_at=(asked if asked.has("created_at") else headers).time_or_none("created_at"),
        units=_refunded(units),
        reason=cut("; ".join(dict.fromkeys(filter(None, reasons)))),
    )


def _refunded(units: Counter[str]) -> tuple[models.RefundedUnits, ...]:
    return tuple(models.RefundedUnits(line=line, quantity=quantity) for line, quantity in units.items() if quantity)


def _call(query: str, variables: Mapping[str, object], access: Access) -> models.HttpRequest:
    headers = {
        "content-type": "application/json",
        "x-shopify-access-token": credential(access, "access_token"),
    }
    body = json.dumps({"query": query, "variables": variables}).encode()
    return models.HttpRequest("POST", API_PATH, headers, body)


def _result(response: models.HttpResponse, root: str, *, needed: str) -> Fields | Failure | None:
    """The result under `data.{root}` if it has the needed field, else what the errors say; None if there are none."""
    if response.status != 200:
        return _not_answered(response)
    body = read_json(response.body)
    data = body.child("data") if body.has("data") else None
    if data and data.has(root) and data.child(root).has(needed):
        return data.child(root)
    return _errors(body)


def _not_answered(response: models.HttpResponse) -> Failure:
    if response.status == _SECURITY_REJECTION:
        return models.Busy(why=f"Shopify answered {response.status}")
    try:
        words = read_json(response.body).text("errors", limit=400)
    except InvalidMessage:
        words = ""
    return not_done("Shopify", response, words)


def _errors(body: Fields) -> Failure | None:
    errors = body.rows_if_any("errors")
    words = cut("; ".join(error.text("message") for error in errors))
    codes = {error.child("extensions").text("code") for error in errors if error.has("extensions")}
    if "THROTTLED" in codes or words == "Throttled":
        return models.Busy()
    if refused := codes & _ERRORS_ABOUT_US:
        return models.Busy(why=f"Shopify answered {min(refused)}")
    if codes & _UNDECIDED_ERRORS:
        return models.Unknown(why=words)
    return models.Refused(words=words or "Shopify gave no reason") if errors else None


def _fulfilment_state(order: Fields) -> models.FulfilmentState | models.Refused:
    groups, pages = [], [order.child("fulfillmentOrders")]
    for group in pages[0].rows("nodes"):
        items = group.child("lineItems")
        pages.append(items)
        lines = tuple(_open_line(item) for item in items.rows("nodes") if item.count("remainingQuantity"))
        if lines and group.text("status") in OPEN_FULFILMENT_ORDERS:
            groups.append(models.FulfilmentGroup(id=_gid(group), lines=lines))
    if any(page.child("pageInfo").flag("hasNextPage", default=False) for page in pages if page.has("pageInfo")):
        return models.Refused(words="the order has more open lines than can be told of; fulfil it in Shopify")
    told = {
        tracking.text("number"): _gid(fulfilment)
        for fulfilment in order.rows("fulfillments")
        if fulfilment.text("status") not in VOID_FULFILMENTS
        for tracking in fulfilment.rows("trackingInfo")
        if tracking.has("number")
    }
    return models.FulfilmentState(groups=tuple(groups), told=told)


def _open_line(item: Fields) -> tuple[str, str, int]:
    line = _gid(item.child("lineItem")).rpartition("/")[2]
    return _gid(item), line, item.count("remainingQuantity")


def _gid(node: Fields) -> str:
    """Shopify's global id, e.g. `gid://shopify/Fulfillment/255858046`."""
    if not (found := node.text("id")).startswith("gid://"):
        raise node.invalid("id", "is not a global id")
    return found
