"""WooCommerce beyond its recording: statuses, addresses, refunds without their line, and missing orders."""

import pytest

from dropship.connectors import marketplace
from dropship.connectors.contract import NextRequest
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import OrderHint
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.money import Money
from dropship.domain.registry.connections import Shop
from tests.support.recorded import access, answer, load, only, webhook

SHOP = Shop(id="woo-shop", channel="woocommerce", base_url="https://shop.example", domain="shop.example")
UNKNOWN_ORDER = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
woocommerce = marketplace("woocommerce")


@pytest.fixture
def order():
    return load("woocommerce_order_processing")["payload"]


def read(order, topic="order.updated"):
    return only(woocommerce.read_events(webhook(order, {"x-wc-webhook-topic": topic}), SHOP))


def with_refunds(order, *refunds):
    """The order as it is read with its refunds."""
    short = [{"id": one["id"], "total": "-1.00"} for one in refunds]
    following = woocommerce.read_order(answer(200, order | {"refunds": short}), SHOP)
    assert isinstance(following, NextRequest)
    return following.read(answer(200, list(refunds)))


def refund(number, *rows, **fields):
    made = {"id": number, "amount": "3.00", "reason": "", "date_created_gmt": "2026-11-21T09:00:00"}
    return made | {"line_items": list(rows)} | fields


def row(quantity, line=None, **fields):
    meta = [] if line is None else [{"key": "_other", "value": {}}, {"key": "_refunded_item_id", "value": line}]
    return {"id": 9, "quantity": quantity, "meta_data": meta} | fields


@pytest.mark.parametrize(
    ("status", "paid", "off", "open_units"),
    [
        ("pending", False, False, 2),
        ("on-hold", False, False, 2),
        ("failed", False, False, 2),
        ("checkout-draft", False, False, 2),
        ("processing", True, False, 2),
        ("completed", True, False, 0),
        ("cancelled", True, True, 2),
        ("trash", True, True, 2),
        ("refunded", True, True, 2),
        ("wc-packed", True, False, 2),
    ],
)
def test_the_status_says_what_is_to_be_sent(order, status, paid, off, open_units):
    order["status"] = status
    found = read(order).order
    assert (found.paid, found.off, found.lines[0].fulfillable) == (paid, off, open_units)


@pytest.mark.parametrize(("status", "paid"), [("processing", True), ("completed", True), ("wc-packed", False)])
def test_cash_on_delivery_is_paid_by_its_status(order, status, paid):
    order |= {"status": status, "date_paid": None, "date_paid_gmt": None}
    assert read(order).order.paid is paid


def test_a_cancelled_order_is_as_of_its_change(order):
    order["status"] = "cancelled"
    found = read(order).order
    assert found.cancelled_at == found.updated_at


def test_times_are_those_of_gmt_and_what_decides_has_to_be_there(order):
    assert read(order).order.updated_at.isoformat() == "2017-03-22T19:28:08+00:00"
    assert read(order | {"date_created_gmt": "soon"}).order.placed_at is None
    with pytest.raises(InvalidMessage, match="date_modified_gmt"):
        read(order | {"date_modified_gmt": None})


def test_prices_may_be_numbers_of_any_length(order):
    order["line_items"][0]["price"] = 3.333333333333
    assert read(order).order.lines[0].unit_price == Money(minor=333, currency="USD")


def test_an_order_without_a_shipping_address_goes_to_the_billing_address(order):
    order["shipping"] = dict.fromkeys(order["shipping"], "")
    order["billing"] |= {"first_name": "Jane", "address_1": "2 Street"}
    recipient = read(order).recipient
    assert (recipient.name, recipient.address1, recipient.phone) == ("Jane Doe", "2 Street", "(555) 555-5555")


def test_a_shipping_address_may_have_a_phone_of_its_own(order):
    order["shipping"]["phone"] = "123"
    assert read(order).recipient.phone == "123"


@pytest.mark.parametrize("gone", [None, {}, {"first_name": "Jane"}])
def test_an_order_without_any_address_has_no_recipient(order, gone):
    assert read(order | {"shipping": gone, "billing": gone}).recipient is None


@pytest.mark.parametrize("field", ["line_items", "id"])
def test_an_order_without_what_it_is_about_is_refused(order, field):
    del order[field]
    with pytest.raises(InvalidMessage, match=field):
        read(order)


def test_a_line_that_comes_twice_is_refused(order):
    order["line_items"].append(order["line_items"][0])
    with pytest.raises(InvalidMessage, match=r"line_items\[2\].id"):
        read(order)


@pytest.mark.parametrize("topic", ["order.created", "order.updated", "order.restored"])
def test_an_order_with_refunds_is_a_hint(order, topic):
    order["refunds"] = [{"id": 726, "total": "-10.00"}]
    assert read(order, topic) == OrderHint(order="727")


