"""What seldom happens by itself in a run: stale plans, parcels that were not told, messages that fail."""

from datetime import datetime, timedelta

import pytest

from dropship.services.messages import OrderDue, PollParcels
from tests.e2e.order_views import dispatched
from tests.e2e.quick_shop import SHOP, done, ship, told
from tests.e2e.world import World, run_out
from tests.support.lambdas import event, failed

WRITEBACK_CLOCK = timedelta(seconds=3)  # the shop's, in tools/local/seed.yaml


@pytest.mark.parametrize(
    ("function", "queue", "like"),
    [
        ("supplier-events", "supplier-events", "supplier_events/shipped"),
        ("tracking-poll", "tracking", "tracking_poll/watch"),
    ],
)
def test_a_message_that_fails_is_named(world: World, function, queue, like):
    assert failed(world.invoke(function, world.batch("{", queue, like))) == ["m0"]


def test_a_plan_from_before_a_change_places_nothing_and_is_made_again(world: World):
    order = world.buy()
    world.when(order, dispatched)
    plan = event("dispatch_submit/submit") | {"order": f"main-shop#{order['id']}", "fence": 9999}
    plan["purchase_order"] |= {"id": f"main-shop.{order['id']}.bolt.1.1"}
    assert world.invoke("dispatch-submit", plan)["status"] == "STALE"
    assert world.purchase_orders(order, "bolt") == []


def test_a_parcel_whose_message_is_lost_is_brought_up_by_its_poll_and_by_its_clock(world: World):
    with world.not_consumed("shipment-writeback"):
        order = ship(world)
        world.lose("OutboundQueue", order)

        (parcel,) = (world.order(order, SHOP) or {})["parcels"]
        run_out(datetime.fromisoformat(parcel["writeback_at"]) + WRITEBACK_CLOCK)
        visit = PollParcels(orders=[f"{SHOP}#{order['id']}"]).model_dump_json()
        assert failed(world.invoke("tracking-poll", world.batch(visit, "tracking", "tracking_poll/watch"))) == []
        world.lose("OutboundQueue", order)

        due = OrderDue(order=f"{SHOP}#{order['id']}").model_dump_json()
        assert failed(world.invoke("order-ingest", world.batch(due, "inbox", "order_ingest/orders_paid"))) == []
        assert told(world, order) == []
    world.when(order, done, SHOP, wanted="written back")
    assert len(told(world, order)) == 1
