"""A wish applies to what the person saw: a message that comes again or late does not change what came after it."""

import pytest

from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.services.changing import change_order
from dropship.services.desk.ops import DecisionBody, Ops
from dropship.services.messages import AFTER_SALES, INBOX
from tests.support.service_world import CASE, KEY, PINK
from tests.support.submitting import NO, planned, submit


def wanted(world, queue, wish, *said):
    """Make a wish through the ops API. The returned function delivers its message each time it is called."""
    world.queues.sent.clear()
    wish(Ops(world.orders, world.cases, world.registry, world.queues, world.clock), *said)
    (body,) = world.queues.drain(queue)
    if queue == "inbox":
        return lambda: world.inbox.handle(INBOX.validate_json(body))
    return lambda: world.after_sales.handle(AFTER_SALES.validate_json(body))


def test_a_release_that_comes_again_does_not_release_a_hold_that_nobody_saw():
    world = planned()
    world.acme.fail("place", NO, NO)
    submit(world)
    release = wanted(world, "inbox", Ops.release, *KEY, "SUPPLIER_REFUSED", "ann")
    world.clock.advance(seconds=1)
    release()
    assert world.held() == {}
    assert world.dispatch() == ["CANCELLED"], "refused again"
    release()
    assert list(world.held()) == ["SUPPLIER_REFUSED"]
    assert world.acme.open == []


def test_a_release_leaves_the_other_holds(world):
    world.hear("orders/paid")
    for reason in (HoldReason.NO_SOURCE, HoldReason.DISPATCH_FAILED):
        change_order(
            world.orders,
            KEY,
            world.moments,
            lambda order, moment, reason=reason: order.hold(reason, moment),
        )
    wanted(world, "inbox", Ops.release, *KEY, "NO_SOURCE", "ann")()
    assert list(world.held()) == ["DISPATCH_FAILED"]


def need(world, about):
    change_order(
        world.orders,
        KEY,
        world.moments,
        lambda order, moment: order.open_task(TaskKind.WAYBILL_REUSED, moment, "why", about),
    )


def test_closing_tasks_leaves_one_that_came_after_the_person_had_looked(world):
    world.dispatched()
    need(world, "YT1")
    world.clock.advance(seconds=1)
    need(world, "YT2")
    close = wanted(world, "inbox", Ops.close_task, *KEY, "WAYBILL_REUSED", "ann")
    world.clock.advance(seconds=1)
    need(world, "YT3")
    close()
    assert [task.about for task in world.order.tasks] == ["YT3"]


@pytest.fixture
def refused(world):
    """A case that was refused. Gives a function that delivers the message of the refusal again."""
    world.shipped()
    world.refund(PINK)
    refuse = wanted(world, "after-sales", Ops.decide, KEY.shop, CASE, DecisionBody(decision="refuse"), "ann")
    refuse()
    assert world.case.status == "REJECTED"
    return refuse


def test_a_decision_that_comes_again_does_not_decide_a_case_that_was_opened_again(world, refused):
    wanted(world, "after-sales", Ops.decide, KEY.shop, CASE, DecisionBody(event="merchant_reopens"), "kim")()
    assert world.case.status == "OPEN"
    refused()
    assert world.case.status == "OPEN"


def test_an_event_that_comes_again_happens_once(world, refused):
    reopen = wanted(world, "after-sales", Ops.decide, KEY.shop, CASE, DecisionBody(event="merchant_reopens"), "kim")
    reopen()
    wanted(world, "after-sales", Ops.decide, KEY.shop, CASE, DecisionBody(decision="refuse"), "kim")()
    reopen()
    assert world.case.status == "REJECTED"
