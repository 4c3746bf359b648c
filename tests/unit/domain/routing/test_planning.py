import pytest

from dropship.domain.routing.planning import NoSource, plan
from tests.support.order_examples import claimed, line, offer, offers, planned, received


def test_lines_of_two_suppliers_become_two_purchase_orders():
    order = received(line("L1", 2), line("L2", 1), line("L3", 1))
    north, south = planned(order, L2="south")
    assert [(each.line, each.quantity) for each in north.lines] == [("L1", 2), ("L3", 1)]
    assert [(each.line, each.supplier_sku) for each in south.lines] == [("L2", "south-sku")]
    assert [north.id, south.id] == [f"main-shop.820982911946154508.{name}.1.1" for name in ("north", "south")]


def test_the_same_order_always_yields_the_same_plan():
    order = received(line("L1", 2), line("L2", 1))
    assert planned(order, L2="south") == planned(order, L2="south")
    backwards = dict(reversed(offers(order, L2="south").items()))
    assert plan(order, backwards) == planned(order, L2="south")


def test_the_offer_of_the_best_rank_is_taken_whatever_the_order_of_the_offers():
    order = received()
    rivals = [offer("zeta", 1), offer("alpha", 2), offer("beta", 1)]
    assert plan(order, {"SKU-L1": rivals})[0].id == plan(order, {"SKU-L1": rivals[::-1]})[0].id
    assert ".beta." in plan(order, {"SKU-L1": rivals})[0].id


def test_a_line_that_nobody_offers_stops_the_whole_plan_and_is_named():
    order = received(line("L1"), line("L2"), line("L3"))
    with pytest.raises(NoSource, match="SKU-L2, SKU-L3") as nothing:
        plan(order, {"SKU-L1": [offer()], "SKU-L2": []})
    assert nothing.value.skus == ("SKU-L2", "SKU-L3")


def test_what_is_claimed_is_not_planned_again():
    order = received()
    claimed(order)
    assert planned(order) == []


def test_the_next_purchase_order_to_a_supplier_has_the_next_number():
    order = received()
    assert order.next_purchase_order_id("north").attempt == 1
    claimed(order)
    assert order.next_purchase_order_id("north").attempt == 2
    assert order.next_purchase_order_id("south").attempt == 1
