"""The main job: a paid order reaches its supplier exactly once, and then its buyer."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.world import World, an_order, eventually
from tools.local.sandbox.examples import changed


def written_back(order: dict) -> bool:
    return bool(order["parcels"]) and all(parcel["writeback"] == "DONE" for parcel in order["parcels"])


@pytest.mark.without_iam
def test_a_paid_order_is_placed_shipped_written_back_and_followed_to_the_door(world: World):
    world.sandbox.behave("acme", acknowledge=0.1)
    order = world.buy()
    seen = world.when(order, lambda seen: [po["status"] for po in seen["purchase_orders"]] == ["ACKED"])
    (purchase_order,) = world.purchase_orders(order)
    assert purchase_order["reference"] == seen["purchase_orders"][0]["id"]

    parcel = world.ship(order)
    world.when(order, written_back, wanted="written back")
    (fulfilment,) = world.sandbox.fulfillments("main-shop", str(order["id"]))
    assert parcel["number"] in str(fulfilment)

    eventually(
        lambda: any(p.get("callback_url") for p in world.sandbox.parcels(parcel["number"])), lambda: "subscribed"
    )
    world.sandbox.scan(parcel["number"], "yuantong", ["103", "0", "5"])
    world.when(order, lambda seen: seen["parcels"][0]["state"] == "OUT_FOR_DELIVERY")
    world.sandbox.scan(parcel["number"], "yuantong", ["3"])
    done = world.until(order, "DELIVERED")

    told = [entry["what"] for entry in done["timeline"]]
    for step in ("received", "claimed", "placed", "acknowledged", "shipped", "written back", "delivered"):
        assert step in told
    assert len(world.placed(order)) == 1
    assert done["tasks"] == done["holds"] == []


def test_the_same_webhook_ten_times_in_any_order_with_updates_makes_one_purchase_order_and_one_writeback(world: World):
    shop = "quick-shop"  # here a repeat that meets another worker is tried again after two seconds
    order = an_order()
    deliveries = [("orders/paid", order)] * 10 + [("orders/updated", changed(order, note="ring twice"))] * 5
    random.Random(7).shuffle(deliveries)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda one: world.sandbox.send_order(shop, one[1], one[0]), deliveries))
    assert statuses == [[200]] * 15
    world.when(order, lambda seen: [po["status"] for po in seen["purchase_orders"]] == ["DISPATCHED"], shop)
    (purchase_order,) = world.purchase_orders(order)
    world.sandbox.ship("acme", purchase_order["reference"], repeat=5, parallel=True, tracking_number=f"YT{order['id']}")
    seen = world.when(order, written_back, shop, wanted="written back")
    for topic, payload in deliveries[:4]:
        world.sandbox.send_order(shop, payload, topic)
    world.quiet("InboxQueue", "OutboundQueue")
    assert len(world.purchase_orders(order)) == 1
    assert len({record["headers"]["idempotency-key"] for record in world.placed(order)}) == 1
    assert len(world.sandbox.fulfillments(shop, str(order["id"]))) == 1
    assert len(seen["purchase_orders"]) == len(seen["parcels"]) == 1


def test_lines_that_need_no_shipping_are_not_sent_and_fulfillable_units_count(world: World):
    gift_card = {"gift_card": True, "sku": "GIFT-50"}
    order = world.buy(lines=[{"quantity": 3, "fulfillable_quantity": 2}, gift_card])
    world.when(order, lambda seen: [po["status"] for po in seen["purchase_orders"]] == ["DISPATCHED"])
    (purchase_order,) = world.purchase_orders(order)
    assert [(line["line"], line["quantity"]) for line in purchase_order["request"]["lines"]] == [
        (str(order["line_items"][0]["id"]), 2)
    ]


def test_an_order_of_gift_cards_only_is_complete_at_once(world: World):
    order = world.buy(lines=[{"gift_card": True}, {"requires_shipping": False}])
    world.until(order, "COMPLETED")
    assert world.placed(order) == []


def test_lines_at_two_suppliers_become_two_purchase_orders_two_parcels_and_two_writebacks(world: World):
    order = world.buy(lines=[{}, {"sku": world_sku_of("bolt")}])
    world.when(order, lambda seen: [po["status"] for po in seen["purchase_orders"]] == ["DISPATCHED"] * 2)
    world.ship(order, "acme")
    world.until(order, "PARTIALLY_SHIPPED")
    world.when(order, written_back, wanted="first written back")
    world.ship(order, "bolt")
    world.until(order, "SHIPPED")
    seen = world.when(order, written_back, wanted="both written back")
    assert len(seen["parcels"]) == 2
    first, second = world.sandbox.fulfillments("main-shop", str(order["id"]))
    assert first != second
    assert len(world.placed(order, "acme")) == len(world.placed(order, "bolt")) == 1


def world_sku_of(supplier: str) -> str:
    """A SKU that only this supplier offers in the seed file."""
    return {"bolt": "CAP-BLACK"}[supplier]


def test_an_unpaid_order_waits_for_its_payment(world: World):
    order = an_order(financial_status="pending")
    world.sandbox.send_order("main-shop", order, "orders/create")
    world.quiet("InboxQueue")
    assert world.order(order) is None
    world.sandbox.send_order("main-shop", changed(order, financial_status="paid"))
    world.when(order, lambda seen: [po["status"] for po in seen["purchase_orders"]] == ["DISPATCHED"])
    assert len(world.placed(order)) == 1
