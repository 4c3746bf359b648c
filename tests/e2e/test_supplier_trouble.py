"""Suppliers that fail, do not answer or refuse: no order is placed twice, and none is lost."""

import pytest

from tests.e2e.order_views import dispatched, kinds
from tests.e2e.world import World


@pytest.mark.parametrize("mode", ["error_after_accepting", "drop_after_accepting", "garbage"])
def test_a_supplier_that_accepts_and_does_not_say_so_is_found_and_gets_no_second_order(world: World, mode):
    world.sandbox.fault("supplier:acme", mode, "place")
    order = world.buy()
    seen = world.when(order, dispatched, wanted="dispatched")
    assert "outcome unknown" in [entry["what"] for entry in seen["timeline"]]
    assert len(world.placed(order)) == 1
    assert len(world.purchase_orders(order)) == 1
    assert len(world.sandbox.records("supplier:acme", "find", str(order["id"]))) >= 1
    assert seen["tasks"] == []


def test_an_outcome_that_stays_unknown_waits_for_its_clock_and_is_shown(world: World):
    world.sandbox.fault("supplier:acme", "drop_after_accepting", "place")
    world.sandbox.fault("supplier:acme", "drop", "find", times=None)
    order = world.buy()
    seen = world.when(order, lambda seen: any(task["kind"] == "DISPATCH_UNKNOWN" for task in seen["tasks"]))
    assert seen["purchase_orders"][0]["status"] == "DISPATCH_UNKNOWN"
    assert seen["due"] is not None
    world.sandbox.heal()
    assert world.ops("POST", f"/orders/main-shop/{order['id']}/dispatch").status == 202
    seen = world.when(order, dispatched, wanted="dispatched")
    assert seen["tasks"] == []
    assert len(world.placed(order)) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_supplier_is_asked_again_with_delay(world: World, status):
    world.sandbox.fault("supplier:acme", "status", "place", status=status, times=2)
    order = world.buy()
    world.when(order, dispatched, wanted="dispatched")
    assert len(world.placed(order)) == 3
    assert len(world.purchase_orders(order)) == 1


def test_a_supplier_that_is_down_for_long_costs_no_order(world: World):
    world.sandbox.fault("supplier:acme", "status", status=503, times=None)
    order = world.buy()
    world.when(order, lambda seen: bool(seen["tasks"]), wanted="a person is asked")
    world.sandbox.heal()
    assert world.ops("POST", f"/orders/main-shop/{order['id']}/dispatch").status == 202
    world.when(order, dispatched, wanted="dispatched")
    assert len(world.purchase_orders(order)) == 1


def test_a_refusal_holds_the_order_with_the_suppliers_words_and_a_release_tries_anew(world: World):
    world.sandbox.fault("supplier:acme", "status", "place", status=422)
    order = world.buy()
    held = world.until(order, "ON_HOLD")
    assert kinds(held) == ["SUPPLIER_REFUSED"]
    assert "the sandbox was told to answer 422" in held["holds"][0]["detail"]
    assert held["purchase_orders"][0]["status"] == "CANCELLED"

    assert world.ops("POST", f"/orders/main-shop/{order['id']}/holds/SUPPLIER_REFUSED/release").status == 202
    seen = world.when(order, lambda seen: len(seen["purchase_orders"]) == 2 and seen["status"] == "IN_FULFILMENT")
    assert seen["purchase_orders"][0]["id"] != seen["purchase_orders"][1]["id"]
    assert len(world.purchase_orders(order)) == 1


def test_a_rejection_after_acceptance_holds_the_order(world: World):
    order = world.buy()
    seen = world.when(order, dispatched)
    world.sandbox.reject("acme", seen["purchase_orders"][0]["id"], reason="out of stock", repeat=2)
    held = world.until(order, "ON_HOLD")
    assert held["holds"][0]["detail"] == "out of stock"
    assert held["purchase_orders"][0]["status"] == "REJECTED"


def test_a_clock_that_runs_out_takes_up_what_was_left_lying(world: World):
    """quick-shop's clocks run for seconds: the sweep finds the open dispatch, and then the silent supplier."""
    world.sandbox.fault("supplier:acme", "status", status=503, times=None)
    order = world.buy("quick-shop")
    busy = world.when(order, lambda seen: bool(seen["tasks"]), "quick-shop")
    world.sandbox.heal()
    world.sweep(busy["due"])
    silent = world.when(order, dispatched, "quick-shop", wanted="dispatched by the sweep")
    world.sweep(silent["purchase_orders"][0]["due_at"])
    seen = world.when(
        order, lambda seen: [task["kind"] for task in seen["tasks"]] == ["ACKNOWLEDGE_LATE"], "quick-shop"
    )
    assert dispatched(seen)
    assert len(world.purchase_orders(order)) == 1
