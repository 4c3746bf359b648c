"""After-sales: wherever the process ends, the next delivery does the rest."""

import pytest

from dropship.ports import Unavailable
from dropship.services.messages import CaseDue, CheckWithdrawals, DecideCase
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.partner_apis import LOST
from tests.support.service_world import CASE, GREEN, KEY, PINK, World

NAME = f"{KEY.shop}#{CASE}"
CHECK = CheckWithdrawals.of(KEY)
DUE = CaseDue(case=NAME)
APPROVE = DecideCase(case=NAME, decision="approve", by="ann", words="photos seen")
REFUSE = DecideCase(case=NAME, decision="refuse", by="ann", words="used goods")


def opened(prepare):
    def prepared(world):
        prepare(world)
        world.hear(
            "refunds/create", refund_line_items=[{"line_item_id": each, "quantity": 1} for each in (PINK, GREEN)]
        )
        world.messages = world.queues.drain("after-sales")

    def deliver(world):
        world.queues.sent = [message for message in world.queues.sent if message.queue != "after-sales"]
        for body in world.messages:
            world.queues.send("after-sales", body)
        world.arrive("after-sales")

    return UseCase(prepared, deliver, pause_s=5, again=(Unavailable,))


def slow(world):
    world.acme.cancels = "later"
    world.dispatched()


def unwilling(world):
    world.acme.cancels = "no"
    world.dispatched()


def silent(world):
    world.dispatched()
    world.acme.fail("cancel", LOST, after=True)


def waiting(world):
    world.shipped()
    world.refund(PINK)
    world.after_sales.await_outcome(NAME, "token-1")


def answered_later(world):
    slow(world)
    world.refund(PINK, GREEN)
    world.supplier_says("cancelled")
    world.queues.drain("after-sales")


def overdue(world):
    waiting(world)
    world.clock.time = world.case.due


CRASHES = {
    "a refund before the claim": opened(lambda world: world.hear("orders/paid")),
    "a refund, and the supplier says yes": opened(World.dispatched),
    "a refund, and the supplier says no": opened(unwilling),
    "a refund, and the supplier says nothing": opened(silent),
    "a refund, and the supplier answers later": opened(slow),
    "a refund after shipping": opened(World.shipped),
    "the supplier's yes, later": UseCase(answered_later, lambda world: world.tell(CHECK)),
    "approved": UseCase(waiting, lambda world: world.tell(APPROVE)),
    "refused": UseCase(waiting, lambda world: world.tell(REFUSE)),
    "overdue": UseCase(overdue, lambda world: world.tell(DUE)),
    "awaited": UseCase(
        lambda world: (World.shipped(world), world.refund(PINK), world.tell(APPROVE)),
        lambda world: world.after_sales.await_outcome(NAME, "token-1"),
    ),
    "recorded": UseCase(waiting, lambda world: world.after_sales.record(NAME)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
