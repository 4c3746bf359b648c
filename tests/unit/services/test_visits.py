"""A visit of several orders: what is wrong with one of them, or with a tracker, is not the others' trouble."""

import pytest

from dropship.domain.identity import Waybill
from dropship.ports import NotFound
from tests.unit.services.parcel_news import another, poll_of, report, take
from tests.unit.services.world import KEY, WAYBILL


@pytest.fixture
def other(world):
    """Another order with a parcel under way, beside the example, of which there is news."""
    world.shipped()
    world.tracker.reports[WAYBILL.number] = report("picked up")
    return another(world, 77)


def by_another_tracker(world, key):
    """Let the order's parcel be followed by a tracker of its own; its name."""
    first = world.registry.tracker("kd100")
    world.registry.put(first.model_copy(update={"id": "kd200", "codes": {"zhongtong": "zto"}}))
    world.registry.put(world.registry.carrier("zto").model_copy(update={"tracker": "kd200"}))
    order, version = world.orders.load(key)
    order.parcels[0].carrier = "zto"
    world.orders.save(order, version)
    world.orders.claim_waybill(Waybill("zto", order.parcels[0].number), key)
    return "api/kuaidi100/kd200"


def test_a_tracker_without_a_secret_is_named_and_the_others_are_asked(world, other):
    name = by_another_tracker(world, other)
    with pytest.raises(NotFound, match=name):
        take(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_a_tracker_whose_secret_lacks_a_field_is_named_and_the_others_are_asked(world, other):
    world.secrets.known[by_another_tracker(world, other)] = {"customer": "c"}
    with pytest.raises(NotFound, match="'key'"):
        take(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_an_order_that_cannot_be_read_fails_the_message_when_the_others_are_done(world, other):
    world.cannot_read(other)
    with pytest.raises(ValueError, match="unreadable"):
        take(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_an_order_that_the_first_look_does_not_show_is_looked_at_again(world, other):
    world.orders.load_all = lambda _keys: {}
    take(world, poll_of(KEY))
    assert world.parcel.state == "PICKED_UP"
