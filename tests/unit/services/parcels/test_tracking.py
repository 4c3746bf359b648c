"""Following parcels: polls, pushes and subscriptions, and how news changes the order."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.identity import Waybill
from dropship.domain.orders.timeline import words
from dropship.ports import NotFound, Unavailable
from dropship.services.messages import WatchParcel, Webhook
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.interleaving import once_before
from tests.support.parcel_news import POLL, PUSH, WATCH, carried_by, handle, is_polled, polled, push, report
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import GREEN, KEY, NOW, PINK, WAYBILL, World


@pytest.fixture
def world(world):
    world.shipped()
    return world


both_ways = pytest.mark.parametrize("news", [push, polled], ids=["pushed", "polled"])


@both_ways
def test_scans_move_the_parcel_and_its_units(world, news):
    news(world, report("picked up"))
    assert world.parcel.state == "PICKED_UP"
    news(world, report("picked up", "delivered"))
    assert world.order.status == "DELIVERED"
    assert [line.units.delivered for line in world.order.lines] == [1, 1]


@both_ways
def test_a_repeat_writes_nothing(world, news):
    news(world, report("picked up"))
    world.tell_marketplace()
    version = world.version
    world.clock.advance(hours=3)
    news(world, report("picked up"))
    assert world.version == version


@both_ways
def test_news_do_not_move_the_entry_of_the_polls(world, news):
    world.clock.advance(hours=3)
    news(world, report("picked up"))
    assert world.order.polled_since == NOW


@both_ways
def test_a_delivered_parcel_is_polled_no_more(world, news):
    news(world, report("picked up", "delivered"))
    assert not is_polled(world)
    news(world, report("picked up", "delivered"))
    assert not is_polled(world)
    assert world.unseen() == []


@both_ways
def test_an_unknown_code_is_counted_and_moves_nothing(world, news):
    version = world.version
    news(world, report("unknown"))
    assert world.counted == [("UnknownTrackingCode", "kd100:77")]
    assert (world.parcel.state, world.version) == ("LABEL_CREATED", version)


@both_ways
def test_a_parcel_of_nobody_is_ignored(news):
    world = World()
    news(world, report("picked up"))
    assert list(world.orders.all()) == []


def test_the_recorded_push_moves_the_parcel(world):
    world.clock.advance(hours=14)
    push(world, PUSH["lastResult"])
    assert world.parcel.state == "IN_TRANSIT"


def test_a_push_of_a_carrier_that_is_not_ours_is_ignored(world):
    push(world, report("picked up", carrier="unheard-of"))
    assert world.parcel.state == "LABEL_CREATED"


def test_a_push_without_scans_is_ignored(world):
    push(world, PUSH["lastResult"] | {"data": []})
    assert world.parcel.state == "LABEL_CREATED"


def test_a_push_of_an_unknown_tracker_is_an_error(world):
    body = urlencode({"sign": "x", "param": json.dumps(PUSH)})
    with pytest.raises(NotFound):
        handle(world, Webhook(channel="kuaidi100", connection="gone", headers={}, body=body))


def test_a_push_of_a_parcel_that_is_not_taken_in_yet_changes_nothing(world):
    world.orders.claim_waybill(Waybill("yto", "EARLY"), KEY)
    version = world.version
    push(world, report("picked up", number="EARLY"))
    assert world.version == version


# ---- Polling


def test_a_poll_asks_with_the_trackers_code_for_the_carrier(world):
    handle(world, POLL)
    assert world.tracker.asked == [("query", WAYBILL.number)]
    assert b"yuantong" in world.http.asked[-1].request.body


def test_a_report_about_another_parcel_moves_nothing(world):
    polled(world, report("picked up", "delivered", number="SOMEBODY-ELSES"))
    assert world.parcel.state == "LABEL_CREATED"
    assert is_polled(world)


def test_a_poll_without_news_reads_the_order_once_and_writes_nothing(world):
    world.tell_marketplace()
    world.fuse.calls.clear()
    handle(world, POLL)
    assert world.parcel.state == "LABEL_CREATED"
    assert world.fuse.calls == ["orders.load_all", "http.send"]


def test_a_poll_with_news_reads_the_order_once_and_writes_it_once(world):
    world.tell_marketplace()
    world.fuse.calls.clear()
    polled(world, report("picked up", "in transit"))
    assert world.fuse.calls == ["orders.load_all", "http.send", "orders.save"]


def test_news_that_meet_another_change_are_taken_in_after_it(world):
    world.tell_marketplace()
    once_before(world.orders, "save", lambda: push(world, report("picked up")))
    polled(world, report("picked up", "delivered"))
    assert world.order.status == "DELIVERED"
    assert [words(event) for event in world.order.timeline][-3:] == [
        "parcel PICKED_UP",
        "parcel DELIVERED",
        "delivered",
    ]


def test_two_parcels_of_one_order_are_asked_for_in_one_visit_and_written_once(world):
    world = World()
    world.dispatched()
    for number, line in (("A1", PINK), ("A2", GREEN)):
        rows = [{"line": line, "quantity": 1}]
        world.supplier_says("shipped", shipment={"carrier": "YTO", "tracking_number": number, "lines": rows})
        world.tracker.reports[number] = report("picked up", "delivered", number=number)
    version = world.version
    handle(world, POLL)
    assert (world.version, world.order.status) == (version + 1, "DELIVERED")


def test_a_refusal_is_counted_in_few_words(world):
    world.tracker.fail("query", answer(200, {"returnCode": "601", "message": "x" * 300}))
    handle(world, POLL)
    assert world.counted == [("TrackerRefused", "kd100: 601 " + "x" * 96)]


@pytest.mark.parametrize("operation", ["query", "subscribe"])
def test_a_refusal_that_repeats_the_phone_is_counted_without_it(world, operation):
    called(world, "13800135678")
    world.tracker.fail(operation, answer(200, {"returnCode": "408", "message": "手机号5678错误"}))
    waybill = carried_by(world, "sf")
    handle(world, {"query": POLL, "subscribe": WatchParcel(waybill=str(waybill))}[operation])
    assert world.counted == [("TrackerRefused", "kd100: 408 手机号****错误")]


# ---- What polls also check


def test_a_poll_finds_a_parcel_without_news_and_asks_for_a_person_once(world):
    world.tell_marketplace()
    world.clock.advance(hours=24)
    handle(world, POLL)
    assert list(world.tasks()) == ["PARCEL_STALLED"]
    version = world.version
    world.clock.advance(hours=24)
    handle(world, POLL)
    assert world.version == version
    polled(world, report("picked up"))
    assert world.tasks() == {}


def test_a_poll_finds_a_parcel_without_news_though_its_tracker_is_silent(world):
    world.clock.advance(hours=24)
    world.tracker.fail("query", LOST)
    handle(world, POLL)
    assert list(world.tasks()) == ["PARCEL_STALLED"]


def test_a_poll_tells_the_marketplace_again_of_what_it_was_not_told_in_time(world):
    tell = [{"kind": "tell-marketplace", "order": str(KEY), "carrier": "yto", "number": WAYBILL.number}]
    world.queues.drain("outbound")
    handle(world, POLL)
    assert world.sent("outbound") == [], "its time is not over"
    world.clock.advance(minutes=15)
    version = world.version
    handle(world, POLL)
    assert (world.sent("outbound"), world.version) == (tell, version)
    world.tell_marketplace()
    world.queues.drain("outbound")
    handle(world, POLL)
    assert world.sent("outbound") == []


def test_a_parcel_delivered_before_the_marketplace_was_told_is_told_by_a_clock(world):
    polled(world, report("picked up", "delivered"))
    assert world.order.due == NOW + timedelta(minutes=15)


# ---- The buyer's phone


def called(world, phone):
    """Set the buyer's phone."""
    moment, recipient = world.orders.recipients[KEY]
    world.orders.recipients[KEY] = (moment, recipient.model_copy(update={"phone": phone}))


