"""Following parcels: polls, pushes and subscriptions, and what news does to the order."""

import json
from urllib.parse import urlencode

import pytest

from dropship.domain.identity import Waybill
from dropship.domain.marketplace import Recipient
from dropship.ports import NotFound, Unavailable
from dropship.services.messages import PollParcels, WatchParcel, Webhook
from tests.unit.services.crashing import UseCase, survives_every_crash
from tests.unit.services.parcel_news import POLL, PUSH, WATCH, claimed, polled, push, report, take
from tests.unit.services.partners import LOST, REFUSED_CONNECTION, answer
from tests.unit.services.world import KEY, NOW, WAYBILL, World


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
    version, news_at = world.version, dict(world.orders.news)
    world.clock.advance(hours=3)
    news(world, report("picked up"))
    assert (world.version, world.orders.news) == (version, news_at)


@both_ways
def test_only_news_start_the_poll_clock_again(world, news):
    before = world.orders.news[WAYBILL]
    world.clock.advance(hours=3)
    news(world, report("unknown"))
    assert world.orders.news[WAYBILL] == before
    news(world, report("picked up"))
    assert world.orders.news[WAYBILL] > before


@both_ways
def test_a_delivered_parcel_is_polled_no_more(world, news):
    news(world, report("picked up", "delivered"))
    assert world.orders.news == {}
    news(world, report("picked up", "delivered"))
    assert world.orders.news == {}


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
        take(world, Webhook(channel="kuaidi100", connection="gone", headers={}, body=body))


def test_a_waybill_whose_parcel_is_not_taken_in_yet_stays_followed_but_not_for_ever(world):
    early = Waybill("yto", "EARLY")
    world.orders.claim_waybill(early, KEY, NOW)
    push(world, report("picked up", number="EARLY"))
    assert early in world.orders.news
    world.clock.advance(days=61)
    push(world, report("picked up", number="EARLY"))
    assert early not in world.orders.news


# ---- Polling


def test_a_poll_asks_with_the_trackers_code_for_the_carrier(world):
    take(world, POLL)
    assert world.tracker.asked == [("query", WAYBILL.number)]
    assert b"yuantong" in world.http.asked[-1].request.body


def test_a_report_about_another_parcel_moves_nothing(world):
    polled(world, report("picked up", "delivered", number="SOMEBODY-ELSES"))
    assert world.parcel.state == "LABEL_CREATED"
    assert WAYBILL in world.orders.news


def test_no_news_is_no_failure(world):
    take(world, POLL)
    assert world.parcel.state == "LABEL_CREATED"


@pytest.mark.parametrize("failure", [answer(503), answer(200, "nonsense"), LOST, REFUSED_CONNECTION])
def test_a_silent_tracker_is_asked_once_per_message_and_the_round_after_asks_again(world, failure):
    world.tracker.fail("query", failure, failure)
    waybills = [str(WAYBILL), *(str(claimed(world, carrier)) for carrier in ("sf", "zto"))]
    take(world, PollParcels(waybills=waybills))
    assert len(world.tracker.asked) == 1
    take(world, PollParcels(waybills=waybills))
    assert len(world.tracker.asked) == 2


def test_a_refusal_for_one_parcel_does_not_stop_the_others(world):
    world.tracker.fail("query", answer(200, {"returnCode": "400", "message": "参数错误"}))
    world.tracker.reports[WAYBILL.number] = report("picked up")
    take(world, PollParcels(waybills=[str(claimed(world, "sf")), str(WAYBILL)]))
    assert world.parcel.state == "PICKED_UP"
    assert world.counted == [("TrackerRefused", "kd100: 400 参数错误")]


def test_a_refusal_is_counted_in_few_words(world):
    world.tracker.fail("query", answer(200, {"returnCode": "601", "message": "x" * 300}))
    take(world, POLL)
    assert world.counted == [("TrackerRefused", "kd100: 601 " + "x" * 96)]


@pytest.mark.parametrize("operation", ["query", "subscribe"])
def test_a_refusal_that_repeats_the_phone_is_counted_without_it(world, operation):
    called(world, "13800135678")
    world.tracker.fail(operation, answer(200, {"returnCode": "408", "message": "手机号5678错误"}))
    waybill = claimed(world, "sf")
    take(
        world,
        {"query": PollParcels(waybills=[str(waybill)]), "subscribe": WatchParcel(waybill=str(waybill))}[operation],
    )
    assert world.counted == [("TrackerRefused", "kd100: 408 手机号****错误")]


def test_a_parcel_of_nobody_changes_nothing(world):
    version = world.version
    take(world, PollParcels(waybills=["yto#NOBODYS"]))
    assert world.version == version


# ---- The buyer's phone


def called(world, phone):
    """The buyer's phone."""
    moment, recipient = world.orders.recipients[KEY]
    world.orders.recipients[KEY] = (moment, recipient.model_copy(update={"phone": phone}))


def asked_both_ways(world, carrier):
    """The phones told with a query and with a subscription."""
    waybill = claimed(world, carrier)
    for message in (PollParcels(waybills=[str(waybill)]), WatchParcel(waybill=str(waybill))):
        take(world, message)
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
    take(world, POLL)
    assert world.orders.news == {}
    assert world.tracker.asked == []


# ---- Subscribing


def test_a_new_parcel_is_watched_with_our_address(world):
    take(world, WATCH)
    take(world, WATCH)
    assert world.tracker.subscribed == 2 * [WAYBILL.number]
    assert b"https%3A%2F%2Fapi.test%2Fwebhooks%2Fkuaidi100%2Fkd100" in world.http.asked[-1].request.body


def test_a_tracker_that_does_not_push_is_not_asked_to(world):
    world.registry.put(world.registry.tracker("kd100").model_copy(update={"callback_url": None}))
    take(world, WATCH)
    assert world.tracker.asked == []


def test_a_carrier_without_a_tracker_is_not_watched(world):
    take(world, WatchParcel(waybill="pigeon#P1"))
    assert world.tracker.asked == []


@pytest.mark.parametrize("failure", [answer(503), LOST, REFUSED_CONNECTION])
def test_a_subscription_without_an_answer_is_tried_again(world, failure):
    world.tracker.fail("subscribe", failure)
    with pytest.raises(Unavailable, match="took no subscription"):
        take(world, WATCH)
    take(world, WATCH)
    assert world.tracker.subscribed == [WAYBILL.number]


def test_a_subscription_refused_leaves_the_parcel_to_the_polls(world):
    world.tracker.fail(
        "subscribe", answer(200, {"result": False, "returnCode": "701", "message": "拒绝订阅的快递公司"})
    )
    take(world, WATCH)
    assert WAYBILL in world.orders.news
    assert world.counted == [("TrackerRefused", "kd100: 701 拒绝订阅的快递公司")]


# ---- However the process ends

CRASHES = {
    "pushed": UseCase(World.shipped, lambda world: push(world, report("picked up"))),
    "delivered": UseCase(World.shipped, lambda world: polled(world, report("picked up", "delivered"))),
    "watched": UseCase(World.shipped, lambda world: take(world, WATCH)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
