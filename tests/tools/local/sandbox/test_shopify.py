import json
from datetime import UTC, datetime

import pytest

from dropship.connectors import marketplace
from dropship.connectors.contract import BadSignature
from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import ShippedLine
from dropship.domain.exchange.writeback import ParcelShipped, WrittenBack
from dropship.ports import HttpRequest
from tools.local.sandbox import examples

pytestmark = pytest.mark.enable_socket

SHOPIFY = marketplace("shopify")
BASE = "/shopify/main-shop"


@pytest.fixture
def order(sandbox):
    payload = examples.paid_order()
    sandbox.send_order("main-shop", payload, deliver=False)
    return payload


@pytest.fixture
def ask(call, access):
    def asking(order):
        request = SHOPIFY.ask_fulfilment(str(order["id"]), access("shopify/main-shop"))
        return SHOPIFY.read_fulfilment(call(BASE, request))

    return asking


@pytest.fixture
def tell(call, access, ask):
    def telling(order, number, units, state=None):
        lines = tuple(ShippedLine(line=str(line), quantity=quantity) for line, quantity in units.items())
        parcel = ParcelShipped(order=str(order["id"]), carrier_name="圆通速递", number=number, lines=lines)
        known = state or ask(order)
        request = SHOPIFY.writeback(parcel, known, access("shopify/main-shop"))
        return SHOPIFY.read_writeback(call(BASE, request), parcel, known)

    return telling


@pytest.fixture
def ask_anything(call):
    """Send a GraphQL document as it is, with ORDER in it replaced by the order's id."""

    def asking(document, order=None):
        text = document.replace("ORDER", json.dumps(f"gid://shopify/Order/{order['id']}")) if order else document
        headers = {"x-shopify-access-token": "shpat_1"}
        body = json.dumps({"query": text}).encode()
        return call(BASE, HttpRequest("POST", "/admin/api/2026-10/graphql.json", headers, body))

    return asking


def lines_of(order):
    return [line["id"] for line in order["line_items"]]


def test_a_webhook_is_signed_as_our_connector_wants_it(sandbox, our_api):
    assert sandbox.send_order("main-shop", examples.paid_order()) == [200]
    path, request = our_api.received[0]
    assert path == "/webhooks/shopify/main-shop"
    assert request.headers["x-shopify-topic"] == "orders/paid"
    SHOPIFY.verify(request, ["shpss_current"], datetime.now(UTC))
    with pytest.raises(BadSignature):
        SHOPIFY.verify(request, ["shpss_previous"], datetime.now(UTC))


def test_copies_share_their_webhook_id_and_may_come_at_once(sandbox, our_api):
    assert sandbox.send_order("main-shop", examples.paid_order(), repeat=5, parallel=True) == [200] * 5
    assert len({request.headers["x-shopify-webhook-id"] for _, request in our_api.received}) == 1


def test_a_reordered_webhook_arrives_after_the_next_one(sandbox, our_api):
    order = examples.paid_order()
    assert sandbox.send_order("main-shop", order, reorder=True) == []
    assert sandbox.send_order("main-shop", examples.cancelled(order), "orders/cancelled") == [200, 200]
    topics = [request.headers["x-shopify-topic"] for _, request in our_api.received]
    assert topics == ["orders/cancelled", "orders/paid"]


def test_a_webhook_that_we_fail_is_sent_again(sandbox, our_api):
    our_api.answers = [503, 500]
    assert sandbox.send_order("main-shop", examples.paid_order()) == [200]
    assert len(our_api.received) == 3


def test_a_webhook_that_we_refuse_is_not_sent_again(sandbox, our_api):
    our_api.answers = [401]
    assert sandbox.send_order("main-shop", examples.paid_order()) == [401]


