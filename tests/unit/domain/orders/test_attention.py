"""Everything of an order that needs a person, by urgency."""

import pytest

from dropship.domain.attention import Urgency
from dropship.domain.orders.attention import ORDER_KINDS, URGENCY, HoldReason, Stake, TaskKind
from tests.support.order_examples import at, moment, received


def test_every_hold_and_every_task_has_its_urgency_and_a_name_of_its_own():
    assert list(URGENCY) == [*HoldReason, *TaskKind]
    assert len(set(ORDER_KINDS)) == len(URGENCY)


def test_what_costs_money_is_the_most_urgent():
    assert {URGENCY[kind] for kind in TaskKind if kind.stake is Stake.MONEY} == {Urgency.MONEY}


def test_a_quiet_order_needs_nobody():
    assert received().attention is None


def test_an_order_is_found_under_all_its_holds_and_tasks():
    order = received()
    order.hold(HoldReason.NO_SOURCE, moment(1))
    order.open_task(TaskKind.SHIP_LATE, moment(3))
    order.hold(HoldReason.DISPATCH_FAILED, moment(2))
    assert order.attention == (("HOLD_DISPATCH_FAILED", "HOLD_NO_SOURCE", "SHIP_LATE"), Urgency.GOODS, at(2))


def test_a_task_that_costs_money_comes_before_a_hold():
    order = received()
    order.hold(HoldReason.NO_SOURCE, moment(3))
    order.open_task(TaskKind.WAYBILL_REUSED, moment(1))
    assert order.attention == (("WAYBILL_REUSED", "HOLD_NO_SOURCE"), Urgency.MONEY, at(1))


def test_what_is_seen_to_is_no_longer_named():
    order = received()
    order.open_task(TaskKind.WAYBILL_REUSED, moment(1))
    order.open_task(TaskKind.PARCEL_EXCEPTION, moment(2), about="yto Y1")
    order.close_tasks(TaskKind.WAYBILL_REUSED, moment(4), "ann")
    assert order.attention == (("PARCEL_EXCEPTION",), Urgency.OTHER, at(2))
    order.close_tasks(TaskKind.PARCEL_EXCEPTION, moment(5), "ann")
    assert order.attention is None


@pytest.mark.parametrize("reason", HoldReason)
def test_new_words_of_a_hold_change_nothing_of_the_attention(reason):
    order = received()
    order.hold(reason, moment(1), "why")
    before = order.attention
    order.hold(reason, moment(5), "why, in other words")
    assert order.attention == before
    assert order.release(reason, moment(6))
    assert order.attention is None
