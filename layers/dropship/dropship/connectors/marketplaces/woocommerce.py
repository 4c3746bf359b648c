"""WooCommerce: reads its webhooks; reads orders and tells it about parcels over its REST API v3.

These are assumptions, because the contract does not say it:

- `processing` and `completed` are paid, as in WooCommerce itself, and `failed` is unpaid. An order with a plugin's own
  status is paid if it has `date_paid_gmt`.
- `completed` means that nothing is left to send, no matter who sent it. We set it with the last parcel.
- Every line is shipped, because the payload does not tell goods from downloads. A line without an offer is held, as for
  every marketplace.
- A refund's lines name the order's line in their meta `_refunded_item_id`, with a quantity below zero. If a plugin
  leaves that out, the line is found by its product, if only one line of the order has that product.
- The secret alone proves that a webhook is the shop's. `X-WC-Webhook-Source` is not compared, because a site may have
  several addresses.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from datetime import UTC
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from dropship.connectors import connector, models, signatures
from dropship.connectors.answers import not_answered, not_done, senseless
from dropship.connectors.contract import BadSignature, NextRequest
from dropship.connectors.reading import Fields, credential, read_json, read_json_rows
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dropship.connectors.answers import Failure
    from dropship.connectors.contract import Access, RawRequest

    type OrderAnswer = Sequence[models.MarketplaceEvent] | models.Absent | Failure

API = "/wp-json/wc/v3"
ORDERS_PER_PAGE = 50
PAID = frozenset({"processing", "completed"})
UNPAID = frozenset({"pending", "on-hold", "failed", "checkout-draft", "auto-draft"})
CANCELLED = frozenset({"cancelled", "trash"})
_TOPICS = frozenset({"order.created", "order.updated", "order.restored"})
_PING = re.compile(rb"webhook_id=[0-9]{1,20}")
_NOTE = "Shipped by {carrier}, tracking number {number}"
_TOLD = re.compile(r"tracking number ([A-Za-z0-9_-]+)")


@connector("woocommerce")
class WooCommerce:
    """WooCommerce REST API v3 and its webhooks.

    API secret: `consumer_key`, `consumer_secret`; webhook secret: the text in the webhook's settings.
    """

    kept_headers: tuple[str, ...] = ("x-wc-webhook-topic",)
    accepted: bytes = b"{}"

    def greet(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> bytes | None:
        """See `Greets.greet`. When a webhook is saved, WooCommerce sends an unsigned ping and expects a 200."""
        is_ping = "x-wc-webhook-signature" not in request.headers and _PING.fullmatch(request.body)
        return self.accepted if is_ping else None

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """See `Receives.verify`. A webhook without a secret is signed with an empty one; that is not accepted."""
        given = request.headers.get("x-wc-webhook-signature", "")
        expected = (signatures.hmac_sha256_base64(secret, request.body) for secret in secrets if secret)
        if not given or not signatures.matches(given, expected):
            raise BadSignature("x-wc-webhook-signature is missing or fits none of the secrets")

    def read_events(self, request: RawRequest, shop: models.Shop) -> Sequence[models.MarketplaceEvent]:
        """See `ReceivesOrders.read_events`. An order with refunds is a hint: their units have to be asked for."""
        topic = request.headers.get("x-wc-webhook-topic", "")
        if topic == "order.deleted":
            return [models.OrderHint(order=read_json(request.body).id("id"), deleted=True)]
        if topic not in _TOPICS:
            return []
        return _events(read_json(request.body), shop.id, likely_new=topic == "order.created")

    # Orders

    def ask_order(self, order: str, access: Access) -> models.HttpRequest:
        """See `Downloads.ask_order`."""
        return _request("GET", _path(order), access)

    def read_order(self, response: models.HttpResponse, shop: models.Shop) -> OrderAnswer | NextRequest[OrderAnswer]:
        """See `Downloads.read_order`."""
        if _is_unknown_order(response):
            return models.Absent()
        if response.status != 200:
            return _not_answered(response)
        try:
            order = read_json(response.body)
            if not order.rows_if_any("refunds"):
                return _events(order, shop.id)
            path = f"{_path(order.id('id'))}/refunds?per_page=100"
        except InvalidMessage as why:
            return _senseless(why)
        return NextRequest(
            build=lambda access: _request("GET", path, access),
            read=lambda refunds: _read_refunds(refunds, order, shop.id),
        )

    def ask_changed(self, since: datetime, cursor: str, access: Access) -> models.HttpRequest:
        """See `Lists.ask_changed`. The latest comes first, so that a change meanwhile does not hide an order."""
        query = {
            "modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "desc",
            "per_page": ORDERS_PER_PAGE,
            "page": cursor or "1",
        }
        return _request("GET", f"/orders?{urlencode(query)}", access)

    def read_changed(
        self, response: models.HttpResponse, cursor: str, shop: models.Shop
    ) -> models.ChangedOrders | Failure:
        """See `Lists.read_changed`. The cursor is the number of the page."""
        if response.status != 200:
            return _not_answered(response)
        try:
            rows = read_json_rows(response.body)
            events = tuple(event for row in rows for event in _listed(row, shop.id))
        except InvalidMessage as why:
            return _senseless(why)
        pages, page = response.headers.get("x-wp-totalpages", "1"), int(cursor or "1")
        more = pages.isascii() and pages.isdecimal() and page < int(pages[:9])
        return models.ChangedOrders(events=events, next_cursor=str(page + 1) if more and rows else "")

    # Writeback: the status is set first, the note is written last. So a note proves that all is told; without a note,
    # everything may be repeated.

    def ask_fulfilment(self, order: str, access: Access) -> models.HttpRequest:
        """See `WritesBack.ask_fulfilment`."""
        return _request("GET", _path(order), access)

    def read_fulfilment(
        self, response: models.HttpResponse
    ) -> models.FulfilmentState | Failure | NextRequest[models.FulfilmentState | Failure]:
        """See `WritesBack.read_fulfilment`. The tracking numbers told before are in the order's notes."""
        if _is_unknown_order(response):
            return models.Refused(words="WooCommerce does not know the order")
        if response.status != 200:
            return _not_answered(response)
        try:
            order = read_json(response.body)
            path, status = f"{_path(order.id('id'))}/notes", order.text("status")
        except InvalidMessage as why:
            return _senseless(why)
        return NextRequest(
            build=lambda access: _request("GET", path, access), read=lambda notes: _fulfilment_state(notes, status)
        )

    def writeback(
        self, parcel: models.ParcelShipped, state: models.FulfilmentState, access: Access
    ) -> models.HttpRequest:
        """See `WritesBack.writeback`."""
        if _completes(parcel, state):
            return _request("PUT", _path(parcel.order), access, {"status": "completed"})
        return _note(parcel, access)

    def read_writeback(
        self, response: models.HttpResponse, parcel: models.ParcelShipped, state: models.FulfilmentState
    ) -> models.WritebackResult | NextRequest[models.WritebackResult]:
        """See `WritesBack.read_writeback`."""
        if not _completes(parcel, state):
            return _noted(response)
        if response.status != 200:
            return _not_done(response)
        try:
            order = read_json(response.body)
            if order.text("status") != "completed":
                raise order.invalid("status", "is not the one we set")
        except InvalidMessage as why:
            return _senseless(why)
        return NextRequest(build=lambda access: _note(parcel, access), read=_noted)


