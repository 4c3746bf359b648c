"""The sweep: what is due is sent to its workers, and nothing unfinished is without a clock."""

import pytest

from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder
from dropship.services.sweep import Sweep
from tests.unit.services.partners import LOST, answer
from tests.unit.services.world import CASE, KEY, PINK, World, from_shop, lines

CANCEL = CancelOrder(order=str(KEY))
ORDER_DUE = {"kind": "order-due", "order": str(KEY)}
CASE_DUE = {"kind": "case-due", "case": f"{KEY.shop}#{CASE}"}


def sweep(world):
    world.queues.sent.clear()
    return Sweep(world.orders, world.cases, world.queues, world.clock).run()


def test_nothing_is_sent_before_its_time(world):
    world.hear("orders/paid")
    assert sweep(world) == 0
    assert world.queues.sent == []


def test_an_order_is_sent_to_the_inbox_from_its_clock_on_until_it_is_dealt_with(world):
    world.hear("orders/paid")
    world.clock.time = world.order.due
    assert (sweep(world), sweep(world)) == (1, 1)
    assert world.sent("inbox") == [ORDER_DUE]


def test_a_case_is_sent_to_after_sales(world):
    world.shipped()
    world.refund(PINK)
    world.clock.time = world.case.due
    sweep(world)
    assert world.sent("after-sales") == [CASE_DUE]


def test_orders_of_all_shards_are_found(world):
    for number in range(40):
        world.intake.take(from_shop("orders/paid", id=1000 + number))
    world.clock.advance(minutes=10)
    assert sweep(world) == 40
    assert len({message["order"] for message in world.sent("inbox")}) == 40


def test_what_is_finished_is_never_due(world):
    world.hear("orders/paid")
    world.hear("orders/cancelled")
    world.clock.advance(days=400)
    assert sweep(world) == 0


def test_a_sweep_that_cannot_send_fails_and_the_next_one_finds_the_same(world):
    world.hear("orders/paid")
    world.clock.advance(days=1)
    world.queues.down = True
    with pytest.raises(Unavailable):
        sweep(world)
    world.queues.down = False
    assert sweep(world) == 1


def failing(operation, *failures):
    def prepare(world):
        world.hear("orders/paid")
        world.acme.fail(operation, *failures)
        fence, (planned,) = world.plan()
        with pytest.raises(Exception, match="acme"):
            world.submission.submit(KEY, fence, planned, "worker")

    return prepare


def silent_about_a_cancellation(world):
    world.dispatched()
    world.acme.fail("cancel", LOST)
    with pytest.raises(Unavailable):
        world.tell(CANCEL)


STANDS = {
    "received": lambda world: world.hear("orders/paid"),
    "without an address": lambda world: world.hear("orders/paid", shipping_address=None),
    "without a source": lambda world: (world.hear("orders/paid", line_items=lines(sku="X")), world.plan()),
    "claimed, the supplier busy": failing("place", answer(503)),
    "claimed, nobody knows": failing("place", LOST),
    "refused": lambda world: (world.acme.fail("place", answer(422)), world.hear("orders/paid"), world.dispatch()),
    "dispatched": World.dispatched,
    "acknowledged": lambda world: (world.dispatched(), world.supplier_says("acknowledged")),
    "rejected": lambda world: (world.dispatched(), world.supplier_says("rejected")),
    "a cancellation without an answer": silent_about_a_cancellation,
    "shipped": World.shipped,
    "told": lambda world: (world.shipped(), world.tell_marketplace()),
    "a refund open": lambda world: (world.shipped(), world.refund(PINK)),
}


@pytest.mark.parametrize("stand", STANDS.values(), ids=STANDS)
def test_whatever_is_unfinished_is_found_by_the_sweep_within_its_horizon(world, stand):
    stand(world)
    world.clock.advance(days=15)
    sweep(world)
    assert ORDER_DUE in world.sent("inbox")
    for case in world.cases.all():
        assert case.finished or CASE_DUE in world.sent("after-sales")
