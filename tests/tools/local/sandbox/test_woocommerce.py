from datetime import UTC, datetime, timedelta

import pytest

from dropship.connectors import marketplace
from dropship.connectors.contract import BadSignature, NextRequest
from dropship.domain.exchange.marketplace import OrderHint
from dropship.domain.exchange.outcomes import Absent, Busy
from dropship.domain.exchange.suppliers import ShippedLine
from dropship.domain.exchange.writeback import ParcelShipped, WrittenBack
from dropship.domain.registry.connections import Shop
from tests.support.recorded import load, only

pytestmark = pytest.mark.enable_socket

WOO = marketplace("woocommerce")
ADDRESS = "woocommerce/woo-shop"
SHOP = Shop(id="woo-shop", channel="woocommerce", base_url="http://sandbox", domain="woo-shop.example")


@pytest.fixture
def order(sandbox):
    payload = load("woocommerce_order_processing")["payload"]
    assert sandbox.tell(ADDRESS, "orders", payload=payload) == {"statuses": [200]}
    return payload


@pytest.fixture
def play(call, access):
    """Send the requests of a connector until there is a result."""

    def playing(build, read, **changed):
        following = NextRequest(build, read)
        while isinstance(following, NextRequest):
            following = following.read(call(f"/{ADDRESS}", following.build(access("woocommerce/woo-shop", **changed))))
        return following

    return playing


@pytest.fixture
def fetch(play):
    return lambda number, **changed: play(
        lambda access: WOO.ask_order(number, access), lambda answer: WOO.read_order(answer, SHOP), **changed
    )


@pytest.fixture
def tell(play):
    def telling(number, *, is_last=True):
        lines = (ShippedLine(line="315", quantity=2),)
        parcel = ParcelShipped(order="727", carrier_name="YTO Express", number=number, lines=lines, is_last=is_last)
        state = play(lambda access: WOO.ask_fulfilment("727", access), WOO.read_fulfilment)
        if number in state.told:
            return WrittenBack(fulfilment=state.told[number])
        return play(
            lambda access: WOO.writeback(parcel, state, access),
            lambda answer: WOO.read_writeback(answer, parcel, state),
        )

    return telling


def test_a_webhook_is_signed_as_our_connector_wants_it_and_read_by_it(order, our_api):
    path, request = only(our_api.received)
    assert path == "/webhooks/woocommerce/woo-shop"
    WOO.verify(request, ["w<oo&secret'"], datetime.now(UTC))
    with pytest.raises(BadSignature):
        WOO.verify(request, ["another"], datetime.now(UTC))
    event = only(WOO.read_events(request, SHOP))
    assert (event.order.external_id, event.likely_new) == ("727", True)


def test_a_webhook_that_we_fail_is_not_sent_again(order, sandbox, our_api):
    our_api.answers = [503]
    assert sandbox.tell(ADDRESS, "orders", payload=order, topic="order.updated") == {"statuses": [503]}
    assert len(our_api.received) == 2


def test_a_ping_is_a_greeting(sandbox, our_api):
    sandbox.tell(ADDRESS, "ping")
    _, request = only(our_api.received)
    assert WOO.greet(request, [], datetime.now(UTC)) == b"{}"


def test_a_refund_is_hinted_at_and_read_with_its_units(order, sandbox, our_api, fetch):
    made = sandbox.tell(ADDRESS, "refunds", order="727", units={"315": 1}, amount="3.00", reason="broken")
    assert only(WOO.read_events(our_api.received[-1][1], SHOP)) == OrderHint(order="727")
    changed, refund = fetch("727")
    assert [line.fulfillable for line in changed.order.lines] == [1, 1]
    assert (refund.id, refund.amount.minor, refund.reason) == (str(made["refund"]), 300, "broken")
    assert [(units.line, units.quantity) for units in refund.units] == [("315", 1)]


def test_a_deleted_order_is_gone(order, sandbox, our_api, fetch):
    sandbox.tell(ADDRESS, "orders", payload={"id": 727}, topic="order.deleted")
    assert only(WOO.read_events(our_api.received[-1][1], SHOP)) == OrderHint(order="727", deleted=True)
    assert fetch("727") == Absent()


def test_a_wrong_key_is_refused(order, fetch):
    assert fetch("727", consumer_key="ck_wrong") == Busy(why="WooCommerce answered 401")


def test_orders_that_changed_are_listed_page_by_page(order, sandbox, play):
    now = datetime.now(UTC)
    for number in range(1, 61):
        at = (now + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S")
        payload = order | {"id": number, "date_modified_gmt": at}
        sandbox.tell(ADDRESS, "orders", payload=payload, deliver=False)

    def page(cursor):
        return play(
            lambda access: WOO.ask_changed(now - timedelta(minutes=1), cursor, access),
            lambda answer: WOO.read_changed(answer, cursor, SHOP),
        )

    first = page("")
    second = page(first.next_cursor)
    found = [event.order.external_id for event in (*first.events, *second.events)]
    assert (first.next_cursor, second.next_cursor) == ("2", "")
    assert found == [str(number) for number in range(60, 0, -1)], "the sample's own order is too old"


def test_a_parcel_is_told_once_by_note_and_status(order, sandbox, tell):
    assert isinstance(tell("A1", is_last=False), WrittenBack)
    (shown,) = sandbox.see(ADDRESS, "orders", order="727")
    assert (shown["status"], shown["mails"]) == ("processing", ["Shipped by YTO Express, tracking number A1"])
    first = tell("A2")
    assert tell("A2") == first
    (shown,) = sandbox.see(ADDRESS, "orders", order="727")
    assert (shown["status"], len(shown["notes"])) == ("completed", 2)


def test_faults_strike_it_by_its_name(order, sandbox, fetch):
    sandbox.fault("woocommerce:woo-shop", "throttle", "order", retry_after=3)
    assert fetch("727") == Busy(retry_after=3)
    assert isinstance(fetch("727"), list)