def _path(order: str) -> str:
    return f"/orders/{quote(order, safe='')}"


def _request(method: str, path: str, access: Access, body: Mapping[str, object] | None = None) -> models.HttpRequest:
    key = f"{credential(access, 'consumer_key')}:{credential(access, 'consumer_secret')}"
    headers = {"authorization": "Basic " + base64.b64encode(key.encode()).decode(), "accept": "application/json"}
    if body is None:
        return models.HttpRequest(method, API + path, headers)
    headers["content-type"] = "application/json"
    return models.HttpRequest(method, API + path, headers, json.dumps(body, ensure_ascii=False).encode())


def _note(parcel: models.ParcelShipped, access: Access) -> models.HttpRequest:
    text = _NOTE.format(carrier=parcel.carrier_name, number=parcel.number)
    body = {"note": text, "customer_note": parcel.notify_buyer}
    return _request("POST", f"{_path(parcel.order)}/notes", access, body)


def _completes(parcel: models.ParcelShipped, state: models.FulfilmentState) -> bool:
    """Whether the parcel completes the order: only from `processing`, so a hold, cancellation or refund stays."""
    return parcel.is_last and state.status == "processing"


def _noted(response: models.HttpResponse) -> models.WritebackResult:
    if response.status not in {200, 201}:
        return _not_done(response)
    try:
        return models.WrittenBack(fulfilment=read_json(response.body).id("id"))
    except InvalidMessage as why:
        return _senseless(why)


