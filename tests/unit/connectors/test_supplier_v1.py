"""Supplier API v1: purchase orders out, answers and events in."""

import json
from datetime import UTC, datetime

import pytest

from dropship.connectors import supplier
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import (
    CancelAccepted,
    CancelPending,
    Placed,
    Shipment,
    ShippedLine,
)
from tests.support.recorded import PURCHASE_ORDER, REFERENCE, SUPPLIER, SUPPLIER_ACCESS, answer, only, webhook

PLACED = {"reference": REFERENCE, "supplier_order_id": "S-10021"}
REFUSAL = {"error": {"message": "we do not ship to that country"}}
DEEP = b"[" * 100_000
supplier_v1 = supplier("supplier-v1")


def test_a_purchase_order_is_placed_under_its_own_id():
    request = supplier_v1.place(PURCHASE_ORDER, SUPPLIER_ACCESS)

    assert (request.method, request.path) == ("POST", "/purchase-orders")
    assert request.headers["idempotency-key"] == REFERENCE
    assert request.headers["authorization"] == "Bearer key"
    assert json.loads(request.body) == {
        "reference": REFERENCE,
        "order_number": "#9999",
        "lines": [{"line": "7", "sku": "Y-7", "quantity": 2, "unit_cost": {"minor": 1990, "currency": "CNY"}}],
        "recipient": {
            "name": "王小明",
            "company": "",
            "phone": "",
            "address1": "1 Road",
            "address2": "",
            "city": "Ürümqi",
            "province": "",
            "postal_code": "",
            "country_code": "CN",
        },
        "shipping_method": "express",
        "packing_note": "no invoice",
        "ship_by": "2026-11-24T00:00:00.000Z",
    }


def test_the_same_purchase_order_is_always_the_same_bytes():
    once, again = (supplier_v1.place(PURCHASE_ORDER, SUPPLIER_ACCESS) for _ in range(2))
    assert once == again


def test_a_purchase_order_may_have_no_last_day():
    request = supplier_v1.place(PURCHASE_ORDER.model_copy(update={"ship_by": None}), SUPPLIER_ACCESS)
    assert json.loads(request.body)["ship_by"] is None


def test_references_are_encoded_in_addresses():
    find, cancel = supplier_v1.find("a/b&c", SUPPLIER_ACCESS), supplier_v1.cancel("a/b&c", SUPPLIER_ACCESS)
    assert (find.method, find.path) == ("GET", "/purchase-orders?reference=a%2Fb%26c")
    assert (cancel.method, cancel.path) == ("POST", "/purchase-orders/a%2Fb%26c/cancel")
    assert find.headers["authorization"] == cancel.headers["authorization"] == "Bearer key"


@pytest.mark.parametrize("read", [supplier_v1.read_place, supplier_v1.read_cancel])
class TestWhateverWeAsk:
    @pytest.mark.parametrize("status", [425, 429, 503])
    def test_busy_is_busy_with_or_without_a_time(self, read, status):
        assert read(answer(status)) == Busy()
        assert read(answer(status, retry_after="30")) == Busy(retry_after=30)
        assert read(answer(status, retry_after="Sat, 21 Nov 2026 08:00:00 GMT")) == Busy()

    @pytest.mark.parametrize("status", [100, 204, 301, 302, 408, 500, 501, 502, 504, 520, 599])
    def test_nobody_knows_after_an_answer_that_says_nothing(self, read, status):
        assert isinstance(read(answer(status, PLACED)), Unknown)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", DEEP, b"{}", b'{"reference":1}', b"\xff"])
    def test_nobody_knows_after_a_garbled_success(self, read, body):
        assert isinstance(read(answer(200, body)), Unknown)

    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_a_refusal_keeps_the_suppliers_words(self, read, status):
        assert read(answer(status, REFUSAL)) == Refused(words="we do not ship to that country")
        assert read(answer(status, {"message": "no"})) == Refused(words="no")

    @pytest.mark.parametrize("status", [401, 402, 403, 407, 423])
    def test_a_key_that_is_not_taken_is_for_a_person_to_mend_and_no_refusal_of_the_order(self, read, status):
        why = f"the supplier does not take our key: it answered {status}"
        assert read(answer(status, REFUSAL)) == Busy(why=why)

    @pytest.mark.parametrize("body", [b"", b"<html>", {"error": "no"}, {"error": {"message": ""}}, DEEP])
    def test_a_refusal_without_words_has_its_status(self, read, body):
        assert read(answer(422, body)) == Refused(words="the supplier answered 422")

    def test_long_words_are_cut(self, read):
        assert read(answer(400, {"error": {"message": "x" * 9999}})) == Refused(words="x" * 500)


