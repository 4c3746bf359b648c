"""Load, decide, save: one conditional write, which is tried again where another worker was faster."""

import pytest

from dropship.domain.errors import Stale
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.ports import Conflict, Unavailable
from dropship.services.changing import ATTEMPTS, change_case, change_order, working_copy
from tests.support.interleaving import before_each, once_before
from tests.support.service_world import KEY


@pytest.fixture
def world(world):
    world.hear("orders/paid")
    return world


def hold(order, moment):
    order.hold(HoldReason.DISPATCH_FAILED, moment, "a person")
    return "held"


def note(about):
    """A change that a test can recognise."""
    return lambda order, moment: order.open_task(TaskKind.ADDRESS_CHANGED, moment, about=about)


def noted(order):
    return [task.about for task in order.tasks]


def test_the_change_is_saved_once_and_its_result_handed_back(world):
    order, result = change_order(world.orders, KEY, world.moments, hold)
    assert (result, world.version, world.order) == ("held", 2, order)


def test_nothing_is_written_where_nothing_changes(world):
    order, result = change_order(
        world.orders, KEY, world.moments, lambda order, moment: order.release("DISPATCH_FAILED", moment)
    )
    assert (result, world.version) == (False, 1)
    assert order == world.order


def test_a_clock_that_is_needed_by_now_is_saved_where_nothing_else_changes(world):
    world.clock.advance(days=1)
    change_order(world.orders, KEY, world.moments, lambda *_: None)
    assert (world.version, world.order.due_for) == (2, "DISPATCH")


def test_nothing_is_written_where_the_change_is_refused(world):
    def refuse(order, moment):
        hold(order, moment)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_order(world.orders, KEY, world.moments, refuse)
    assert (world.version, world.held()) == (1, {})


def test_a_change_that_fails_half_way_is_not_part_of_the_next_one(world):
    def fall(order):
        order.hold(HoldReason.DISPATCH_FAILED, world.moments.of(KEY.shop), "a person")
        raise ValueError("no")

    copy = working_copy(world.orders, KEY, world.moments)
    with pytest.raises(ValueError, match="no"):
        copy.change(fall)
    assert copy.value.holds == []
    copy.change(lambda order: order.open_task(TaskKind.ADDRESS_CHANGED, world.moments.of(KEY.shop), about="next"))
    assert (noted(world.order), world.held()) == (["next"], {})


def test_a_change_made_in_the_meantime_is_kept_and_the_work_repeated_on_top_of_it(world):
    once_before(world.orders, "save", lambda: change_order(world.orders, KEY, world.moments, note("theirs")))
    change_order(world.orders, KEY, world.moments, note("ours"))
    assert noted(world.order) == ["theirs", "ours"]
    assert world.version == 3


@pytest.mark.parametrize("lagging", [False, True])
def test_a_picture_that_is_a_moment_old_is_good_enough_to_change_and_not_to_conclude_from(world, lagging):
    change_order(world.orders, KEY, world.moments, hold)
    world.orders.lagging = lagging
    _, released = change_order(
        world.orders, KEY, world.moments, lambda order, moment: order.release("DISPATCH_FAILED", moment)
    )
    assert released
    assert world.held() == {}


@pytest.mark.parametrize("lagging", [False, True])
def test_a_refusal_by_a_picture_that_is_a_moment_old_is_tried_on_a_fresh_one(world, lagging):
    change_order(world.orders, KEY, world.moments, hold)
    world.orders.lagging = lagging

    def needs_a_hold(order, moment):
        if not order.holds:
            raise Stale("nothing is held")
        note("seen")(order, moment)

    change_order(world.orders, KEY, world.moments, needs_a_hold)
    assert noted(world.order) == ["seen"]


def test_an_order_that_a_read_does_not_show_yet_is_looked_for_once_more(world):
    world.orders.lagging = True
    assert world.orders.load(KEY) is None
    order, _ = change_order(world.orders, KEY, world.moments, hold)
    assert order.holds


def test_what_was_saved_is_in_hand_and_not_read_again(world):
    held = working_copy(world.orders, KEY, world.moments)
    held.change(lambda order: hold(order, world.moments.of("main-shop")))
    reads = []
    before_each(world.orders, "load", lambda: reads.append(1))
    held.change(lambda order: note("and more")(order, world.moments.of("main-shop")))
    assert reads == []
    assert held.value == world.order
    assert world.version == 3


def test_it_gives_up_for_now_where_the_item_never_stands_still(world, monkeypatch):
    tries = []

    def always_too_late(order, version):
        tries.append(version)
        raise Conflict("too late")

    monkeypatch.setattr(world.orders, "save", always_too_late)
    with pytest.raises(Unavailable, match="too fast"):
        change_order(world.orders, KEY, world.moments, hold)
    assert len(tries) == ATTEMPTS
    assert world.held() == {}


def test_an_order_that_is_not_there_yet_is_waited_for(world):
    with pytest.raises(Unavailable, match="order main-shop#9 is not known yet"):
        change_order(world.orders, KEY._replace(external_id="9"), world.moments, hold)


def test_a_case_that_is_not_there_yet_is_waited_for(world):
    with pytest.raises(Unavailable, match="case main-shop#refund-9 is not known yet"):
        change_case(world.cases, "main-shop", "refund-9", world.moments, print)


def test_seven_lost_races_in_a_row_are_still_won(world):
    losses = []

    def meddle():
        if len(losses) < ATTEMPTS - 1:
            losses.append(1)
            change_order(world.orders, KEY, world.moments, note(f"theirs {len(losses)}"))

    before_each(world.orders, "save", meddle)
    change_order(world.orders, KEY, world.moments, hold)
    assert world.held() == {"DISPATCH_FAILED": "a person"}
    assert len(losses) == ATTEMPTS - 1
