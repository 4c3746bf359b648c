"""Cancellation: each supplier is asked until its answer is clear; what cannot be cancelled becomes a person's task."""

import pytest

from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder, OrderDue
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.interleaving import once_before
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import KEY, PO, PO_OF_BOLT, World, lines, order_of_two_suppliers

CANCEL = CancelOrder(order=str(KEY))


def test_a_cancelled_order_asks_each_of_its_suppliers(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.tell(CANCEL)
    world.tell(CANCEL)
    assert (world.acme.requests("cancel"), world.bolt.requests("cancel")) == ([PO], [PO_OF_BOLT])
    assert world.order.status == "CANCELLED"


@pytest.mark.parametrize("failure", [LOST, REFUSED_CONNECTION, answer(503), answer(500), answer(200, {})])
@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_a_cancellation_without_an_answer_is_asked_again(world, failure, took):
    world.dispatched()
    world.acme.fail("cancel", failure, after=took)
    with pytest.raises(Unavailable, match="gave no answer"):
        world.tell(CANCEL)
    assert world.purchase_order.status == "CANCEL_REQUESTED"
    assert world.order.due is not None

    world.tell(CANCEL)
    assert world.acme.open == []
    assert world.order.status == "CANCELLED"


def test_a_cancellation_that_nobody_answered_is_asked_again_when_its_clock_runs_out(world):
    world.dispatched()
    world.acme.fail("cancel", answer(503))
    with pytest.raises(Unavailable):
        world.tell(CANCEL)
    world.clock.advance(minutes=11)
    world.wish(OrderDue(order=str(KEY)))
    world.arrive("after-sales")
    assert (world.acme.open, world.order.status) == ([], "CANCELLED")


def test_a_cancellation_while_the_supplier_answers_is_asked_as_soon_as_it_has_answered(world):
    world.hear("orders/paid")
    once_before(world.http, "send", lambda: world.tell(CANCEL))
    assert world.dispatch() == ["DISPATCHED"]
    assert world.acme.requests("cancel") == []

    world.arrive("after-sales")
    assert (world.acme.open, world.order.status) == ([], "CANCELLED")


def test_a_cancellation_after_shipping_needs_a_person(world):
    world.shipped()
    for _ in range(2):
        world.tell(CANCEL)
    assert list(world.tasks()) == ["CANCEL_REFUSED"]
    assert world.order.status == "SHIPPED"


def test_a_cancelled_order_that_shipped_in_part_asks_the_rest_and_a_person(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.supplier_says("shipped")
    world.tell(CANCEL)
    assert world.bolt.requests("cancel") == [PO_OF_BOLT]
    assert "CANCEL_REFUSED" in world.tasks()


def test_what_one_supplier_shipped_in_part_does_not_keep_another_from_being_asked(world):
    world.shipped_in_part()
    world.tell(CANCEL)
    assert world.bolt.requests("cancel") == [PO_OF_BOLT]
    assert "CANCEL_REFUSED" in world.tasks()


def test_a_supplier_that_does_not_answer_does_not_keep_another_from_being_asked(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.acme.fail("cancel", answer(503))
    with pytest.raises(Unavailable, match="acme gave no answer"):
        world.tell(CANCEL)
    assert world.bolt.requests("cancel") == [PO_OF_BOLT]

    world.tell(CANCEL)
    assert world.order.status == "CANCELLED"


def test_the_person_is_asked_even_while_a_supplier_does_not_answer(world):
    world.shipped_in_part()
    world.bolt.fail("cancel", answer(503))
    with pytest.raises(Unavailable):
        world.tell(CANCEL)
    assert "CANCEL_REFUSED" in world.tasks()


def test_a_cancellation_before_the_claim_asks_nobody(world):
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    world.tell(CANCEL)
    assert world.order.status == "CANCELLED"


CRASHES = {
    "a cancellation": UseCase(World.dispatched, lambda world: world.tell(CANCEL)),
    "a cancellation after shipping": UseCase(World.shipped, lambda world: world.tell(CANCEL)),
    "a cancellation after shipping in part": UseCase(World.shipped_in_part, lambda world: world.tell(CANCEL)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