def asked_both_ways(world, carrier):
    """The phones sent with a query and with a subscription."""
    waybill = carried_by(world, carrier)
    for message in (POLL, WatchParcel(waybill=str(waybill))):
        handle(world, message)
        yield world.tracker.phones.pop(waybill.number)


@pytest.mark.parametrize("carrier", ["sf", "zto"])
@pytest.mark.parametrize(
    ("phone", "told"),
    [
        ("13800135678", "5678"),
        ("+86 138-0013-56 78", "5678"),
        ("0579-8512 3456", "3456"),
        ("555-555-SHIP", "5555"),
        ("１２３４５", ""),
        ("123", ""),
        ("", ""),
    ],
)
def test_a_carrier_that_asks_for_the_phone_is_told_its_last_four_digits(world, carrier, phone, told):
    called(world, phone)
    assert list(asked_both_ways(world, carrier)) == [told, told]


def test_a_carrier_that_does_not_ask_for_the_phone_is_not_told_and_it_is_not_read(world, monkeypatch):
    called(world, "13800135678")
    monkeypatch.setattr(world.orders, "recipient", lambda _key: pytest.fail("the phone was read"))
    assert list(asked_both_ways(world, "jd")) == ["", ""]


def test_without_an_address_the_tracker_says_what_is_wrong(world):
    world.orders.recipients[KEY] = (NOW, Recipient())
    assert list(asked_both_ways(world, "sf")) == ["", ""]


