"""Order intake: one stored order and one started workflow, however and in whatever order it is told."""

import json

import pytest

from dropship.domain.deadlines import Deadlines
from dropship.domain.errors import InvalidMessage
from dropship.domain.fulfilment import track
from dropship.domain.order import HoldReason
from dropship.domain.partners import TrackingEvent, TrackingStage
from dropship.ports import NotFound, Unavailable
from dropship.services.messages import DispatchAgain, OrderDue, ReleaseHold, Webhook
from tests.unit.services.crashing import UseCase, survives_every_crash
from tests.unit.services.interleaving import once_before
from tests.unit.services.world import CASE, GREEN, KEY, NOW, PINK, WAYBILL, World, from_shop, lines, payload

ADDRESS = payload("orders_paid")["shipping_address"]
LATER = "2026-11-21T04:20:00-04:00"
NO_SOURCE = "NOBODY-HAS-IT"
DUE = OrderDue(order=str(KEY))
AGAIN = DispatchAgain(order=str(KEY), by="ops")


def release(reason):
    return ReleaseHold(order=str(KEY), reason=reason, by="ops")


def events(order):
    return [entry.what for entry in order.timeline]


def reasons(world):
    return [started["reason"] for started in world.workflows.fulfilments.values()]


def test_a_paid_order_is_stored_with_its_source_and_address_and_its_workflow_started(world):
    world.hear("orders/paid")

    assert world.order.status == "READY"
    assert [(line.id, line.sku, line.units.unrouted) for line in world.order.lines] == [
        (PINK, "IPOD2008PINK", 1),
        (GREEN, "IPOD2008PINK", 1),
    ]
    assert world.orders.source(KEY).chosen_shipping == "Generic Shipping"
    assert world.orders.recipient(KEY).name == "Steve Shipper"
    name = f"main-shop-{KEY.external_id}-{world.order.fence}-received"
    assert world.workflows.fulfilments == {name: {"order": str(KEY), "reason": "received"}}


def test_the_stored_state_holds_nothing_of_the_buyer(world):
    world.hear("orders/paid")
    stored = world.orders.states.stored[KEY].body
    for personal in ("Steve", "Shipper", "Shipping Street", "40003", "jon@example.com", "555"):
        assert personal not in stored


def test_the_same_event_again_changes_nothing_and_starts_nothing_more(world):
    world.hear("orders/paid")
    world.hear("orders/paid")
    assert world.version == 1
    assert len(world.workflows.fulfilments) == 1


def test_created_unpaid_is_ignored_until_it_is_paid(world):
    world.intake.take(from_shop("orders/paid", financial_status="pending"))
    assert world.orders.load(KEY) is None
    assert (world.orders.sources, world.workflows.fulfilments) == ({}, {})

    world.hear("orders/paid")
    assert world.order.status == "READY"


def test_updated_before_paid_takes_the_order_in_and_the_later_event_changes_nothing(world):
    world.hear("orders/updated")
    world.hear("orders/paid")

    assert world.version == 1
    assert world.orders.recipient(KEY).address1 == "125 Shipping Street", "the later address stays"
    assert len(world.workflows.fulfilments) == 1


def test_a_later_address_replaces_the_earlier_one_before_the_claim(world):
    world.hear("orders/paid")
    fence = world.order.fence
    world.hear("orders/updated")

    assert world.orders.recipient(KEY).address1 == "125 Shipping Street"
    assert world.order.fence > fence, "a plan made before is stale"
    assert len(world.workflows.fulfilments) == 2


def test_an_address_changed_after_the_claim_needs_a_person(world):
    world.dispatched()
    world.hear("orders/updated")
    assert list(world.tasks()) == ["ADDRESS_CHANGED"]


def test_an_order_without_an_address_is_held_and_freed_when_the_address_comes(world):
    world.hear("orders/paid", shipping_address=ADDRESS | {"city": "", "address1": ""})
    assert world.held() == {"ADDRESS_MISSING": "missing: address1, city"}
    assert world.workflows.fulfilments == {}

    world.hear("orders/updated")
    assert (world.held(), world.order.status) == ({}, "READY")
    assert reasons(world) == ["received"]


def test_cancelled_before_paid_is_cancelled_and_stays_so(world):
    world.hear("orders/cancelled")
    world.hear("orders/paid")

    assert world.order.status == "CANCELLED"
    assert (world.workflows.fulfilments, world.queues.sent) == ({}, [])


def test_cancelled_before_the_claim_ends_the_order_here_and_now(world):
    world.hear("orders/paid")
    world.hear("orders/cancelled")

    assert world.order.status == "CANCELLED"
    assert world.queues.sent == []
    assert world.plan()[1] == []


def test_cancelled_after_the_claim_is_asked_of_after_sales_each_time_it_comes(world):
    world.dispatched()
    world.hear("orders/cancelled")
    world.hear("orders/cancelled")

    assert world.order.status == "IN_FULFILMENT"
    assert world.sent("after-sales") == 2 * [{"kind": "cancel-order", "order": str(KEY)}]


def test_an_edit_that_leaves_nothing_to_ship_cancels_the_order(world):
    world.hear("orders/paid")
    world.hear("orders/updated", line_items=lines(fulfillable_quantity=0))
    assert world.order.status == "CANCELLED"


