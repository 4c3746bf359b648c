"""A visit of several orders: a problem with one of them, or with one tracker, does not affect the others."""

from threading import Barrier, current_thread

import pytest

from dropship.domain.identity import Waybill
from dropship.ports import NotFound, Unavailable
from dropship.runtime.application import AT_ONCE
from tests.support.parcel_news import POLL, another, handle, poll_of, report
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import KEY, WAYBILL


@pytest.fixture
def world(world):
    world.shipped()
    return world


@pytest.fixture
def other(world):
    """Another order with a parcel under way. There is news of the example order's parcel."""
    world.tracker.reports[WAYBILL.number] = report("picked up")
    return another(world, 77)


def by_another_tracker(world, key):
    """Let another tracker follow the order's parcel. Returns the name of that tracker's secret."""
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
        handle(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_a_tracker_whose_secret_lacks_a_field_is_named_and_the_others_are_asked(world, other):
    world.secrets.known[by_another_tracker(world, other)] = {"customer": "c"}
    with pytest.raises(NotFound, match="'key'"):
        handle(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_an_order_that_cannot_be_read_fails_the_message_when_the_others_are_done(world, other):
    world.cannot_read(other)
    with pytest.raises(ValueError, match="unreadable"):
        handle(world, poll_of(other, KEY))
    assert world.parcel.state == "PICKED_UP"


def test_an_order_that_the_first_look_does_not_show_is_looked_at_again(world, other):
    world.orders.load_all = lambda _keys: {}
    handle(world, poll_of(KEY))
    assert world.parcel.state == "PICKED_UP"


@pytest.mark.usefixtures("several_at_once")
@pytest.mark.parametrize("failure", [answer(503), answer(200, "nonsense"), LOST, REFUSED_CONNECTION])
def test_a_silent_tracker_is_asked_no_further_and_the_round_after_asks_again(world, failure):
    others = [another(world, number) for number in range(60)]
    world.tracker.fail("query", *[failure] * 200)
    handle(world, poll_of(KEY, *others))
    asked = len(world.tracker.asked)
    assert 1 <= asked <= 2 * AT_ONCE, "but for those that were being asked already"
    handle(world, poll_of(KEY))
    assert len(world.tracker.asked) == asked + 1


@pytest.mark.usefixtures("several_at_once")
def test_parcels_are_asked_for_several_at_a_time_and_each_answer_goes_to_its_order(world):
    keys = [another(world, number) for number in range(2 * AT_ONCE)]
    for number in range(0, 2 * AT_ONCE, 2):
        world.tracker.reports[f"YT{number}"] = report("picked up", number=f"YT{number}")
    together, real = Barrier(AT_ONCE), world.http.send
    world.http.send = lambda *given: (together.wait(100), real(*given))[1]
    handle(world, poll_of(*keys))
    states = [world.orders.load(key).value.parcels[0].state for key in keys]
    assert states == AT_ONCE * ["PICKED_UP", "LABEL_CREATED"]


@pytest.mark.usefixtures("several_at_once")
def test_one_parcel_is_asked_for_without_a_thread(world):
    threads, real = [], world.http.send
    world.http.send = lambda *given: (threads.append(current_thread()), real(*given))[1]
    handle(world, POLL)
    assert threads == [current_thread()]


@pytest.mark.usefixtures("several_at_once")
def test_credentials_are_read_before_parcels_are_asked_for_together(world, monkeypatch):
    readers, real = [], world.secrets.get
    monkeypatch.setattr(world.secrets, "get", lambda name, **_: (readers.append(current_thread()), real(name))[1])
    handle(world, poll_of(*(another(world, number) for number in range(3))))
    assert readers[0] is current_thread(), "so that no two threads find nothing remembered"
    assert len(set(readers)) > 1


def test_a_refusal_for_one_parcel_does_not_stop_the_others(world):
    world.tracker.fail("query", answer(200, {"returnCode": "400", "message": "参数错误"}))
    other = another(world, 1)
    handle(world, poll_of(KEY, other))
    assert sorted(world.tracker.asked) == [("query", "YT1"), ("query", WAYBILL.number)]
    assert world.counted == [("TrackerRefused", "kd100: 400 参数错误")]


def test_an_order_that_cannot_be_changed_does_not_stop_the_others_and_the_message_comes_again(world):
    other, real = another(world, 1), world.orders.save
    for number in ("YT1", WAYBILL.number):
        world.tracker.reports[number] = report("picked up", number=number)

    def save(order, version):
        if order.key == KEY:
            raise Unavailable("not now")
        return real(order, version)

    world.orders.save = save
    with pytest.raises(Unavailable, match="not now"):
        handle(world, poll_of(KEY, other))
    assert world.orders.load(other).value.parcels[0].state == "PICKED_UP"
    assert world.parcel.state == "LABEL_CREATED"
