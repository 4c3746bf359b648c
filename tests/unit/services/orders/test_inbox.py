"""Messages of the inbox that are not webhooks: clocks that ran out, wishes of ops. And crashes with each message."""

import pytest

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.orders.attention import HoldReason
from dropship.domain.orders.delivery import track
from dropship.domain.orders.timeline import about, words
from dropship.ports import Unavailable
from dropship.services.changing import change_order
from dropship.services.messages import CloseTask, DispatchAgain, OrderDue, ReleaseHold
from dropship.services.sweep import Sweep
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.order_examples import DEADLINES
from tests.support.service_world import KEY, NOW, WAYBILL, World, from_shop, lines

NO_SOURCE = "NOBODY-HAS-IT"
DUE = OrderDue(order=str(KEY))
CLOSE = CloseTask(order=str(KEY), task="ADDRESS_CHANGED", by="ann")
AGAIN = DispatchAgain(order=str(KEY), by="ops")


def release(reason):
    return ReleaseHold(order=str(KEY), reason=reason, by="ops")


def events(order):
    return [words(event) for event in order.timeline]


def reasons(world):
    return [started["reason"] for started in world.workflows.fulfilments.values()]


def test_a_released_hold_starts_the_workflow(world):
    world.hear("orders/paid", line_items=lines(sku=NO_SOURCE))
    world.plan()
    world.workflows.fulfilments.clear()

    for _ in range(2):
        world.wish(release(HoldReason.NO_SOURCE))
    assert world.order.status == "READY"
    assert reasons(world) == ["released"]
    assert events(world.order).count("hold released") == 1


def test_releasing_one_of_two_holds_starts_nothing(world):
    world.hear("orders/paid", shipping_address=None)
    order, version = world.orders.load(KEY)
    order.hold(HoldReason.DISPATCH_FAILED, Moment(NOW, DEADLINES), "wait")
    world.orders.save(order, version)

    world.wish(release(HoldReason.DISPATCH_FAILED))
    assert list(world.held()) == ["ADDRESS_MISSING"]
    assert world.workflows.fulfilments == {}


def test_a_release_of_a_hold_that_is_not_there_changes_nothing(world):
    world.dispatched()
    version = world.version
    world.wish(release(HoldReason.DISPATCH_FAILED))
    assert world.version == version
    assert reasons(world) == ["received"]


def test_a_task_that_a_person_has_seen_to_is_closed_in_their_name_once(world):
    world.dispatched()
    world.hear("orders/updated")
    for _ in range(2):
        world.wish(CLOSE)
    assert world.tasks() == {}
    assert [(words(event), about(event)) for event in world.order.timeline[-2:]] == [
        ("needs a person: ADDRESS_CHANGED", ""),
        ("task closed: ADDRESS_CHANGED", "ann"),
    ]
    assert reasons(world) == ["received"]


def test_dispatch_again_starts_the_workflow_at_most_once_a_minute(world):
    world.hear("orders/paid")
    world.wish(AGAIN)
    world.clock.advance(seconds=20)
    world.wish(AGAIN)
    assert reasons(world) == ["received", "again-20261121T0815"]
    world.clock.advance(seconds=60)
    world.wish(AGAIN)
    assert len(reasons(world)) == 3


@pytest.mark.parametrize("message", [DUE, AGAIN, CLOSE, release("DISPATCH_FAILED")])
def test_a_message_about_an_order_that_is_not_there_yet_comes_again(world, message):
    with pytest.raises(Unavailable, match="not known yet"):
        world.wish(message)


@pytest.mark.parametrize("message", [AGAIN, DUE])
def test_an_order_with_nothing_to_dispatch_starts_nothing(world, message):
    world.dispatched()
    world.wish(message)
    assert reasons(world) == ["received"]