GATEWAYS = [b"", b"<html>", {"error": "Not Found"}, {"detail": "Not Found"}, {"message": "Not Found"}, {"error": {}}]


@pytest.mark.parametrize("status", [404, 405, 410])
@pytest.mark.parametrize("body", GATEWAYS)
def test_that_there_is_no_such_address_says_nothing_of_a_purchase_order(status, body):
    """A gateway, or a wrong address, answers so, whether or not the supplier has it."""
    assert supplier_v1.read_place(answer(status, body)) == Unknown(why=f"the supplier answered {status}")
    assert supplier_v1.read_find(answer(status, body)) == Busy(why=f"the supplier answered {status}")
    assert supplier_v1.read_place(answer(status, REFUSAL)) == Refused(words="we do not ship to that country")


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_cancellation_that_finds_no_address_is_for_a_person(status):
    """Asked again and again it would never end, and nobody would be told."""
    assert supplier_v1.read_cancel(answer(status)) == Refused(words=f"the supplier answered {status}")


def test_a_conflict_that_does_not_say_what_is_there_has_to_be_looked_up():
    assert isinstance(supplier_v1.read_place(answer(409, REFUSAL)), Unknown)


@pytest.mark.parametrize("status", [200, 201, 409])
def test_a_purchase_order_that_is_there_is_placed(status):
    assert supplier_v1.read_place(answer(status, PLACED)) == Placed(
        purchase_order=REFERENCE, supplier_reference="S-10021"
    )


@pytest.mark.parametrize("body", [{"reference": REFERENCE}, {"supplier_order_id": "S"}, {**PLACED, "reference": "x"}])
def test_a_success_that_does_not_name_the_purchase_order_is_unknown(body):
    assert isinstance(supplier_v1.read_place(answer(201, body)), Unknown)


def test_a_202_does_not_place_anything():
    assert isinstance(supplier_v1.read_place(answer(202, PLACED)), Unknown)


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (answer(200, {"purchase_orders": [PLACED]}), Placed(purchase_order=REFERENCE, supplier_reference="S-10021")),
        (answer(200, {"purchase_orders": []}), Absent()),
        (answer(404, REFUSAL), Absent()),
        *((answer(status), Busy(why=f"the supplier answered {status}")) for status in (404, 405, 410)),
        *((answer(status), Busy()) for status in (408, 425, 429, 500, 502, 503, 504)),
        (answer(429, retry_after="9"), Busy(retry_after=9)),
        (answer(401), Busy(why="the supplier does not take our key: it answered 401")),
    ],
)
def test_answers_to_the_look_up(response, result):
    assert supplier_v1.read_find(response) == result


@pytest.mark.parametrize(
    "response",
    [
        answer(200, b"<html>"),
        answer(200, {}),
        answer(200, {"purchase_orders": None}),
        answer(200, {"purchase_orders": [{}]}),
        answer(200, {"purchase_orders": [PLACED, PLACED]}),
        answer(200, DEEP),
        answer(204),
        answer(302),
        answer(400),
    ],
)
def test_a_look_up_that_tells_nothing_is_never_absent(response):
    assert isinstance(supplier_v1.read_find(response), Unknown)


def test_answers_to_a_cancellation():
    assert supplier_v1.read_cancel(answer(200, {"status": "cancelled"})) == CancelAccepted()
    assert supplier_v1.read_cancel(answer(202)) == CancelPending()
    assert isinstance(supplier_v1.read_cancel(answer(200, {"status": "shipped"})), Unknown)


def event(kind, at="2026-11-21T16:20:00+08:00", **data):
    return {"type": f"purchase_order.{kind}", "timestamp": at, "data": {"reference": REFERENCE, **data}}


def read_event(body):
    return only(supplier_v1.read_events(webhook(body), SUPPLIER))


@pytest.mark.parametrize("kind", ["acknowledged", "rejected", "cancelled", "cancel_rejected"])
def test_an_event_is_read_field_by_field(kind):
    read = read_event(event(kind, supplier_order_id="S-10021", reason="out of stock"))

    assert (read.kind, read.purchase_order) == (kind, REFERENCE)
    assert (read.supplier_reference, read.reason, read.shipment) == ("S-10021", "out of stock", None)
    assert read.occurred_at == datetime(2026, 11, 21, 8, 20, tzinfo=UTC)


def test_the_moment_of_what_happened_goes_before_that_of_the_event():
    read = read_event(event("cancelled", occurred_at="2026-11-21T01:00:00Z"))
    assert read.occurred_at == datetime(2026, 11, 21, 1, tzinfo=UTC)


def shipped(**shipment):
    return event("shipped", shipment={"carrier": "圆通速递", "tracking_number": "YT9693083639795", **shipment})


