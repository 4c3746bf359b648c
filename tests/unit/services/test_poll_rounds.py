"""Poll rounds: whose turn it is, and when a parcel is followed no more."""

from datetime import timedelta

import pytest

from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.polling import ROUND
from dropship.services.messages import TRACKING, PollParcels
from dropship.services.tracking import PARCELS_PER_MESSAGE, PollRound
from tests.unit.services.parcel_news import POLL, claimed, polled, push, report, take
from tests.unit.services.world import KEY, NOW, WAYBILL


@pytest.fixture
def world(world):
    world.shipped()
    return world


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
    assert sizes == [5, 5, 1]


@pytest.mark.parametrize("late_s", [(0, 0), (-400, 400), (400, -400), (-1, 1), (0, 800)])
def test_a_schedule_that_fires_early_or_late_leaves_out_no_round_and_runs_none_twice(world, late_s):
    start = NOW.replace(hour=9, minute=0, second=0)
    found = 0
    for index in range(8):
        world.clock.time = start + index * ROUND + timedelta(seconds=late_s[index % 2])
        found += rounds(world)
    assert found == 2


def polls_of_two_days(world):
    """What a round each half hour sends, handled at once; how many parcels that was."""
    world.queues.take("tracking")
    sent = 0
    for _ in range(96):
        sent += rounds(world)
        for body in world.queues.take("tracking"):
            world.tracking.take(TRACKING.validate_json(body))
        world.clock.time += ROUND
    return sent


def test_a_parcel_without_news_for_two_months_is_asked_for_once_more_and_retired(world):
    world.clock.advance(days=61)
    assert polls_of_two_days(world) == 1
    assert world.orders.news == {}
    assert len(world.tracker.asked) == 1


def test_a_parcel_without_news_for_less_is_still_asked_for_once_a_day(world):
    world.clock.advance(days=57)
    assert polls_of_two_days(world) == 2
    assert len(world.tracker.asked) == 2
    assert WAYBILL in world.orders.news


def test_news_after_a_long_time_keep_the_parcel_followed(world):
    world.tracker.reports[WAYBILL.number] = report("picked up")
    take(world, POLL)
    world.clock.advance(days=59)
    late = report("picked up")
    late["data"].insert(0, late["data"][0] | {"time": "2027-01-19 08:00:00", "ftime": "2027-01-19 08:00:00"})
    push(world, late)
    world.clock.advance(days=5)
    take(world, POLL)
    assert WAYBILL in world.orders.news


def test_scans_older_than_the_parcel_do_not_end_the_polls(world):
    """A carrier uses its numbers again: at first its tracker tells of the parcel that had it before."""
    old = report("picked up")
    for scan in old["data"]:
        scan["time"] = scan["ftime"] = "2026-01-02 08:00:00"
    polled(world, old)
    take(world, POLL)
    assert WAYBILL in world.orders.news


def test_a_waybill_whose_parcel_is_not_saved_yet_is_still_followed(world):
    fresh = claimed(world, "jd")
    take(world, PollParcels(waybills=[str(fresh)]))
    assert fresh in world.orders.news


def test_a_waybill_whose_parcel_never_came_is_retired_in_the_end(world):
    stray = claimed(world, "jd")
    world.clock.advance(days=61)
    take(world, PollParcels(waybills=[str(stray)]))
    assert stray not in world.orders.news


def end_order(order):
    order.status = "CANCELLED"


def end_parcel(order):
    order.parcel(*WAYBILL).state = "DELIVERED"


@pytest.mark.parametrize("end", [end_order, end_parcel])
def test_what_ended_without_the_tracker_is_polled_no_more(world, end):
    order, version = world.orders.load(KEY)
    end(order)
    world.orders.save(order, version)
    take(world, POLL)
    assert world.orders.news == {}
