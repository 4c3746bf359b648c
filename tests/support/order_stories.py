"""The example order in each state that people may see: each story brings a world into one state."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from dropship.services.messages import DecideCase, TellCase
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from tests.support.aggregate_examples import case
from tests.support.crashing import Dies, Fuse
from tests.support.parcel_news import WATCH, handle, polled, report
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import CASE, GREEN, KEY, PINK, World, lines

NO = answer(200, {"data": {"fulfillmentCreate": {"fulfillment": None, "userErrors": [{"message": "not open"}]}}})


def waits_for_a_source(world: World) -> None:
    """Nobody offers its goods: it is on hold."""
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    world.plan()


def two_of_a_kind(world: World) -> None:
    """Two orders and two cases that need a person, so that a page with one entry has a next page."""
    for number in (1, 2):
        world.hear("orders/paid", id=number, shipping_address=None, name=f"#{number}")
        world.cases.save(case(str(number)), 0)


def ready(world: World) -> None:
    """Paid, and not planned yet."""
    world.hear("orders/paid")


def in_doubt(world: World) -> None:
    """It is unknown whether the supplier has it."""
    world.hear("orders/paid")
    world.acme.fail("place", LOST, LOST)
    world.acme.fail("find", LOST, LOST)
    with suppress(OutcomeUnknown):
        world.dispatch()
    world.submission.give_up(KEY, world.order.purchase_orders[0].id, "OutcomeUnknown")


def being_placed(world: World) -> None:
    """A worker died while it was placing, and its lease has not ended."""
    world.hear("orders/paid")
    planned = world.plan()
    for at in range(9):
        world.fuse = Fuse(at=at)
        with suppress(Dies):
            world.submission.submit(KEY, planned[0], planned[1][0], "worker")
        if world.order.purchase_orders:
            break
    world.fuse = Fuse()


def refused(world: World) -> None:
    """The supplier said no."""
    world.hear("orders/paid")
    world.acme.fail("place", answer(422, {"error": {"message": "sold out"}}))
    with suppress(SupplierBusy):
        world.dispatch()


def delivered(world: World) -> None:
    """Shipped, told to the marketplace, delivered."""
    world.shipped()
    world.tell_marketplace()
    handle(world, WATCH)
    polled(world, report("picked up", "in transit", "delivered"))


def told_in_vain(world: World) -> None:
    """The marketplace does not accept the parcel."""
    world.shipped()
    world.shop.fail("create", NO)
    world.tell_marketplace()


def followed_by_nobody(world: World) -> None:
    """Shipped with a carrier that no tracker follows."""
    world.dispatched()
    world.supplier_says("shipped", shipment={"carrier": "Pigeon Post", "tracking_number": "A1"})


def being_cancelled(world: World) -> None:
    """The supplier will answer later whether it cancels."""
    world.dispatched()
    world.acme.cancels = "later"
    world.hear("orders/cancelled")
    world.arrive("after-sales")


def not_cancelled(world: World) -> None:
    """The supplier will not cancel."""
    world.dispatched()
    world.acme.cancels = "no"
    world.hear("orders/cancelled")
    world.arrive("after-sales")


def refunded_in_time(world: World) -> None:
    """One unit was refunded before any supplier had it."""
    world.hear("orders/paid")
    world.refund(GREEN)


def refunded_in_part(world: World) -> None:
    """One unit that was shipped is refunded, and a person has to decide what happens to it."""
    world.shipped()
    world.refund(PINK)


def disputed(world: World) -> None:
    """A person refused a refund, and the buyer went to the platform."""
    refunded_in_part(world)
    case = f"{KEY.shop}#{CASE}"
    world.tell(DecideCase(case=case, decision="refuse", by="ann", words="photos seen"))
    world.tell(TellCase(case=case, event="buyer_escalates", by="ann"))


STORIES: Mapping[str, Callable[[World], None]] = {
    tell.__name__: tell
    for tell in (
        two_of_a_kind,
        waits_for_a_source,
        ready,
        in_doubt,
        being_placed,
        refused,
        delivered,
        told_in_vain,
        followed_by_nobody,
        being_cancelled,
        not_cancelled,
        refunded_in_time,
        refunded_in_part,
        disputed,
    )
}
