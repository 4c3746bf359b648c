"""Telling Shopify of parcels."""

import json

import pytest

from dropship.connectors import marketplace
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import ShippedLine
from dropship.domain.exchange.writeback import FulfilmentGroup, FulfilmentState, ParcelShipped, WrittenBack
from tests.support.recorded import access, answer, load

ACCESS = access(access_token="token")
RECORDED = load("shopify_fulfillment_create")
THROTTLED = RECORDED["throttled_response_http200"]
DENIED = {"data": {"order": None}, "errors": [{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}]}
LOST = {"errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
shopify = marketplace("shopify")


def gid(kind, number):
    return f"gid://shopify/{kind}/{number}"


def group(number, status, *items, more=False):
    nodes = [
        {
            "id": gid("FulfillmentOrderLineItem", item),
            "remainingQuantity": left,
            "lineItem": {"id": gid("LineItem", line)},
        }
        for item, line, left in items
    ]
    lines = {"pageInfo": {"hasNextPage": more}, "nodes": nodes}
    return {"id": gid("FulfillmentOrder", number), "status": status, "lineItems": lines}


def state_answer(*groups, fulfilments=(), more=False):
    orders = {"pageInfo": {"hasNextPage": more}, "nodes": list(groups)}
    return answer(200, {"data": {"order": {"fulfillmentOrders": orders, "fulfillments": list(fulfilments)}}})


def told(number, status, *waybills):
    return {
        "id": gid("Fulfillment", number),
        "status": status,
        "trackingInfo": [{"number": waybill} for waybill in waybills],
    }


def test_the_question_names_the_order_and_carries_the_token():
    request = shopify.ask_fulfilment("820982911946154508", ACCESS)

    assert (request.method, request.path) == ("POST", "/admin/api/2026-10/graphql.json")
    assert request.headers["x-shopify-access-token"] == "token"
    assert json.loads(request.body)["variables"] == {"order": "gid://shopify/Order/820982911946154508"}


def test_open_units_and_known_numbers_are_read():
    state = shopify.read_fulfilment(
        state_answer(
            group(1, "OPEN", (11, 866550311766439020, 2), (12, 5, 0)),
            group(2, "IN_PROGRESS", (21, 7, 1)),
            group(3, "SCHEDULED", (31, 8, 1)),
            group(4, "CLOSED", (41, 9, 1)),
            group(5, "ON_HOLD", (51, 9, 1)),
            fulfilments=[
                told(1, "SUCCESS", "YT1", "YT2"),
                told(2, "CANCELLED", "YT3"),
                told(3, "SUCCESS", None),
            ],
        )
    )

    item = "FulfillmentOrderLineItem"
    assert state == FulfilmentState(
        groups=(
            FulfilmentGroup(id=gid("FulfillmentOrder", 1), lines=((gid(item, 11), "866550311766439020", 2),)),
            FulfilmentGroup(id=gid("FulfillmentOrder", 2), lines=((gid(item, 21), "7", 1),)),
            FulfilmentGroup(id=gid("FulfillmentOrder", 3), lines=((gid(item, 31), "8", 1),)),
        ),
        told={"YT1": gid("Fulfillment", 1), "YT2": gid("Fulfillment", 1)},
    )


@pytest.mark.parametrize(
    "response",
    [state_answer(group(1, "OPEN", (11, 7, 1), more=True)), state_answer(group(1, "OPEN", (11, 7, 1)), more=True)],
)
def test_more_lines_than_we_asked_for_are_left_to_a_person(response):
    assert isinstance(shopify.read_fulfilment(response), Refused)


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (answer(200, THROTTLED), Busy()),
        (answer(429, retry_after="2"), Busy(retry_after=2)),
        (answer(500), Busy()),
        (answer(503, retry_after="7"), Busy(retry_after=7)),
        (answer(200, DENIED), Busy(why="Shopify answered ACCESS_DENIED")),
        (answer(200, {"data": {"order": None}}), Refused(words="Shopify does not know the order")),
        (answer(404, b"<html>"), Refused(words="Shopify answered 404")),
        (answer(406, {"errors": {"a": 1}}), Refused(words="Shopify answered 406")),
        (answer(400, {"errors": "no"}), Refused(words="Shopify answered 400: no")),
        *(
            (answer(status, {"errors": "Invalid API key"}), Busy(why=f"Shopify answered {status}"))
            for status in (401, 402, 403, 423, 430)
        ),
    ],
)
def test_other_answers_to_the_question(response, result):
    assert shopify.read_fulfilment(response) == result


