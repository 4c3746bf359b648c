"""A shop whose writeback may be tried again after two seconds: an order of this shop, and what the shop was told."""

from tests.e2e.order_views import dispatched
from tests.e2e.world import World

SHOP = "quick-shop"


def ship(world: World, **details) -> dict:
    """An order that its supplier has shipped."""
    order = world.buy(SHOP)
    world.when(order, dispatched, SHOP)
    (purchase_order,) = world.purchase_orders(order)
    world.sandbox.ship("acme", purchase_order["reference"], **details)
    return order


def told(world: World, order: dict) -> list:
    """The shipments of the order that the marketplace was told of."""
    return world.sandbox.fulfillments(SHOP, str(order["id"]))


def done(order: dict) -> bool:
    """Whether the marketplace was told of all its parcels."""
    return bool(order["parcels"]) and all(parcel["writeback"] == "DONE" for parcel in order["parcels"])