def test_an_order_left_lying_is_taken_up_when_its_clock_runs_out(world):
    world.hear("orders/paid")
    world.workflows.fulfilments.clear()
    world.clock.advance(minutes=10)
    for _ in range(2):
        world.wish(DUE)
        assert len(reasons(world)) == 1
        assert reasons(world)[0].startswith("due-")
        assert world.order.due > world.clock.now(), "it has a clock from now on"
        world.workflows.fulfilments.clear()
        world.clock.time = world.order.due


def test_an_order_message_that_comes_too_early_misses_no_deadline(world):
    world.dispatched()
    before = world.order
    world.wish(DUE)
    assert world.order == before


@pytest.mark.parametrize(("hours", "acknowledged", "task"), [(24, False, "ACKNOWLEDGE_LATE"), (48, True, "SHIP_LATE")])
def test_a_supplier_that_misses_its_deadline_becomes_a_task_once(world, hours, acknowledged, task):
    world.dispatched()
    if acknowledged:
        world.supplier_says("acknowledged")
    world.clock.advance(hours=hours)
    for _ in range(2):
        world.wish(DUE)
    assert list(world.tasks()) == [task]
    assert world.order.due > world.clock.now()


def test_a_parcel_the_marketplace_was_not_told_of_is_told_when_the_clock_runs_out(world):
    world.shipped()
    world.queues.drain("outbound")
    world.clock.advance(minutes=15)
    world.wish(DUE)
    assert world.sent("outbound") == [
        {"kind": "tell-marketplace", "order": str(KEY), "carrier": WAYBILL.carrier, "number": WAYBILL.number}
    ]


def test_a_delivered_order_is_complete_when_its_window_closes(world):
    world.shipped()
    world.tell_marketplace()
    deliver(world)
    world.clock.time = world.order.due
    world.wish(DUE)
    assert world.order.status == "COMPLETED"
    assert world.order.due is None


def deliver(world):
    scan = TrackingEvent(at=NOW, raw_time="", stage=TrackingStage.DELIVERED, code="3")
    picked_up = scan.model_copy(update={"stage": TrackingStage.PICKED_UP})
    change_order(
        world.orders,
        KEY,
        world.moments,
        lambda order, moment: track(order, order.parcels[0], [picked_up, scan], moment),
    )


# ---- A crash at any point


def nothing_before(world):
    pass


CRASHES = {
    "a new order": UseCase(nothing_before, lambda world: world.hear("orders/paid")),
    "a later version": UseCase(lambda world: world.hear("orders/paid"), lambda world: world.hear("orders/updated")),
    "cancelled before the claim": UseCase(
        lambda world: world.hear("orders/paid"), lambda world: world.hear("orders/cancelled")
    ),
    "cancelled after the claim": UseCase(World.dispatched, lambda world: world.hear("orders/cancelled")),
    "a refund": UseCase(nothing_before, lambda world: world.inbox.handle(from_shop("refunds/create"))),
    "an order left lying": UseCase(
        lambda world: (world.hear("orders/paid"), world.clock.advance(hours=1)), lambda world: world.wish(DUE)
    ),
    "a parcel left lying": UseCase(
        lambda world: (world.shipped(), world.clock.advance(hours=1)), lambda world: world.wish(DUE)
    ),
    "a task closed": UseCase(
        lambda world: (world.dispatched(), world.hear("orders/updated")), lambda world: world.wish(CLOSE)
    ),
    "a hold released": UseCase(
        lambda world: (world.hear("orders/paid", line_items=lines(sku=NO_SOURCE)), world.plan()),
        lambda world: world.wish(release("NO_SOURCE")),
    ),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2


def test_a_crash_between_save_and_start_leaves_an_order_that_the_sweep_would_find(world):
    world.fuse.at, world.fuse.side = 1, "after"
    with pytest.raises(BaseException, match=r"after orders\.save"):
        world.hear("orders/paid")
    assert world.workflows.fulfilments == {}
    world.clock.advance(minutes=11)
    Sweep(world.orders, world.cases, world.registry, world.queues, world.clock).run()
    assert world.sent("inbox") == [{"kind": "order-due", "order": str(KEY)}]
