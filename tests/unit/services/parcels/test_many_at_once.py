"""A tracker that accepts many parcels in one request is asked like this; each answer is used for its parcel only."""

import json

import pytest

from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.registry.connections import Tracker
from dropship.services.messages import PollParcels
from tests.support import made_up
from tests.support.parcel_news import another, handle
from tests.support.partner_apis import answer
from tests.support.service_world import KEY

assert "17track" in made_up.CHANNELS
SEVENTEEN = Tracker(id="track17", channel="17track", base_url="http://partners.test/17track", codes={"190271": "yto"})


class SeventeenTrack:
    """Answers what it knows, in a sequence of its own."""

    def __init__(self):
        self.stages, self.refused, self.asked, self.answers = {}, {}, [], []

    def __call__(self, request):
        wanted = [row["number"] for row in json.loads(request.body)]
        self.asked.append(wanted)
        if self.answers:
            return self.answers.pop(0)
        accepted = [_shown(number, self.stages[number]) for number in reversed(wanted) if number in self.stages]
        rejected = [{"number": number, "error": {"message": self.refused[number]}} for number in self.refused]
        return answer(200, {"code": 0, "data": {"accepted": accepted, "rejected": rejected}})


def _shown(number, stage):
    events = [{"time_utc": "2026-11-21T09:00:00Z", "stage": stage}]
    tracking = {"providers": [{"events": events}]}
    return {"number": number, "carrier": 190271, "track_info": {"tracking": tracking}}


@pytest.fixture
def tracker(world):
    """Let 17TRACK follow all parcels of yto."""
    partner = SeventeenTrack()
    world.http.partner(SEVENTEEN.base_url, partner)
    world.secrets.known["api/17track/track17"] = {"key": "key"}
    world.registry.put(SEVENTEEN)
    world.registry.put(world.registry.carrier("yto").model_copy(update={"tracker": "track17"}))
    return partner


@pytest.fixture
def orders(world, tracker):
    """Orders that each have a parcel under way, and the parcels' numbers."""

    def making(count):
        world.shipped()
        keys = [KEY, *(another(world, number) for number in range(1, count))]
        return {key: world.orders.load(key).value.parcels[0].number for key in keys}

    return making


def poll(world, keys):
    handle(world, PollParcels(orders=[str(key) for key in keys]))


def state(world, key):
    return world.orders.load(key, fresh=True).value.parcels[0].state


def test_parcels_of_many_orders_are_asked_for_in_one_request(world, tracker, orders):
    numbers = orders(5)
    tracker.stages = dict.fromkeys(numbers.values(), "InTransit")
    poll(world, numbers)
    assert tracker.asked == [list(numbers.values())]
    assert {state(world, key) for key in numbers} == {TrackingStage.IN_TRANSIT}


def test_as_many_as_the_tracker_takes_are_in_a_request(world, tracker, orders, several_at_once):
    numbers = orders(45)
    tracker.stages = dict.fromkeys(numbers.values(), "OutForDelivery")
    poll(world, numbers)
    assert sorted(map(len, tracker.asked)) == [5, 40]
    assert {state(world, key) for key in numbers} == {TrackingStage.OUT_FOR_DELIVERY}


def test_what_is_said_of_one_parcel_is_that_parcels_alone(world, tracker, orders):
    numbers = orders(3)
    first, second, third = numbers
    tracker.stages = {numbers[first]: "InTransit", numbers[third]: "Delivered"}
    tracker.refused = {numbers[second]: "register it first"}
    poll(world, numbers)
    assert (state(world, first), state(world, third)) == (TrackingStage.IN_TRANSIT, TrackingStage.DELIVERED)
    assert state(world, second) not in {TrackingStage.IN_TRANSIT, TrackingStage.DELIVERED}
    assert world.counted == [("TrackerRefused", "track17: register it first")]


@pytest.mark.parametrize("failure", [answer(429), answer(500), answer(200, {"code": 0, "data": 1}), answer(401)])
def test_a_tracker_that_does_not_answer_is_asked_no_further_and_next_time_again(world, tracker, orders, failure):
    numbers = orders(42)
    tracker.stages = dict.fromkeys(numbers.values(), "InTransit")
    tracker.answers = [failure]
    poll(world, numbers)
    assert len(tracker.asked) == 1
    poll(world, numbers)
    assert {state(world, key) for key in numbers} == {TrackingStage.IN_TRANSIT}


def test_a_parcel_of_another_tracker_is_asked_for_there(world, tracker, orders):
    numbers = orders(2)
    order, version = world.orders.load(KEY)
    order.parcels[0].carrier = "sf"
    world.orders.save(order, version)
    poll(world, numbers)
    assert tracker.asked == [[number for key, number in numbers.items() if key != KEY]]
    assert world.tracker.requests("query") == [numbers[KEY]]


def test_a_tracker_that_only_pushes_is_not_asked(world):
    world.shipped()
    world.registry.put(world.registry.tracker("kd100").model_copy(update={"channel": "push-only"}))
    world.secrets.known["api/push-only/kd100"] = {}
    version = world.version
    poll(world, [KEY])
    assert (world.tracker.asked, world.version) == ([], version)
