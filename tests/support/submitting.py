"""Submitting acme's purchase order as the workflow does: every try uses the plan that was made first."""

from dropship.services.messages import CancelOrder
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from tests.support.partner_apis import answer
from tests.support.service_world import KEY, World

SERVER_ERROR = answer(500, {"error": {"message": "boom"}})
NO = answer(422, {"error": {"message": "we do not ship to Kentucky"}})
CANCEL = CancelOrder(order=str(KEY))
REPEATED = (SupplierBusy, OutcomeUnknown)


def planned() -> World:
    """A paid order with its plan."""
    world = World()
    world.hear("orders/paid")
    world.planned = world.plan()
    return world


def submit(world: World) -> str:
    """One try of the workflow; returns the status."""
    fence, purchase_orders = world.planned
    return world.submission.submit(KEY, fence, purchase_orders[0], "worker")


def give_up(world: World, error: str = "SupplierBusy") -> str:
    """What the workflow does after its last try; returns the status."""
    return world.submission.give_up(KEY, world.planned[1][0].id, error)
