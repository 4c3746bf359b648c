"""Supplier API v1, our own: sends purchase orders, reads Standard Webhooks. Contract: docs/supplier-api.yaml."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from dropship.connectors import connector, models
from dropship.connectors.reading import ABOUT_US, Fields, credential, read_json, retry_after
from dropship.connectors.signatures import check_standard_webhooks
from dropship.domain.errors import InvalidMessage
from dropship.domain.identity import CONNECTION_ID, EXTERNAL_ID, PurchaseOrderId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropship.connectors.contract import Access, RawRequest

BUSY = frozenset({425, 429, 503})
NO_SUCH_ADDRESS = frozenset({404, 405, 410})
"""Statuses that a gateway or a wrong address answers, too."""
_ASK_AGAIN = BUSY | NO_SUCH_ADDRESS | {408}
LONGEST_REFERENCE = 150
_NO_SLUG = re.compile(r"[^a-z0-9]+")

_KINDS: Mapping[str, Literal["acknowledged", "rejected", "shipped", "cancelled", "cancel_rejected"]] = {
    "purchase_order.acknowledged": "acknowledged",
    "purchase_order.rejected": "rejected",
    "purchase_order.shipped": "shipped",
    "purchase_order.cancelled": "cancelled",
    "purchase_order.cancel_rejected": "cancel_rejected",
}


@connector("supplier-v1")
class SupplierV1:
    """Supplier API v1. API secret: `api_key`; webhook secret: `whsec_` and 24 to 64 bytes in base64."""

    kept_headers: tuple[str, ...] = ("webhook-id", "svix-id")
    accepted: bytes = b"{}"

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """See `Receives.verify`. Both header names of the scheme are accepted, `webhook-*` before `svix-*`."""
        message_id, timestamp, signature = (
            request.headers.get(f"webhook-{name}") or request.headers.get(f"svix-{name}", "")
            for name in ("id", "timestamp", "signature")
        )
        check_standard_webhooks(signature, message_id, timestamp, request.body, secrets, now)

    def place(self, request: models.PurchaseOrderRequest, access: Access) -> models.HttpRequest:
        """See `Places.place`. A repeat sends the same bytes with the same idempotency key."""
        body = {
            "reference": request.id,
            "order_number": request.order_number,
            "lines": [
                {
                    "line": line.line,
                    "sku": line.supplier_sku,
                    "quantity": line.quantity,
                    "unit_cost": {"minor": line.unit_cost.minor, "currency": line.unit_cost.currency},
                }
                for line in request.lines
            ],
            "recipient": request.recipient.model_dump(),
            "shipping_method": request.shipping_method,
            "packing_note": request.packing_note,
            "ship_by": _timestamp(request.ship_by) if request.ship_by else None,
        }
        headers = {**_authorised(access), "content-type": "application/json", "idempotency-key": request.id}
        return models.HttpRequest("POST", "/purchase-orders", headers, json.dumps(body).encode())

    def read_place(self, response: models.HttpResponse) -> models.PlaceResult:
        """See `Places.read_place`."""
        if response.status in {200, 201}:
            return _placed(response) or _senseless(response)
        if response.status == 409:  # it has our reference, or is working on it; if it does not say, look it up
            return _placed(response) or _senseless(response)
        if response.status in NO_SUCH_ADDRESS and not _says_error(response):
            return models.Unknown(why=f"the supplier answered {response.status}")
        return _not_done(response)

    def find(self, reference: str, access: Access) -> models.HttpRequest:
        """See `Finds.find`."""
        path = f"/purchase-orders?reference={quote(reference, safe='')}"
        return models.HttpRequest("GET", path, _authorised(access))

    def read_find(self, response: models.HttpResponse) -> models.FindResult:
        """See `Finds.read_find`. A look-up has no effect, so after a server error it is asked again.

        A 404 means that there is none only with the error of the contract. Without it a gateway may have given the 404,
        or the address is wrong; then the supplier is asked again.
        """
        if response.status == 404 and _says_error(response):
            return models.Absent()
        if response.status in _ASK_AGAIN or response.status >= 500:
            why = f"the supplier answered {response.status}" if response.status in NO_SUCH_ADDRESS else ""
            return models.Busy(why=why, retry_after=retry_after(response))
        if response.status in ABOUT_US:
            return _key_refused(response)
        if response.status != 200:
            return models.Unknown(why=_words(response))
        try:
            body = read_json(response.body)
            found = body.rows("purchase_orders")
            if len(found) > 1:  # a supplier that ignores the filter would seem to have the order
                raise body.invalid("purchase_orders", "holds more than one for one reference")
            return _purchase_order(found[0]) if found else models.Absent()
        except InvalidMessage as senseless:
            return models.Unknown(why=f"the supplier's answer makes no sense: {senseless}")

    def cancel(self, reference: str, access: Access) -> models.HttpRequest:
        """See `Cancels.cancel`. By contract, to ask twice does no harm."""
        path = f"/purchase-orders/{quote(reference, safe='')}/cancel"
        return models.HttpRequest("POST", path, _authorised(access))

    def read_cancel(self, response: models.HttpResponse) -> models.CancelResult:
        """See `Cancels.read_cancel`."""
        if response.status == 202:
            return models.CancelPending()
        if response.status != 200:
            return _not_done(response)
        try:
            cancelled = read_json(response.body).text("status") == "cancelled"
        except InvalidMessage:
            cancelled = False
        return models.CancelAccepted() if cancelled else _senseless(response)

    def read_events(self, request: RawRequest, supplier: models.Supplier) -> Sequence[models.SupplierEvent]:
        """See `ReceivesSupplierEvents.read_events`. An event about another supplier's purchase order is refused."""
        body = read_json(request.body)
        kind = _KINDS.get(body.text("type"))
        if kind is None:
            return []
        data = body.child("data")
        if kind == "shipped" and not data.has("shipment"):
            raise data.invalid("shipment", "is missing")
        event = models.SupplierEvent(
            kind=kind,
            purchase_order=_own_reference(data, supplier),
            occurred_at=data.time_or_none("occurred_at") or body.time_or_none("timestamp"),
            supplier_reference=data.text("supplier_order_id", limit=100),
            reason=data.text("reason", limit=500),
            shipment=_shipment(data.child("shipment"), supplier) if kind == "shipped" else None,
        )
        return [event]


