"""Shopify's webhooks, from recorded payloads."""

import copy

import pytest

from dropship.connectors import marketplace
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import AfterSalesRequested, OrderChanged
from dropship.domain.money import Money
from tests.support.recorded import SHOP, load, only, webhook

ORDER_TOPICS = ["orders/create", "orders/paid", "orders/updated", "orders/cancelled"]


def read(topic, body, **headers):
    kept = {"x-shopify-topic": topic, "x-shopify-shop-domain": SHOP.domain, **headers}
    return only(marketplace("shopify").read_events(webhook(body, kept), SHOP))


@pytest.fixture
def order():
    return load("shopify_orders_paid")


def line(payload):
    return payload["line_items"][0]


@pytest.mark.parametrize("topic", ORDER_TOPICS)
def test_an_order_is_read_field_by_field(topic, order):
    event = read(topic, order)

    assert isinstance(event, OrderChanged)
    assert event.order.model_dump(mode="json") == {
        "shop": "main-shop",
        "external_id": "820982911946154508",
        "number": "#9999",
        "updated_at": "2026-11-20T17:01:19Z",
        "placed_at": "2026-11-20T17:01:19Z",
        "paid": True,
        "refunded": False,
        "cancelled_at": None,
        "total": {"minor": 39800, "currency": "USD"},
        "lines": [
            {
                "id": line_id,
                "sku": "IPOD2008PINK",
                "title": "IPod Nano - 8GB",
                "quantity": 1,
                "fulfillable": 1,
                "unit_price": {"minor": 19900, "currency": "USD"},
                "requires_shipping": True,
            }
            for line_id in ("866550311766439020", "141249953214522974")
        ],
        "refunds": [],
        "chosen_shipping": "Generic Shipping",
    }
    assert event.recipient is not None
    assert event.recipient.model_dump() == {
        "name": "Steve Shipper",
        "company": "Shipping Company",
        "phone": "555-555-SHIP",
        "address1": "123 Shipping Street",
        "address2": "",
        "city": "Shippington",
        "province": "Kentucky",
        "postal_code": "40003",
        "country_code": "US",
    }


@pytest.mark.parametrize(
    ("status", "paid"),
    [
        ("paid", True),
        ("partially_refunded", True),
        ("pending", False),
        ("authorized", False),
        ("partially_paid", False),
        ("refunded", False),
        ("voided", False),
        (None, False),
    ],
)
def test_only_money_that_came_and_stayed_is_paid(order, status, paid):
    order["financial_status"] = status
    assert read("orders/updated", order).order.paid is paid
    assert read("orders/updated", order).order.refunded is (status in {"refunded", "voided"})


def test_a_cancelled_order_says_since_when(order):
    order["cancelled_at"] = "2026-11-20T14:00:00-04:00"
    assert read("orders/cancelled", order).order.cancelled_at.isoformat() == "2026-11-20T18:00:00+00:00"


def test_refunds_that_the_order_already_reflects_are_named(order):
    order["refunds"] = [{"id": 890088186047892319}, {"id": 2}]
    assert read("orders/updated", order).order.refunds == ("890088186047892319", "2")


def test_units_still_to_be_sent_are_fulfillable_quantity_not_quantity(order):
    line(order).update(quantity=3, fulfillable_quantity=2)
    assert read("orders/updated", order).order.lines[0].units_to_ship == 2


@pytest.mark.parametrize("change", [{"requires_shipping": False}, {"gift_card": True}])
def test_what_needs_no_parcel_has_no_units_to_ship(order, change):
    line(order).update(change)
    assert read("orders/paid", order).order.lines[0].units_to_ship == 0


def test_an_order_without_address_has_no_recipient(order):
    del order["shipping_address"]
    assert read("orders/paid", order).recipient is None
    assert read("orders/paid", {**order, "shipping_address": None}).recipient is None


