"""Planning: which supplier ships what, and what is not planned."""

import re

import pytest

from dropship.domain.deadlines import Moment
from dropship.domain.orders.attention import HoldReason
from dropship.ports import Unavailable
from dropship.services.changing import change_order
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from tests.support.interleaving import once_before
from tests.support.order_examples import DEADLINES
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import GREEN, KEY, NOW, PINK, PO, PO_OF_BOLT, World, lines, order_of_two_suppliers
from tests.support.submitting import planned as planned_order
from tests.support.submitting import submit


@pytest.fixture
def world(world):
    world.hear("orders/paid")
    return world


@pytest.fixture
def planned():
    return planned_order()


def supplier(world, name="acme", **changes):
    world.registry.put(world.registry.supplier(name).model_copy(update=changes))


def test_all_lines_of_one_supplier_are_one_purchase_order_at_the_agreed_cost(world):
    fence, (planned,) = world.plan()
    assert (fence, planned.id) == (world.order.fence, PO)
    assert [(line.line, line.supplier_sku, line.quantity, str(line.unit_cost)) for line in planned.lines] == [
        (PINK, "ACME-IPOD-PINK", 1, "120.00 USD"),
        (GREEN, "ACME-IPOD-PINK", 1, "120.00 USD"),
    ]


def test_a_plan_is_only_a_plan(world):
    assert world.plan() == world.plan()
    assert world.version == 1
    assert world.acme.asked == []


def test_what_travels_through_the_workflow_holds_nothing_of_the_buyer(world):
    text = world.plan()[1][0].model_dump_json()
    assert not re.search("Steve|Shipper|Street|@", text)


def test_lines_of_two_suppliers_are_two_purchase_orders():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, planned = world.plan()
    assert [one.id for one in planned] == [PO, PO_OF_BOLT]
    assert [world.submission.submit(KEY, fence, one, "worker") for one in planned] == ["DISPATCHED", "DISPATCHED"]
    assert (world.acme.open, world.bolt.open) == ([PO], [PO_OF_BOLT])


@pytest.mark.parametrize("how", ["inactive", "unknown"])
def test_a_supplier_that_does_not_sell_now_is_passed_over_for_the_next_in_rank(world, how):
    if how == "inactive":
        supplier(world, active=False)
    else:
        del world.registry.entries[type(world.registry.supplier("acme")), "acme"]
    assert [one.id for one in world.plan()[1]] == [PO_OF_BOLT]


def test_a_line_nobody_offers_holds_the_whole_order_with_its_sku():
    world = World()
    first, second = lines()
    world.hear("orders/paid", line_items=[first, second | {"sku": "NOBODY-HAS-IT"}])
    assert world.plan()[1] == []
    assert world.held() == {"NO_SOURCE": "no supplier offers NOBODY-HAS-IT"}
    assert world.order.status == "ON_HOLD"
    assert world.plan()[1] == [], "a repeat plans nothing and changes nothing"
    assert world.version == 2


def test_what_is_under_way_comes_before_what_is_new():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, (_, of_bolt) = world.plan()
    world.bolt.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        world.submission.submit(KEY, fence, of_bolt, "worker")
    assert [one.id for one in world.plan()[1]] == [PO_OF_BOLT, PO]


def test_what_is_placed_is_not_planned_again(world):
    world.dispatch()
    assert world.plan()[1] == []


def test_an_order_on_hold_is_not_planned(world):
    change_order(
        world.orders,
        KEY,
        world.moments,
        lambda order, _: order.hold(HoldReason.DISPATCH_FAILED, Moment(NOW, DEADLINES), "wait"),
    )
    assert world.plan()[1] == []


def test_what_has_begun_is_seen_through_though_the_order_is_on_hold(planned):
    planned.acme.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    change_order(
        planned.orders,
        KEY,
        planned.moments,
        lambda order, _: order.hold(HoldReason.DISPATCH_FAILED, Moment(NOW, DEADLINES), "wait"),
    )
    assert [one.id for one in planned.plan()[1]] == [PO]
    assert submit(planned) == "DISPATCHED"
    assert planned.plan()[1] == []


def test_of_two_suppliers_a_hold_stops_only_the_one_that_has_not_begun():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, (_, of_bolt) = world.plan()
    world.bolt.fail("place", answer(503))
    with pytest.raises(SupplierBusy):
        world.submission.submit(KEY, fence, of_bolt, "worker")
    change_order(
        world.orders,
        KEY,
        world.moments,
        lambda order, _: order.hold(HoldReason.DISPATCH_FAILED, Moment(NOW, DEADLINES), "wait"),
    )
    assert [one.id for one in world.plan()[1]] == [PO_OF_BOLT]


def test_an_order_that_is_not_there_yet_is_waited_for():
    with pytest.raises(Unavailable, match="not known yet"):
        World().plan()


def test_an_order_cancelled_while_it_is_planned_is_not_put_on_hold():
    world = World()
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    once_before(world.registry, "offers", lambda: world.hear("orders/cancelled"))
    assert world.plan()[1] == []
    assert (world.order.status, world.held()) == ("CANCELLED", {})
