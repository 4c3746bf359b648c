"""What a run seldom comes to by itself: plans that are stale, parcels that were not told, messages that fail."""

import time
from typing import Any

import pytest

from dropship.services.messages import OrderDue, PollParcels
from tests.e2e.order_views import dispatched
from tests.e2e.quick_shop import SHOP, done, ship, told
from tests.e2e.world import World, eventually
from tests.support.lambdas import event, failed, sqs_batch


def batch(world: World, body: str, queue: str, like: str) -> dict[str, Any]:
    """A batch as Lambda would hand it over, of one message that is in no queue."""
    found = sqs_batch(body, like=like)
    arn = f"arn:aws:sqs:{world.stack.region}:{world.stack.account}:{world.stack_name}-{queue}"
    return {"Records": [record | {"eventSourceARN": arn} for record in found["Records"]]}


@pytest.mark.parametrize(
    ("function", "queue", "like"),
    [
        ("supplier-events", "supplier-events", "supplier_events/shipped"),
        ("tracking-poll", "tracking", "tracking_poll/watch"),
    ],
)
def test_a_message_that_fails_is_named(world: World, function, queue, like):
    assert failed(world.invoke(function, batch(world, "{", queue, like))) == ["m0"]


def test_a_plan_from_before_a_change_places_nothing_and_is_made_again(world: World):
    order = world.buy()
    world.when(order, dispatched)
    plan = event("dispatch_submit/submit") | {"order": f"main-shop#{order['id']}", "fence": 9999}
    plan["purchase_order"] |= {"id": f"main-shop.{order['id']}.bolt.1.1"}
    assert world.invoke("dispatch-submit", plan)["status"] == "STALE"
    assert world.purchase_orders(order, "bolt") == []


def test_a_parcel_that_a_marketplace_does_not_take_is_brought_up_by_its_poll_and_by_its_clock(world: World):
    world.sandbox.fault(f"shopify:{SHOP}", "throttle", times=None)
    order = ship(world)
    asked = f"gid://shopify/Order/{order['id']}"
    eventually(
        lambda: len(world.sandbox.records(f"shopify:{SHOP}", "query", asked)) >= 3,
        lambda: f"the marketplace was asked {len(world.sandbox.records(f'shopify:{SHOP}', 'query', asked))} times",
    )
    time.sleep(3.2)  # the writeback clock of the shop; the message itself is not tried for another quarter of a minute
    key = f"{SHOP}#{order['id']}"
    visit, due = PollParcels(orders=[key]).model_dump_json(), OrderDue(order=key).model_dump_json()
    assert failed(world.invoke("tracking-poll", batch(world, visit, "tracking", "tracking_poll/watch"))) == []
    world.sandbox.heal()
    assert failed(world.invoke("order-ingest", batch(world, due, "inbox", "order_ingest/orders_paid"))) == []
    world.when(order, done, SHOP, wanted="written back")
    assert len(told(world, order)) == 1
