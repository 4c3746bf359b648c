"""Poll rounds: which orders are polled in a round, and when a parcel is no longer followed."""

from datetime import timedelta
from itertools import pairwise

import pytest

from dropship.domain.identity import OrderKey
from dropship.domain.orders.polling import ROUND, SLOTS, slot_of, turns
from dropship.services.messages import TRACKING, PollParcels
from dropship.services.parcels.polls import ORDERS_PER_MESSAGE, PollRound
from tests.support.parcel_news import POLL, another, handle, is_polled, polled, push, report
from tests.support.partner_apis import LOST
from tests.support.service_world import KEY, NOW, WAYBILL


@pytest.fixture
def world(world):
    world.shipped()
    return world


def rounds(world, everything=False):
    return PollRound(world.orders, world.queues, world.clock).run(everything=everything)


@pytest.mark.parametrize(
    ("days", "every"), [(0, 4), (0.97, 4), (1, 8), (2.9, 8), (3, 16), (9.9, 16), (10, 48), (40, 48)]
)
def test_an_order_is_polled_ever_less_often_as_its_parcel_gets_old(days, every):
    for slot in range(SLOTS):
        start = NOW + slot * ROUND
        turn = [
            index
            for index in range(2 * SLOTS)
            for taken, since in turns(start + index * ROUND)
            if taken == slot and (since is None or start + index * ROUND - timedelta(days=days) > since)
        ]
        assert {second - first for first, second in pairwise(turn)} == {every}


def test_the_orders_of_a_round_are_spread_evenly_and_each_slot_is_asked_for_once():
    for index in range(SLOTS):
        slots = [slot for slot, _ in turns(NOW + index * ROUND)]
        assert len(slots) == len(set(slots)) == SLOTS // 4
        assert sum(since is None for _, since in turns(NOW + index * ROUND)) == 1
    taken = [slot_of(OrderKey("main-shop", str(number))) for number in range(4800)]
    assert max(taken.count(slot) for slot in range(SLOTS)) < 150


def test_a_fresh_parcel_is_polled_every_fourth_round(world):
    found = []
    for _ in range(8):
        found.append(rounds(world))
        world.clock.time += ROUND
    assert sum(found) == 2
    assert world.sent("tracking").count({"kind": "poll-parcels", "orders": [str(KEY)]}) == 2


def test_everything_polls_every_order_with_parcels_under_way_in_few_messages(world):
    world.queues.drain("tracking")
    for number in range(2 * ORDERS_PER_MESSAGE):
        another(world, number)
    assert rounds(world, everything=True) == 2 * ORDERS_PER_MESSAGE + 1
    messages = [message["orders"] for message in world.sent("tracking")]
    assert [len(orders) for orders in messages] == [25, 25, 1]
    assert len({key for orders in messages for key in orders}) == 2 * ORDERS_PER_MESSAGE + 1


@pytest.mark.parametrize("late_s", [(0, 0), (-400, 400), (400, -400), (-1, 1), (0, 800)])
def test_a_schedule_that_fires_early_or_late_leaves_out_no_round_and_runs_none_twice(world, late_s):
    start = NOW.replace(hour=9, minute=0, second=0)
    found = 0
    for index in range(8):
        world.clock.time = start + index * ROUND + timedelta(seconds=late_s[index % 2])
        found += rounds(world)
    assert found == 2


def polls_of_two_days(world):
    """Run a round each half hour and handle its messages at once. Returns how many polls of orders were sent."""
    world.queues.drain("tracking")
    sent = 0
    for _ in range(96):
        sent += rounds(world)
        for body in world.queues.drain("tracking"):
            world.tracking.handle(TRACKING.validate_json(body))
        world.clock.time += ROUND
    return sent


def test_a_parcel_without_news_for_two_months_is_asked_for_once_more_and_left_to_a_clock(world):
    world.tell_marketplace()
    world.clock.advance(days=61)
    assert polls_of_two_days(world) == 1
    assert not is_polled(world)
    assert len(world.tracker.asked) == 1
    assert world.order.due is not None
    assert list(world.tasks()) == ["PARCEL_STALLED"]


def test_a_parcel_without_news_for_less_is_still_asked_for_once_a_day(world):
    world.clock.advance(days=57)
    assert polls_of_two_days(world) == 2
    assert len(world.tracker.asked) == 2
    assert is_polled(world)


def test_a_parcel_is_not_given_up_by_a_tracker_that_does_not_answer(world):
    world.clock.advance(days=61)
    world.tracker.fail("query", LOST)
    handle(world, POLL)
    assert is_polled(world)
    handle(world, POLL)
    assert not is_polled(world)


def test_news_after_a_long_time_keep_the_parcel_followed(world):
    world.tracker.reports[WAYBILL.number] = report("picked up")
    handle(world, POLL)
    world.clock.advance(days=59)
    late = report("picked up")
    late["data"].insert(0, late["data"][0] | {"time": "2027-01-19 08:00:00", "ftime": "2027-01-19 08:00:00"})
    push(world, late)
    world.clock.advance(days=5)
    handle(world, POLL)
    assert is_polled(world)


def test_scans_older_than_the_parcel_do_not_end_the_polls(world):
    """Carriers reuse numbers: at first the tracker reports the earlier parcel with the same number."""
    old = report("picked up")
    for scan in old["data"]:
        scan["time"] = scan["ftime"] = "2026-01-02 08:00:00"
    polled(world, old)
    handle(world, POLL)
    assert is_polled(world)


def test_an_order_that_nobody_knows_or_that_has_ended_is_not_asked_for(world):
    polled(world, report("picked up", "delivered"))
    asked = len(world.tracker.asked)
    handle(world, PollParcels(orders=[str(KEY), "main-shop#unknown"]))
    assert len(world.tracker.asked) == asked