def test_the_shop_counts_down_what_is_left(order, ask, tell, sandbox):
    first, second = lines_of(order)
    assert isinstance(tell(order, "YT1", {first: 1}), WrittenBack)
    state = ask(order)
    assert set(state.told) == {"YT1"}
    assert {line: units for group in state.groups for _, line, units in group.lines if units} == {str(second): 1}
    told = sandbox.fulfillments("main-shop", str(order["id"]))
    assert [(one["numbers"], one["company"], one["lines"], one["notify_customer"]) for one in told] == [
        (["YT1"], "圆通速递", {str(first): 1}, True)
    ]


def test_the_shop_refuses_a_parcel_where_nothing_is_left(order, ask, tell, sandbox):
    state = ask(order)
    units = dict.fromkeys(lines_of(order), 1)
    tell(order, "YT1", units, state)
    refused = tell(order, "YT2", units, state)
    assert isinstance(refused, Refused)
    assert "closed" in refused.words
    assert len(sandbox.fulfillments("main-shop", str(order["id"]))) == 1


def test_the_shop_refuses_more_units_than_are_left(order, ask, tell):
    first, second = lines_of(order)
    state = ask(order)
    tell(order, "YT1", {first: 1}, state)
    assert isinstance(tell(order, "YT2", {first: 1, second: 1}, state), Refused)


def test_a_repeated_refund_counts_once_and_a_cancellation_ends_all(order, ask, sandbox):
    first, _ = lines_of(order)
    refund = examples.refund(order, {first: 1})
    for _ in range(2):
        sandbox.send_order("main-shop", refund, "refunds/create", deliver=False)
    assert sum(units for group in ask(order).groups for _, _, units in group.lines) == 1
    sandbox.send_order("main-shop", examples.cancelled(order), "orders/cancelled", deliver=False)
    assert sum(units for group in ask(order).groups for _, _, units in group.lines) == 0


def test_an_old_payload_does_not_open_what_is_fulfilled(order, ask, tell, sandbox):
    tell(order, "YT1", dict.fromkeys(lines_of(order), 1))
    sandbox.send_order("main-shop", order, deliver=False)
    assert sum(units for group in ask(order).groups for _, _, units in group.lines) == 0


def test_the_shop_does_not_know_an_order_it_never_had(sandbox, ask):
    assert isinstance(ask(examples.paid_order()), Refused)


def test_a_wrong_token_is_refused(order, call, access):
    request = SHOPIFY.ask_fulfilment(str(order["id"]), access("shopify/main-shop", access_token="shpat_wrong"))
    assert call(BASE, request).status == 401


def test_throttling_has_shopifys_shape(order, ask, sandbox):
    sandbox.fault("shopify:main-shop", "throttle", "query")
    assert isinstance(ask(order), Busy)
    assert not isinstance(ask(order), Busy | Unknown)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{ order(id: "gid://shopify/Order/1") { nonsense } }', None),
        ("{ orders { id } }", "doesn't exist on type 'QueryRoot'"),
        ("mutation { fulfillmentCancel(id: 1) { id } }", "doesn't exist on type 'Mutation'"),
        ("subscription { x }", "expected a query or a mutation"),
        ("{ order(id: ", "syntax error"),
    ],
)
def test_a_document_it_cannot_answer_is_an_error_with_http_200(ask_anything, document, words):
    answer = ask_anything(document)
    assert answer.status == 200
    assert (words or '"order": null').encode() in answer.body


def test_ids_may_be_written_into_the_document(order, ask_anything):
    answer = ask_anything(
        "{ mine: order(id: ORDER) { id fulfillmentOrders(first: 5) { edges { node "
        "{ assignedLocation { location { id } } lineItems { nodes { remainingQuantity } } } } } } }",
        order,
    )
    assert answer.body.startswith(b'{"data": {"mine": {"id": "gid://shopify/Order/%d", "fulf' % order["id"])
    assert answer.body.count(b'"remainingQuantity": 1') == 2


def test_a_field_that_is_not_there_is_an_error(order, ask_anything):
    answer = ask_anything("{ order(id: ORDER) { nonsense } }", order)
    assert b"Field 'nonsense' doesn't exist on type 'Order'" in answer.body