def test_an_order_with_nothing_to_ship_is_complete_at_once(world):
    world.hear("orders/paid", line_items=lines(requires_shipping=False))
    assert world.order.status == "COMPLETED"
    assert world.workflows.fulfilments == {}


def test_a_refund_goes_to_after_sales_and_touches_no_order(world):
    world.intake.take(from_shop("refunds/create"))

    (message,) = world.sent("after-sales")
    assert message["kind"] == "open-case"
    assert f"refund-{message['request']['id']}" == CASE
    assert world.orders.load(KEY) is None


def test_a_topic_that_is_not_for_us_is_done_with(world):
    webhook = from_shop("orders/paid")
    world.intake.take(webhook.model_copy(update={"headers": webhook.headers | {"x-shopify-topic": "app/uninstalled"}}))
    assert (world.queues.sent, list(world.orders.all())) == ([], [])


def test_a_webhook_of_another_shops_domain_is_refused(world):
    webhook = from_shop("orders/paid").model_copy(update={"connection": "second-shop"})
    with pytest.raises(InvalidMessage, match="came to shop second-shop"):
        world.intake.take(webhook)


def test_the_same_order_number_in_two_shops_is_two_orders(world):
    world.hear("orders/paid")
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-shop-domain": "second-shop.myshopify.com"}
    body = json.dumps(payload("orders_paid"))
    world.intake.take(Webhook(channel="shopify", connection="second-shop", headers=headers, body=body))
    assert {order.shop for order in world.orders.all()} == {"main-shop", "second-shop"}
    assert len(world.workflows.fulfilments) == 2


def test_a_webhook_of_an_unknown_shop_is_an_error(world):
    with pytest.raises(NotFound, match="'gone'"):
        world.intake.take(from_shop("orders/paid").model_copy(update={"connection": "gone"}))


# ---- Two workers at once


def test_two_workers_with_the_same_new_order_store_it_once_and_start_one_workflow(world):
    once_before(world.orders, "save", lambda: world.hear("orders/paid"))
    world.hear("orders/paid")
    assert world.version == 1
    assert len(world.workflows.fulfilments) == 1


@pytest.mark.parametrize(("ours", "theirs"), [("orders/paid", "orders/updated"), ("orders/updated", "orders/paid")])
def test_whichever_of_two_versions_is_saved_first_the_later_one_stays(world, ours, theirs):
    once_before(world.orders, "save", lambda: world.hear(theirs))
    world.hear(ours)
    assert world.order.source_version.minute == 17
    assert world.orders.recipient(KEY).address1 == "125 Shipping Street"


def test_a_claim_between_load_and_save_of_a_cancellation_leaves_it_to_after_sales(world):
    world.hear("orders/paid")
    once_before(world.orders, "save", world.dispatch)
    world.hear("orders/cancelled")

    assert world.order.status == "IN_FULFILMENT"
    assert world.kinds("after-sales") == ["cancel-order"]
    assert world.acme.open


# ---- What ops and clocks want


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
    order.hold(HoldReason.MANUAL, NOW, "wait")
    world.orders.save(order, version)

    world.wish(release(HoldReason.MANUAL))
    assert list(world.held()) == ["ADDRESS_MISSING"]
    assert world.workflows.fulfilments == {}


def test_a_release_of_a_hold_that_is_not_there_changes_nothing(world):
    world.dispatched()
    version = world.version
    world.wish(release(HoldReason.MANUAL))
    assert world.version == version
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


@pytest.mark.parametrize("message", [DUE, AGAIN, release("MANUAL")])
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
    due = world.order.due
    world.clock.time = due
    world.wish(DUE)
    assert len(reasons(world)) == 1
    assert reasons(world)[0].startswith("due-")
    assert world.order.due > due, "the clock is set again"


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
    world.queues.take("outbound")
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
    order, version = world.orders.load(KEY)
    scan = TrackingEvent(at=NOW, raw_time="", stage=TrackingStage.DELIVERED, code="3")
    picked_up = scan.model_copy(update={"stage": TrackingStage.PICKED_UP})
    assert track(order, order.parcels[0], [picked_up, scan], NOW, Deadlines())
    world.orders.save(order, version)


# ---- However the process ends


def nothing_before(world):
    pass


CRASHES = {
    "a new order": UseCase(nothing_before, lambda world: world.hear("orders/paid")),
    "a later version": UseCase(lambda world: world.hear("orders/paid"), lambda world: world.hear("orders/updated")),
    "cancelled before the claim": UseCase(
        lambda world: world.hear("orders/paid"), lambda world: world.hear("orders/cancelled")
    ),
    "cancelled after the claim": UseCase(World.dispatched, lambda world: world.hear("orders/cancelled")),
    "a refund": UseCase(nothing_before, lambda world: world.intake.take(from_shop("refunds/create"))),
    "an order left lying": UseCase(
        lambda world: (world.hear("orders/paid"), world.clock.advance(hours=1)), lambda world: world.wish(DUE)
    ),
    "a parcel left lying": UseCase(
        lambda world: (world.shipped(), world.clock.advance(hours=1)), lambda world: world.wish(DUE)
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
    world.fuse.at, world.fuse.side = 2, "after"
    with pytest.raises(BaseException, match=r"after orders\.save"):
        world.hear("orders/paid")
    assert world.workflows.fulfilments == {}
    assert world.order.due is not None
