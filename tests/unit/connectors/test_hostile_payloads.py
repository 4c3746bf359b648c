"""Signed payloads that make no sense: any value in any field gives an event, nothing, or InvalidMessage."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship.connectors import marketplace, supplier, tracker
from dropship.domain.errors import InvalidMessage
from tests.support.hostile import HOSTILE, places, replaced
from tests.support.recorded import REFERENCE, SHOP, SUPPLIER, TRACKER, kuaidi100_push, load, only, webhook

SHIPPED = {
    "type": "purchase_order.shipped",
    "timestamp": "2026-11-21T08:15:30Z",
    "data": {
        "reference": REFERENCE,
        "supplier_order_id": "S",
        "reason": "",
        "occurred_at": "2026-11-21T08:15:30Z",
        "shipment": {"carrier": "yto", "tracking_number": "YT1", "lines": [{"line": "7", "quantity": 1}]},
    },
}


def read_shopify(topic):
    headers = {"x-shopify-topic": topic, "x-shopify-shop-domain": SHOP.domain}
    return lambda body: only(marketplace("shopify").read_events(webhook(body, headers), SHOP))


def read_supplier(body):
    return only(supplier("supplier-v1").read_events(webhook(body), SUPPLIER))


def read_kuaidi100(param):
    return only(tracker("kuaidi100").read_events(kuaidi100_push(param), TRACKER))


READERS = {
    "order": (read_shopify("orders/paid"), load("shopify_orders_paid")),
    "refund": (read_shopify("refunds/create"), load("shopify_refunds_create")),
    "supplier": (read_supplier, SHIPPED),
    "push": (read_kuaidi100, load("kuaidi100_push")["shutdown_delivered"]),
}


@pytest.mark.parametrize("kind", READERS)
def test_the_payload_itself_is_an_event(kind):
    read, payload = READERS[kind]
    assert read(payload) is not None


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
def test_one_senseless_field_is_refused_or_passed_over(kind, data):
    read, payload = READERS[kind]
    path = data.draw(st.sampled_from(list(places(payload))))
    with contextlib.suppress(InvalidMessage):
        event = read(replaced(payload, path, data.draw(st.sampled_from(HOSTILE))))
        assert event is None or json.loads(event.model_dump_json())


@pytest.mark.parametrize("kind", READERS)
def test_every_field_may_be_missing(kind):
    read, payload = READERS[kind]
    for path in places(payload):
        with contextlib.suppress(InvalidMessage):
            read(replaced(payload, path, None))


@pytest.mark.parametrize("kind", ["order", "refund", "supplier"])
@pytest.mark.parametrize("body", ["", "[" * 100_000, '{"id":' + "9" * 5000 + "}", '{"id":1,"id":2}', "\ufeff[]"])
def test_what_is_no_json_object_is_refused(kind, body):
    read, _ = READERS[kind]
    with pytest.raises(InvalidMessage):
        read(body)