def test_a_recipient_without_full_name_has_first_and_last(order):
    del order["shipping_address"]["name"]
    assert read("orders/paid", order).recipient.name == "Steve Shipper"


def test_missing_texts_are_empty(order):
    line(order)["sku"] = None
    order["shipping_lines"] = []
    event = read("orders/paid", order)
    assert (event.order.lines[0].sku, event.order.chosen_shipping) == ("", "")


def test_long_texts_are_cut(order):
    line(order)["title"] = "长" * 3000
    assert read("orders/paid", order).order.lines[0].title == "长" * 255


def test_yen_have_no_minor_unit(order):
    order.update(currency="JPY", total_price="398")
    for row in order["line_items"]:
        row["price"] = "199"
    assert read("orders/paid", order).order.total == Money(minor=398, currency="JPY")


def test_no_more_units_can_be_to_send_than_were_sold(order):
    line(order).update(quantity=1, fulfillable_quantity=5)
    with pytest.raises(InvalidMessage, match="fulfillable_quantity is more than was sold"):
        read("orders/paid", order)


@pytest.mark.parametrize("field", ["quantity", "fulfillable_quantity"])
@pytest.mark.parametrize("value", [True, "3", -1, 1.5, None, 10**9])
def test_a_quantity_that_is_no_count_is_named(order, field, value):
    line(order)[field] = value
    with pytest.raises(InvalidMessage, match=rf"line_items\[0\].{field} is"):
        read("orders/paid", order)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", True),
        ("id", "8#2"),
        ("id", "8\0"),
        ("updated_at", "2026-11-20T13:01:19"),
        ("line_items", None),
        ("line_items", {}),
        ("line_items", [None]),
        ("shipping_address", "here"),
        ("refunds", [{"id": "a b"}]),
        ("name", "\ud800"),
    ],
)
def test_an_order_that_breaks_its_contract_is_refused_by_field(order, field, value):
    order[field] = value
    with pytest.raises(InvalidMessage, match=field):
        read("orders/paid", order)


@pytest.mark.parametrize(
    ("field", "value", "read_as"),
    [
        ("created_at", None, {"placed_at": None}),
        ("created_at", "yesterday", {"placed_at": None}),
        ("total_price", "NaN", {"total": None}),
        ("total_price", "-1.00", {"total": None}),
        ("total_price", "398.0049", {"total": Money(minor=39800, currency="USD")}),
        ("currency", "dollars", {"total": None}),
    ],
)
def test_an_amount_or_a_time_that_only_informs_refuses_no_order(order, field, value, read_as):
    order[field] = value
    (name,) = read_as
    assert getattr(read("orders/paid", order).order, name) == read_as[name]


def test_a_price_may_have_four_decimals(order):
    line(order)["price"] = "13.9563"
    assert read("orders/paid", order).order.lines[0].unit_price == Money(minor=1396, currency="USD")


def test_an_order_that_was_cancelled_at_no_time_that_can_be_read_is_cancelled(order):
    order["cancelled_at"] = "just now"
    event = read("orders/cancelled", order)
    assert event.order.cancelled_at == event.order.updated_at


def test_a_line_that_comes_twice_is_refused(order):
    order["line_items"].append(copy.deepcopy(line(order)))
    with pytest.raises(InvalidMessage, match=r"line_items\[2\].id"):
        read("orders/paid", order)


@pytest.mark.parametrize("domain", ["other.myshopify.com", ""])
def test_a_webhook_of_another_shop_is_refused(order, domain):
    with pytest.raises(InvalidMessage, match="main-shop"):
        read("orders/paid", order, **{"x-shopify-shop-domain": domain})


def test_the_shop_domain_may_be_written_in_capitals(order):
    assert read("orders/paid", order, **{"x-shopify-shop-domain": "JSmith.myshopify.com"})


def test_headers_may_come_without_their_x(order):
    headers = {"shopify-topic": "orders/paid", "shopify-shop-domain": SHOP.domain}
    assert marketplace("shopify").read_events(webhook(order, headers), SHOP)