def _fulfilment_state(response: models.HttpResponse, status: str) -> models.FulfilmentState | Failure:
    if response.status != 200:
        return _not_answered(response)
    try:
        notes = read_json_rows(response.body)
        told = {number: note.id("id") for note in notes for number in _TOLD.findall(note.text("note", limit=2000))}
    except InvalidMessage as why:
        return _senseless(why)
    return models.FulfilmentState(groups=(), told=told, status=status)


# ---- Answers that are no success


def _is_unknown_order(response: models.HttpResponse) -> bool:
    """Whether the API itself says that it has no such order; any other 404 means that there is no API."""
    return response.status == 404 and _error(response, "code").endswith("_invalid_id")


def _error(response: models.HttpResponse, name: str) -> str:
    try:
        return read_json(response.body).text(name, limit=400)
    except InvalidMessage:
        return ""


def _not_answered(response: models.HttpResponse) -> Failure:
    if response.status == 404:
        return models.Busy(why="there is no WooCommerce API at the address of the shop")
    return not_answered("WooCommerce", response, _error(response, "message"))


def _not_done(response: models.HttpResponse) -> Failure:
    return not_done("WooCommerce", response, _error(response, "message"))


def _senseless(why: InvalidMessage) -> models.Unknown:
    return senseless("WooCommerce", why)


# ---- Orders in the domain's terms


def _listed(order: Fields, shop: str) -> Sequence[models.MarketplaceEvent]:
    """The events of a listed order; a hint if it cannot be read, so that only its own message fails."""
    try:
        return _events(order, shop)
    except InvalidMessage:
        return [models.OrderHint(order=order.id("id"))]


def _read_refunds(response: models.HttpResponse, order: Fields, shop: str) -> OrderAnswer:
    if response.status != 200:
        return _not_answered(response)
    try:
        return _events(order, shop, read_json_rows(response.body))
    except InvalidMessage as why:
        return _senseless(why)


def _events(
    order: Fields, shop: str, refunds: Sequence[Fields] | None = None, *, likely_new: bool = False
) -> Sequence[models.MarketplaceEvent]:
    """The order and its refunds; a hint if it has refunds that were not asked for yet.

    An order that is off is told at once, beside the hint, so that it is not sent while the shop cannot be asked.
    """
    if refunds is None and order.rows_if_any("refunds"):
        hint, now = models.OrderHint(order=order.id("id")), _order(order, shop, [])
        return [models.OrderChanged(order=now, recipient=_recipient(order)), hint] if now.off else [hint]
    made = [_refund(refund, order, shop) for refund in refunds or ()]
    changed = models.OrderChanged(order=_order(order, shop, made), likely_new=likely_new, recipient=_recipient(order))
    return [changed, *made]


