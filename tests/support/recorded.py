"""Recorded payloads and the connections they belong to."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dropship.connectors.contract import Access, RawRequest
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.exchange.suppliers import PurchaseLine, PurchaseOrderRequest
from dropship.domain.money import Money
from dropship.domain.registry.connections import Shop, Supplier, Tracker
from dropship.ports import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "contracts"
NOW = datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC)
SHOP = Shop(id="main-shop", channel="shopify", base_url="http://shop.local", domain="jsmith.myshopify.com")
SUPPLIER = Supplier(
    id="yiwu", channel="supplier-v1", base_url="http://supplier.local", name="Yiwu", carriers={"圆通速递": "yto"}
)
SUPPLIER_ACCESS = Access({"api_key": "key"}, NOW)
TRACKER = Tracker(id="kd100", channel="kuaidi100", base_url="http://tracker.local", codes={"yuantong": "yto"})
REFERENCE = "main-shop.820982911946154508.yiwu.1.1"
PURCHASE_ORDER = PurchaseOrderRequest(
    id=REFERENCE,
    order_number="#9999",
    lines=(PurchaseLine(line="7", supplier_sku="Y-7", quantity=2, unit_cost=Money(minor=1990, currency="CNY")),),
    recipient=Recipient(name="王小明", address1="1 Road", city="Ürümqi", country_code="CN"),
    shipping_method="express",
    packing_note="no invoice",
    ship_by=datetime(2026, 11, 24, 8, tzinfo=timezone(timedelta(hours=8))),
)


def access(**secret):
    """The credentials that a request is signed with."""
    return Access(secret, NOW)


def only(events):
    """The one event; None where there is none."""
    return next(iter(events), None) if len(events) < 2 else pytest.fail(f"more than one: {events}")


def load(name):
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def vector(name):
    return load("signing_vectors")[name]


def signed_request(name):
    """The request of a signing vector, as the front door sees it."""
    recorded = vector(name)
    headers = {header.lower(): value for header, value in recorded["headers"].items()}
    return RawRequest(headers, recorded["raw_body"].encode())


def webhook(body, headers=None):
    """A webhook as it is read again after it was verified and kept."""
    text = body if isinstance(body, str) else json.dumps(body)
    return RawRequest(headers or {}, text.encode())


def kuaidi100_push(param):
    return webhook(urlencode({"sign": "checked before", "param": json.dumps(param)}))


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)