@pytest.mark.parametrize("topic", ["orders/edited", "app/uninstalled", "customers/redact", "orders/delete", "", "x"])
def test_a_topic_that_is_not_for_us_says_nothing(topic):
    assert read(topic, "not even JSON") is None


def test_a_refund_is_read_field_by_field():
    event = read("refunds/create", load("shopify_refunds_create"))

    assert isinstance(event, AfterSalesRequested)
    assert event.model_dump(mode="json") == {
        "kind": "refund",
        "id": "890088186047892319",
        "shop": "main-shop",
        "order": "820982911946154508",
        "requested_at": "2022-01-01T00:00:00Z",
        "units": [{"line": "487817672276298554", "quantity": 1}],
        "amount": {"minor": 8999, "currency": "USD"},
        "reason": "Things were damaged",
    }


def test_a_refund_counts_only_the_money_that_went_back():
    refund = load("shopify_refunds_create")
    (paid_back,) = refund["transactions"]
    others = [{"status": "failure"}, {"status": "pending"}, {"kind": "void"}]
    refund["transactions"] += [{**paid_back, **other} for other in others] + [{**paid_back, "amount": "10.01"}]
    assert read("refunds/create", refund).amount == Money(minor=10000, currency="USD")


@pytest.mark.parametrize("gone", [{}, {"refund_line_items": None}], ids=["missing", "null"])
def test_a_refund_without_its_list_of_lines_is_refused(gone):
    """Read as a refund of no unit, it would let the refunded units be sent."""
    refund = load("shopify_refunds_create")
    del refund["refund_line_items"]
    with pytest.raises(InvalidMessage, match="refund_line_items"):
        read("refunds/create", refund | gone)


def test_a_refund_without_money_has_no_amount():
    assert read("refunds/create", {**load("shopify_refunds_create"), "transactions": []}).amount is None


def test_of_a_refund_in_two_currencies_the_first_one_is_shown():
    refund = load("shopify_refunds_create")
    (paid_back,) = refund["transactions"]
    others = [{"currency": "EUR"}, {"amount": "much"}, {"amount": "1.00"}]
    refund["transactions"] += [{**paid_back, **other} for other in others]
    event = read("refunds/create", refund)
    assert (event.amount, len(event.units)) == (Money(minor=9099, currency="USD"), 1)


def test_units_of_one_line_are_added_up_and_none_left_out():
    refund = load("shopify_refunds_create")
    (row,) = refund["refund_line_items"]
    refund["refund_line_items"] += [{**row, "quantity": 2}, {**row, "line_item_id": 7, "quantity": 0}]
    (units,) = read("refunds/create", refund).units
    assert (units.line, units.quantity) == ("487817672276298554", 3)


RETURN = {
    "id": 945000954,
    "order": {"id": 820982911946154508},
    "return_line_items": [
        {
            "quantity": 1,
            "return_reason": "wrong_item",
            "fulfillment_line_item": {"line_item": {"id": 866550311766439020}},
        }
    ],
}


@pytest.mark.parametrize("order", [{"order": {"id": 820982911946154508}}, {"order_id": 820982911946154508}])
def test_a_return_that_is_asked_for_opens_a_case(order):
    body = {"id": RETURN["id"], "return_line_items": RETURN["return_line_items"], **order}
    event = read("returns/request", body, **{"x-shopify-triggered-at": "2026-11-20T08:15:30.123456789Z"})

    assert (event.kind, event.id, event.order) == ("return", "945000954", "820982911946154508")
    assert [(units.line, units.quantity) for units in event.units] == [("866550311766439020", 1)]
    assert (event.amount, event.reason) == (None, "wrong_item")
    assert event.requested_at.isoformat() == "2026-11-20T08:15:30.123456+00:00"


def test_a_return_without_any_time_is_a_return():
    assert read("returns/request", RETURN).requested_at is None
