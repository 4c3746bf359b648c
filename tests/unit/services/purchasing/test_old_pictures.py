"""Reads that are a moment old: the result is the same as with a current read."""

from copy import deepcopy

import pytest

from dropship.services.desk.ops import Ops
from dropship.services.messages import CancelOrder, OrderDue
from dropship.services.purchasing.dispatch import OutcomeUnknown
from tests.support.partner_apis import LOST
from tests.support.service_world import KEY, PO, lines, payload

LATER = "2026-12-01T00:00:00Z"
MOVED = payload("orders_paid")["shipping_address"] | {"address1": "9 New Road"}


def with_what_was_bought_as_of_now(world):
    """From now on, reading the order with its source gives both as they are at this moment."""
    old = deepcopy(world.orders.load_with_source(KEY))
    world.orders.load_with_source = lambda _key: deepcopy(old)


def test_goods_go_to_the_address_that_the_order_knows_when_it_is_claimed(world):
    world.hear("orders/paid")
    with_what_was_bought_as_of_now(world)
    world.hear("orders/updated", shipping_address=MOVED, updated_at=LATER)
    assert world.dispatch() == ["DISPATCHED"]
    assert world.acme.orders[PO]["request"]["recipient"]["address1"] == "9 New Road"


def test_the_shipping_method_is_the_one_that_the_order_knows_when_it_is_claimed(world):
    world.hear("orders/paid")
    with_what_was_bought_as_of_now(world)
    (method,) = payload("orders_paid")["shipping_lines"]
    world.hear("orders/updated", shipping_lines=[method | {"title": "By night"}], updated_at=LATER)
    assert world.dispatch() == ["DISPATCHED"]
    assert world.acme.orders[PO]["request"]["shipping_method"] == "By night"


def test_an_address_that_has_come_holds_nothing(world):
    world.hear("orders/paid", shipping_address=None)
    with_what_was_bought_as_of_now(world)
    world.hear("orders/updated", updated_at=LATER)
    assert world.dispatch() == ["DISPATCHED"]
    assert world.held() == {}


def test_a_cancellation_is_asked_of_a_supplier_that_has_just_confirmed(world):
    world.hear("orders/paid")
    fence, (planned,) = world.plan()
    world.acme.fail("place", LOST, after=True)
    with pytest.raises(OutcomeUnknown):
        world.submission.submit(KEY, fence, planned, "worker")
    world.tell(CancelOrder(order=str(KEY)))
    world.clock.advance(minutes=6)
    world.wish(OrderDue(order=str(KEY)))
    world.queues.sent.clear()
    world.supplier_says("acknowledged")
    world.orders.lagging = True
    world.arrive("after-sales")
    assert world.acme.requests("cancel") == [PO]


def test_what_ops_have_just_been_shown_can_be_acted_on(world):
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    world.plan()
    world.orders.lagging = True
    ops = Ops(world.orders, world.cases, world.registry, world.queues, world.clock)
    ops.release(KEY.shop, KEY.external_id, "NO_SOURCE", "kim")
    assert "release-hold" in world.kinds("inbox")