def _order(order: Fields, shop: str, refunds: Sequence[models.AfterSalesRequested]) -> models.MarketplaceOrder:
    status, shipping = order.text("status"), order.rows_if_any("shipping_lines")
    updated_at = order.time("date_modified_gmt", UTC)
    return models.MarketplaceOrder(
        shop=shop,
        external_id=order.id("id"),
        number=order.text("number") or order.id("id"),
        updated_at=updated_at,
        placed_at=order.time_or_none("date_created_gmt", UTC),
        paid=status in PAID or (status not in UNPAID and order.has("date_paid_gmt")),
        refunded=status == "refunded",
        cancelled_at=updated_at if status in CANCELLED else None,
        total=order.amount_or_none("total", order.text("currency")),
        lines=tuple(_lines(order, refunds, nothing_left=status == "completed")),
        refunds=tuple(refund.id for refund in refunds),
        chosen_shipping=unescape(shipping[0].text("method_title")) if shipping else "",
    )


def _lines(
    order: Fields, refunds: Sequence[models.AfterSalesRequested], *, nothing_left: bool
) -> Iterator[models.MarketplaceLine]:
    back = Counter[str]()
    for refund in refunds:
        back.update({units.line: units.quantity for units in refund.units})
    known = set[str]()
    for index, line in enumerate(order.rows("line_items")):
        line_id, sold = line.id("id"), line.count("quantity")
        if line_id in known:
            raise order.invalid(f"line_items[{index}].id", "names a line that came before")
        known.add(line_id)
        yield models.MarketplaceLine(
            id=line_id,
            sku=line.text("sku"),
            title=unescape(line.text("name")),
            quantity=sold,
            fulfillable=0 if nothing_left else max(0, sold - back[line_id]),
            unit_price=line.amount_or_none("price", order.text("currency")),
        )


def _recipient(order: Fields) -> models.Recipient | None:
    """The shipping address; if it is empty, the billing address, because a shop may ask for only one address."""
    shipping, billing = (order.child(name) if order.has(name) else Fields({}) for name in ("shipping", "billing"))
    address = next((one for one in (shipping, billing) if one.text("address_1") or one.text("city")), None)
    if address is None:
        return None
    return models.Recipient(
        name=f"{address.text('first_name')} {address.text('last_name')}".strip(),
        company=address.text("company"),
        phone=address.text("phone") or billing.text("phone"),
        address1=address.text("address_1"),
        address2=address.text("address_2"),
        city=address.text("city"),
        province=address.text("state"),
        postal_code=address.text("postcode"),
        country_code=address.text("country"),
    )


def _refund(refund: Fields, order: Fields, shop: str) -> models.AfterSalesRequested:
    units = Counter[str]()
    for row in refund.rows("line_items"):
        line = _refunded_line(row, order)
        if line:
            units[line] += abs(row.count("quantity", least=-1_000_000))
    return models.AfterSalesRequested(
        kind="refund",
        id=refund.id("id"),
        shop=shop,
        order=order.id("id"),
        requested_at=refund.time_or_none("date_created_gmt", UTC),
        units=tuple(models.RefundedUnits(line=line, quantity=count) for line, count in units.items() if count),
        amount=refund.amount_or_none("amount", order.text("currency")),
        reason=refund.text("reason", limit=500),
    )


def _refunded_line(row: Fields, order: Fields) -> str:
    """The order's line that a refund's line is about; empty if it cannot be told."""
    lines = order.rows("line_items")
    named = [meta.text("value") for meta in row.rows_if_any("meta_data") if meta.text("key") == "_refunded_item_id"]
    ids = [line.id("id") for line in lines]
    if named and named[0] in ids:
        return named[0]
    product = (row.text("product_id"), row.text("variation_id"))
    same = [line.id("id") for line in lines if (line.text("product_id"), line.text("variation_id")) == product]
    return same[0] if len(same) == 1 else ""
