"""Following parcels: polls, pushes and subscriptions, and what news does to the order."""

import json
from urllib.parse import urlencode

import pytest

from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.polling import ROUND
from dropship.ports import NotFound, Unavailable
from dropship.services.messages import TRACKING, PollParcels, WatchParcel, Webhook
from dropship.services.tracking import PARCELS_PER_MESSAGE, PollRound
from tests.unit.connectors.recorded import load
from tests.unit.services.crashing import UseCase, survives_every_crash
from tests.unit.services.partners import LOST, REFUSED_CONNECTION, answer
from tests.unit.services.world import KEY, NOW, WAYBILL, World

PUSH = load("kuaidi100_push")["polling"]
SCANS = {"picked up": ("1", "揽收"), "delivered": ("3", "签收"), "unknown": ("77", "神秘")}
WATCH = WatchParcel(waybill=str(WAYBILL))
POLL = PollParcels(waybills=[str(WAYBILL)])


@pytest.fixture
def world(world):
    world.shipped()
    return world


def report(*scans, number=WAYBILL.number, carrier="yuantong"):
    """A report with those scans, the first the oldest, each a minute after the one before."""
    rows = []
    for minute, scan in enumerate(scans):
        code, status = SCANS[scan]
        at = f"2026-11-21 16:{minute:02}:00"
        rows.append({"context": "…", "time": at, "ftime": at, "status": status, "statusCode": code})
    return {"com": carrier, "nu": number, "state": "0", "status": "200", "data": rows[::-1]}


def push(world, report):
    param = PUSH | {"lastResult": report}
    body = urlencode({"sign": "checked before", "param": json.dumps(param)})
    take(world, Webhook(channel="kuaidi100", connection="kd100", headers={}, body=body))


def take(world, message):
    world.tracking.take(TRACKING.validate_json(message.model_dump_json()))


def polled(world, report):
    world.tracker.reports[WAYBILL.number] = report
    take(world, POLL)


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
    assert world.unknown_codes == ["kd100:77"]
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


def test_a_waybill_whose_parcel_was_never_taken_in_is_polled_no_more(world):
    stray = Waybill("yto", "STRAY")
    world.orders.claim_waybill(stray, KEY, NOW)
    push(world, report("picked up", number="STRAY"))
    assert stray not in world.orders.news


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
    waybills = [str(WAYBILL), "sf#SF1", "zto#ZTO1"]
    take(world, PollParcels(waybills=waybills))
    assert len(world.tracker.asked) == 1
    take(world, PollParcels(waybills=waybills))
    assert len(world.tracker.asked) == 2


def test_a_refusal_for_one_parcel_does_not_stop_the_others(world):
    world.tracker.fail("query", answer(200, {"returnCode": "400", "message": "参数错误"}))
    world.tracker.reports[WAYBILL.number] = report("picked up")
    take(world, PollParcels(waybills=["sf#SF1", str(WAYBILL)]))
    assert world.parcel.state == "PICKED_UP"


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


# ---- Rounds


def rounds(world, everything=False):
    return PollRound(world.orders, world.queues, world.clock).run(everything=everything)


def test_a_fresh_parcel_is_polled_every_fourth_round(world):
    found = []
    for _ in range(8):
        found.append(rounds(world))
        world.clock.time += ROUND
    assert sum(found) == 2
    assert world.sent("tracking").count({"kind": "poll-parcels", "waybills": [str(WAYBILL)]}) == 2


def test_everything_polls_every_parcel_under_way_in_small_messages(world):
    world.queues.take("tracking")
    for number in range(2 * PARCELS_PER_MESSAGE):
        world.orders.claim_waybill(Waybill("sf", f"SF{number}"), OrderKey("main-shop", "1"), NOW)
    assert rounds(world, everything=True) == 2 * PARCELS_PER_MESSAGE + 1
    sizes = [len(message["waybills"]) for message in world.sent("tracking")]
    assert sizes == [20, 20, 1]


def test_a_parcel_without_news_for_two_months_is_asked_for_no_more(world):
    world.clock.advance(days=61)
    assert sum(rounds(world) for _ in range(50) if world.clock.advance(minutes=30)) == 0


# ---- However the process ends

CRASHES = {
    "pushed": UseCase(World.shipped, lambda world: push(world, report("picked up"))),
    "delivered": UseCase(World.shipped, lambda world: polled(world, report("picked up", "delivered"))),
    "watched": UseCase(World.shipped, lambda world: take(world, WATCH)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