def test_a_shipment_is_read_with_our_carrier():
    lines = [{"line": "7", "quantity": 1}, {"line": 866550311766439020, "quantity": 2}, {"line": "7", "quantity": 1}]
    assert read_event(shipped(lines=lines)).shipment == Shipment(
        carrier="yto",
        number="YT9693083639795",
        lines=(ShippedLine(line="7", quantity=2), ShippedLine(line="866550311766439020", quantity=2)),
    )


def test_a_shipment_without_lines_is_all_that_is_left():
    assert read_event(shipped()).shipment.lines == ()


def test_a_carrier_that_is_not_mapped_may_be_our_own_id():
    assert read_event(shipped(carrier="sf")).shipment.carrier == "sf"


@pytest.mark.parametrize(
    ("name", "carrier"),
    [
        ("DHL Paket", "dhl-paket"),
        ("YTO", "yto"),
        (" J&T Express! ", "j-t-express"),
        ("a#b", "a-b"),
        ("Österreichische Post", "osterreichische-post"),
        ("Deutsche Post DHL Group Brief International", "deutsche-post-dhl-group-brief-in"),
        ("Very Long Carrier With Thirty-1 & Co", "very-long-carrier-with-thirty-1"),
        ("中通", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_the_parcel_of_a_carrier_nobody_knows_is_kept_under_a_slug_of_its_name(name, carrier):
    assert read_event(shipped(carrier=name)).shipment.carrier == carrier


def test_a_carrier_that_is_no_text_is_named():
    with pytest.raises(InvalidMessage, match=r"data.shipment.carrier"):
        read_event(shipped(carrier=["yto"]))


@pytest.mark.parametrize("quantity", [0, -1, True, "1", 1.5, None, 1_000_001])
def test_a_shipped_quantity_that_is_no_count_is_named(quantity):
    with pytest.raises(InvalidMessage, match=r"data.shipment.lines\[0\].quantity"):
        read_event(shipped(lines=[{"line": "7", "quantity": quantity}]))


def test_units_beyond_counting_are_refused():
    with pytest.raises(InvalidMessage, match="lines"):
        read_event(shipped(lines=[{"line": "7", "quantity": 1_000_000}] * 2))


@pytest.mark.parametrize(
    "written",
    [" YT1 ", "YT 1", "Y T\t1\n", "\ufeffYT1", "YT\u200b1", "\u2066YT1\u2069", "Y\u00a0T\u30001", "YT\0" + "1"],
)
def test_a_waybill_number_is_read_without_blanks_and_unseen_characters(written):
    assert read_event(shipped(tracking_number=written)).shipment.number == "YT1"


def test_a_waybill_number_may_be_a_whole_number():
    assert read_event(shipped(tracking_number=773000111222)).shipment.number == "773000111222"


@pytest.mark.parametrize("number", ["", " ", "\u200b", None, "运单", "YT#1", "x" * 65, True, ["YT1"]])
def test_a_number_that_is_no_waybill_is_refused(number):
    with pytest.raises(InvalidMessage, match="tracking_number"):
        read_event(shipped(tracking_number=number))


def test_a_shipped_event_without_shipment_is_refused():
    with pytest.raises(InvalidMessage, match="shipment"):
        read_event(event("shipped"))


@pytest.mark.parametrize(
    "reference",
    [
        "main-shop.1.other.1.1",
        "main-shop.1.yiwu.1",
        "main-shop.1.yiwu.01.1",
        "main-shop.1.yiwu.１.1",
        "main-shop.1.yiwu.1." + "9" * 5000,
        "Main.1.yiwu.1.1",
        "",
        None,
        5,
    ],
)
def test_a_supplier_speaks_only_of_its_own_purchase_orders(reference):
    with pytest.raises(InvalidMessage):
        read_event(event("acknowledged", reference=reference))


@pytest.mark.parametrize("at", ["2026-11-21T16:20:00", "yesterday", None])
def test_an_event_without_a_moment_that_can_be_read_counts_all_the_same(at):
    assert read_event(event("acknowledged", at=at)).occurred_at is None
    stamped = read_event(event("acknowledged", occurred_at=at))
    assert stamped.occurred_at == datetime(2026, 11, 21, 8, 20, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["purchase_order.invoiced", "stock.changed", "", None])
def test_a_type_that_is_not_for_us_says_nothing(kind):
    assert read_event({"type": kind}) is None


@pytest.mark.parametrize("body", ["", "[]", "null", '{"type":"purchase_order.shipped"}', "[" * 100_000])
def test_an_event_that_makes_no_sense_is_refused(body):
    with pytest.raises(InvalidMessage):
        read_event(body)
