"""Writeback when things fail: the marketplace is told of each parcel once, whatever it answers."""

import pytest

from tests.e2e.order_views import dispatched
from tests.e2e.quick_shop import SHOP, done, ship, told
from tests.e2e.world import World


@pytest.mark.parametrize("mode", ["drop_after_accepting", "error_after_accepting", "garbage"])
def test_a_parcel_that_was_told_without_a_clear_answer_is_not_told_again(world: World, mode):
    world.sandbox.fault(f"shopify:{SHOP}", mode, "create")
    order = ship(world)
    seen = world.when(order, done, SHOP, wanted="written back")
    assert len(told(world, order)) == 1
    assert len(world.sandbox.records(f"shopify:{SHOP}", "create", seen["parcels"][0]["number"])) == 1


@pytest.mark.parametrize(
    ("mode", "operation", "times"), [("throttle", "query", 2), ("throttle", "create", 1), ("drop", "query", 1)]
)
def test_a_marketplace_that_cannot_take_it_now_is_told_later(world: World, mode, operation, times):
    world.sandbox.fault(f"shopify:{SHOP}", mode, operation, times=times)
    order = ship(world)
    world.when(order, done, SHOP, wanted="written back")
    assert len(told(world, order)) == 1


def test_a_refusal_of_the_marketplace_is_shown_with_its_words_and_can_be_closed(world: World):
    order = world.buy()
    world.when(order, dispatched)
    world.sandbox.fault("shopify:main-shop", "status", "create", status=400)
    world.ship(order)
    seen = world.when(order, lambda seen: any(task["kind"] == "WRITEBACK_REFUSED" for task in seen["tasks"]))
    assert seen["parcels"][0]["writeback"] == "REFUSED"
    path = f"/orders/main-shop/{order['id']}/tasks/WRITEBACK_REFUSED/close"
    assert world.ops("POST", path).status == 202
    world.when(order, lambda seen: seen["tasks"] == [], wanted="closed")
    assert world.ops("POST", path).status == 409


def test_a_shop_that_does_not_take_our_key_once_is_told_all_the_same(world: World):
    order = world.buy()
    world.when(order, dispatched)
    world.sandbox.fault("shopify:main-shop", "status", "create", status=401)
    world.ship(order)
    assert world.when(order, done)["tasks"] == []
    assert len(world.sandbox.fulfillments("main-shop", str(order["id"]))) == 1


def test_one_line_shipped_in_three_parcels_is_told_three_times_and_delivered_at_the_last(world: World):
    order = world.buy(lines=[{"quantity": 5, "fulfillable_quantity": 5}])
    world.when(order, dispatched)
    line = str(order["line_items"][0]["id"])
    numbers = []
    for units in (2, 2, 1):
        parcel = world.ship(order, lines=[{"line": line, "quantity": units}])
        numbers.append(parcel["number"])
        expected = "SHIPPED" if len(numbers) == 3 else "PARTIALLY_SHIPPED"
        world.when(order, lambda seen, expected=expected: seen["status"] == expected and done(seen))
    assert len(world.sandbox.fulfillments("main-shop", str(order["id"]))) == 3
    assert len(world.purchase_orders(order)) == 1
    for number in numbers:
        world.sandbox.scan(number, "yuantong", ["3"], push=False)
    world.invoke("tracking-schedule", {"everything": True})
    world.until(order, "DELIVERED")