def _authorised(access: Access) -> dict[str, str]:
    return {"authorization": f"Bearer {credential(access, 'api_key')}", "accept": "application/json"}


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _purchase_order(body: Fields) -> models.Placed:
    reference = _reference(body)
    if not (number := body.text("supplier_order_id", limit=100)):
        raise body.invalid("supplier_order_id", "is empty")
    acknowledged = body.text("status") == "acknowledged"
    return models.Placed(purchase_order=str(reference), supplier_reference=number, acknowledged=acknowledged)


def _placed(response: models.HttpResponse) -> models.Placed | None:
    try:
        return _purchase_order(read_json(response.body))
    except InvalidMessage:
        return None


def _senseless(response: models.HttpResponse) -> models.Unknown:
    return models.Unknown(why=f"the supplier answered {response.status} with a body that is not in its contract")


def _not_done(response: models.HttpResponse) -> models.Refused | models.Busy | models.Unknown:
    if response.status in BUSY:
        return models.Busy(retry_after=retry_after(response))
    if not 400 <= response.status < 500 or response.status == 408:
        return models.Unknown(why=f"the supplier answered {response.status}")
    return _key_refused(response) if response.status in ABOUT_US else models.Refused(words=_words(response))


def _key_refused(response: models.HttpResponse) -> models.Busy:
    return models.Busy(why=f"the supplier does not take our key: it answered {response.status}")


def _says_error(response: models.HttpResponse) -> bool:
    """Whether it is the error of the contract, which no gateway answers: `{"error": {"message": "…"}}`."""
    try:
        return bool(read_json(response.body).child("error").text("message"))
    except InvalidMessage:
        return False


def _words(response: models.HttpResponse) -> str:
    """The supplier's own message for a person, or the status if there is none."""
    try:
        body = read_json(response.body)
        words = (body.child("error") if body.has("error") else body).text("message", limit=500)
    except InvalidMessage:
        words = ""
    return words or f"the supplier answered {response.status}"


def _reference(data: Fields) -> PurchaseOrderId:
    text = data.text("reference", limit=LONGEST_REFERENCE + 1)
    if len(text) > LONGEST_REFERENCE or str(parsed := PurchaseOrderId.parse(text)) != text:
        raise data.invalid("reference", "is not one of our purchase order ids")
    return parsed


def _own_reference(data: Fields, supplier: models.Supplier) -> str:
    reference = _reference(data)
    if reference.supplier != supplier.id:
        raise data.invalid("reference", f"is not of a purchase order of supplier {supplier.id}")
    return str(reference)


def _shipment(shipment: Fields, supplier: models.Supplier) -> models.Shipment:
    units = Counter[str]()
    for row in shipment.rows_if_any("lines"):
        units[row.id("line")] += row.count("quantity", least=1)
    if any(quantity > 1_000_000 for quantity in units.values()):
        raise shipment.invalid("lines", "count more units than there can be")
    return models.Shipment(
        carrier=_carrier(shipment.text("carrier"), supplier),
        number=_waybill_number(shipment),
        lines=tuple(models.ShippedLine(line=line, quantity=quantity) for line, quantity in units.items()),
    )


def _carrier(name: str, supplier: models.Supplier) -> str:
    """Our id for the carrier: as the registry maps the supplier's name, or else a slug of that name.

    The parcel is under way even if we do not know its carrier. If the event were refused, neither the marketplace nor
    the buyer would get its number. With a slug such as `dhl-paket` they do. No tracker follows it, but its own clock
    tells a person when there is no news.
    """
    known = supplier.carriers.get(name, name)
    return known if CONNECTION_ID.fullmatch(known) else _slug(name)


def _slug(name: str) -> str:
    """The name as an id: "DHL Paket" becomes `dhl-paket`; `other` if nothing is left of the name."""
    latin = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NO_SLUG.sub("-", latin).strip("-")[:32].strip("-") or "other"


def _waybill_number(shipment: Fields) -> str:
    """The number without blanks and invisible characters, which may come from copying it out of a sheet."""
    text = shipment.text("tracking_number", limit=1000)
    number = "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Cf")
    if not EXTERNAL_ID.fullmatch(number):
        raise shipment.invalid("tracking_number", "is not a waybill number")
    return number