@pytest.mark.parametrize("gone", ["yto", "kd100"])
def test_a_parcel_that_no_tracker_follows_any_more_is_polled_no_more(world, gone):
    world.registry.entries = {key: entry for key, entry in world.registry.entries.items() if key[1] != gone}
    handle(world, POLL)
    assert not is_polled(world)
    assert world.unseen() == []
    assert world.tracker.asked == []


# ---- Subscribing


def test_a_new_parcel_is_watched_with_our_address(world):
    handle(world, WATCH)
    handle(world, WATCH)
    assert world.tracker.subscribed == 2 * [WAYBILL.number]
    assert b"https%3A%2F%2Fapi.test%2Fwebhooks%2Fkuaidi100%2Fkd100" in world.http.asked[-1].request.body


def test_a_tracker_that_does_not_push_is_not_asked_to(world):
    world.registry.put(world.registry.tracker("kd100").model_copy(update={"callback_url": None}))
    handle(world, WATCH)
    assert world.tracker.asked == []


def test_a_carrier_without_a_tracker_is_not_watched(world):
    handle(world, WatchParcel(waybill="pigeon#P1"))
    assert world.tracker.asked == []


@pytest.mark.parametrize("failure", [answer(503), LOST, REFUSED_CONNECTION])
def test_a_subscription_without_an_answer_is_tried_again(world, failure):
    world.tracker.fail("subscribe", failure)
    with pytest.raises(Unavailable, match="took no subscription"):
        handle(world, WATCH)
    handle(world, WATCH)
    assert world.tracker.subscribed == [WAYBILL.number]


def test_a_subscription_refused_leaves_the_parcel_to_the_polls(world):
    world.tracker.fail(
        "subscribe", answer(200, {"result": False, "returnCode": "701", "message": "拒绝订阅的快递公司"})
    )
    handle(world, WATCH)
    assert is_polled(world)
    assert world.counted == [("TrackerRefused", "kd100: 701 拒绝订阅的快递公司")]


# ---- A crash at any point

CRASHES = {
    "pushed": UseCase(World.shipped, lambda world: push(world, report("picked up"))),
    "delivered": UseCase(World.shipped, lambda world: polled(world, report("picked up", "delivered"))),
    "watched": UseCase(World.shipped, lambda world: handle(world, WATCH)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