@pytest.mark.parametrize(
    "response",
    [
        answer(200, LOST),
        answer(200, b"<html>"),
        answer(200, b"[" * 100_000),
        answer(200, {"data": {"order": {"fulfillmentOrders": {"nodes": [{"id": 5}]}}}}),
        state_answer(group(1, "OPEN", (11, 7, "1"))),
        answer(302),
        answer(408),
    ],
)
def test_an_answer_that_makes_no_sense_is_unknown(response):
    assert isinstance(shopify.read_fulfilment(response), Unknown)


def parcel(*lines):
    return ParcelShipped(
        order="1",
        carrier_name="DHL",
        number="1234567890",
        lines=tuple(ShippedLine(line=line, quantity=quantity) for line, quantity in lines),
    )


def fulfilment(request):
    return json.loads(request.body)["variables"]["fulfillment"]


def writeback(state, *lines, notify_buyer=True):
    shipped = parcel(*lines).model_copy(update={"notify_buyer": notify_buyer})
    return shopify.writeback(shipped, state, ACCESS)


def test_the_writeback_is_the_recorded_request_but_for_the_link():
    recorded = RECORDED["request"]["variables"]["fulfillment"]
    del recorded["trackingInfo"]["url"]
    (recorded_group,) = recorded["lineItemsByFulfillmentOrder"]
    (line,) = recorded_group["fulfillmentOrderLineItems"]
    state = FulfilmentState(
        groups=(FulfilmentGroup(id=recorded_group["fulfillmentOrderId"], lines=((line["id"], "7", 1),)),)
    )

    assert fulfilment(writeback(state, ("7", 1))) == recorded


STATE = FulfilmentState(
    groups=(
        FulfilmentGroup(id="A", lines=(("a7", "7", 2), ("a8", "8", 1))),
        FulfilmentGroup(id="B", lines=(("b7", "7", 2), ("b9", "9", 1))),
    )
)


@pytest.mark.parametrize(
    ("lines", "groups"),
    [
        ([("7", 1)], {"A": {"a7": 1}}),
        ([("7", 3)], {"A": {"a7": 2}, "B": {"b7": 1}}),
        ([("7", 9), ("8", 1)], {"A": {"a7": 2, "a8": 1}, "B": {"b7": 2}}),
        ([("9", 1), ("unknown", 4)], {"B": {"b9": 1}}),
        ([("8", 1), ("8", 1)], {"A": {"a8": 1}}),
    ],
)
def test_only_units_of_the_parcel_that_are_open_are_told(lines, groups):
    told_groups = fulfilment(writeback(STATE, *lines, notify_buyer=False))["lineItemsByFulfillmentOrder"]
    assert {
        entry["fulfillmentOrderId"]: {line["id"]: line["quantity"] for line in entry["fulfillmentOrderLineItems"]}
        for entry in told_groups
    } == groups


def test_nothing_is_told_where_nothing_is_open():
    for state, line in ((STATE, "unknown"), (FulfilmentState(groups=()), "7")):
        with pytest.raises(InvalidMessage, match="none of the parcel's units"):
            writeback(state, (line, 1))


def test_the_buyer_is_notified_only_if_the_shop_wants_it():
    assert fulfilment(writeback(STATE, ("7", 1), notify_buyer=False))["notifyCustomer"] is False


def created(**result):
    return {"data": {"fulfillmentCreate": {"fulfillment": None, "userErrors": [], **result}}}


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (answer(200, RECORDED["response"]), WrittenBack(fulfilment="gid://shopify/Fulfillment/255858046")),
        (
            answer(200, created(userErrors=[{"field": None, "message": "already closed"}, {"message": "no"}])),
            Refused(words="already closed; no"),
        ),
        (answer(200, THROTTLED), Busy()),
        (answer(429), Busy()),
        (answer(503, retry_after="3"), Busy(retry_after=3)),
        (answer(200, DENIED), Busy(why="Shopify answered ACCESS_DENIED")),
        (answer(403, {"errors": "[API] forbidden"}), Busy(why="Shopify answered 403")),
    ],
)
def test_answers_to_the_writeback(response, result):
    assert shopify.read_writeback(response, parcel(("7", 1)), STATE) == result


@pytest.mark.parametrize(
    "response",
    [
        *(answer(status) for status in (200, 201, 302, 408, 500, 502, 504)),
        answer(200, b"{"),
        answer(200, {}),
        answer(200, {"data": {"fulfillmentCreate": None}}),
        answer(200, created()),
        answer(200, created(fulfillment={"id": 5})),
        answer(200, created(userErrors="x")),
        answer(200, LOST),
    ],
)
def test_nobody_knows_whether_the_writeback_happened(response):
    assert isinstance(shopify.read_writeback(response, parcel(("7", 1)), STATE), Unknown)