@pytest.mark.parametrize("topic", ["", "order.other", "product.updated", "customer.created"])
def test_a_topic_that_is_not_for_us_says_nothing(topic):
    assert read("not even JSON", topic) is None


def test_refunded_units_are_no_more_to_send_however_they_are_counted(order):
    changed, *refunds = with_refunds(order, refund(1, row(-1, "315")), refund(2, row(1, "315"), row(-1, 316)))
    assert [line.fulfillable for line in changed.order.lines] == [0, 0]
    assert changed.order.refunds == ("1", "2")
    assert [[(one.line, one.quantity) for one in refund.units] for refund in refunds] == [
        [("315", 1)],
        [("315", 1), ("316", 1)],
    ]


def test_no_refund_takes_more_than_was_sold(order):
    changed, _ = with_refunds(order, refund(1, row(-5, "315")))
    assert changed.order.lines[0].fulfillable == 0


def test_a_refund_that_does_not_name_its_line_is_of_the_product_if_there_is_one_such_line(order):
    _, by_product = with_refunds(order, refund(1, row(-1, product_id=93, variation_id=0)))
    assert [(one.line, one.quantity) for one in by_product.units] == [("315", 1)]
    order["line_items"][1] |= {"product_id": 93, "variation_id": 0}
    _, unclear = with_refunds(order, refund(1, row(-1, product_id=93, variation_id=0), row(-1, "999")))
    assert unclear.units == ()


@pytest.mark.parametrize("gone", [{}, {"line_items": None}], ids=["missing", "null"])
def test_a_refund_without_its_list_of_lines_says_nothing(order, gone):
    """Read as a refund of no unit, it would let the refunded units be sent."""
    bare = {name: value for name, value in refund(1).items() if name != "line_items"} | gone
    assert isinstance(with_refunds(order, bare), Unknown)


def test_a_refund_of_money_only_has_no_units_and_an_odd_amount_is_none(order):
    _, money, odd = with_refunds(order, refund(1), refund(2, row(0, "315"), amount="much", date_created_gmt=None))
    assert (money.units, money.amount) == ((), Money(minor=300, currency="USD"))
    assert (odd.units, odd.amount, odd.requested_at) == ((), None, None)


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (answer(404, UNKNOWN_ORDER), Absent()),
        (answer(404, b"<html>"), Busy(why="there is no WooCommerce API at the address of the shop")),
        (answer(404, {"code": "rest_no_route"}), Busy(why="there is no WooCommerce API at the address of the shop")),
        (answer(400, {"message": "no"}), Refused(words="WooCommerce answered 400: no")),
        (answer(301), Unknown(why="WooCommerce answered 301")),
    ],
)
def test_an_order_is_absent_only_where_the_api_itself_says_so(response, result):
    assert woocommerce.read_order(response, SHOP) == result


def test_an_order_that_is_not_there_takes_no_parcel():
    assert woocommerce.read_fulfilment(answer(404, UNKNOWN_ORDER)) == Refused(
        words="WooCommerce does not know the order"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Shipped by YTO Express, tracking number YT1", {"YT1": "5"}),
        ("shipped with YT1 yesterday", {}),
        ("Stock levels reduced: Mug (100→99)", {}),
        ("Shipped by A, tracking number A-1. And by B, tracking number B_2", {"A-1": "5", "B_2": "5"}),
        ("", {}),
    ],
)
def test_only_what_our_own_notes_say_counts_as_told(order, text, told):
    following = woocommerce.read_fulfilment(answer(200, order))
    assert following.read(answer(200, [{"id": 5, "note": text}])).told == told


@pytest.mark.parametrize(
    ("cursor", "pages", "following"), [("", "3", "2"), ("2", "3", "3"), ("3", "3", ""), ("", "", ""), ("", "x", "")]
)
def test_the_cursor_is_the_next_page(order, cursor, pages, following):
    response = answer(200, [order])._replace(headers={"x-wp-totalpages": pages})
    assert woocommerce.read_changed(response, cursor, SHOP).next_cursor == following


def test_a_listed_order_that_cannot_be_read_is_a_hint_and_one_without_id_makes_no_sense(order):
    broken = order | {"date_modified_gmt": None}
    page = woocommerce.read_changed(answer(200, [order, broken]), "", SHOP)
    assert [type(event).__name__ for event in page.events] == ["OrderChanged", "OrderHint"]
    assert isinstance(woocommerce.read_changed(answer(200, [{}]), "", SHOP), Unknown)


def test_the_key_is_basic_authorisation():
    request = woocommerce.ask_order("7/27", access(consumer_key="ck", consumer_secret="cs"))
    assert (request.path, request.headers["authorization"]) == ("/wp-json/wc/v3/orders/7%2F27", "Basic Y2s6Y3M=")
