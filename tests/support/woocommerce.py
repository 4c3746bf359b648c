"""A WooCommerce shop in the service world: its example order, what the shop pushes, and what follows from it."""

import json
from typing import Any

from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order
from dropship.services.messages import INBOX, TellMarketplace, Webhook
from tests.support.recorded import load
from tests.support.service_world import World, from_supplier

KEY = OrderKey("woo-shop", "727")
PO = "woo-shop.727.acme.1.1"
PINK, MORE = "315", "316"
NUMBER = "YT9693083639795"


def an_order(**changes: Any) -> dict[str, Any]:
    """The sample order, of two lines that acme sells: two units and one."""
    order = load("woocommerce_order_processing")["payload"]
    for line in order["line_items"]:
        line["sku"] = "IPOD2008PINK"
    return order | changes


def push(world: World, topic: str = "order.updated", **changes: Any) -> None:
    """The shop sends its order by a webhook, which may contain less than the shop knows."""
    body = json.dumps({"id": 727} if topic == "order.deleted" else an_order(**changes))
    headers = {"x-wc-webhook-topic": topic}
    world.inbox.handle(Webhook(channel="woocommerce", connection="woo-shop", headers=headers, body=body))


def arrive(world: World) -> None:
    """Handle what was sent to the inbox, and all messages that follow, until none is left."""
    while bodies := world.queues.drain("inbox"):
        for body in bodies:
            world.inbox.handle(INBOX.validate_json(body))


def order_of(world: World) -> Order:
    loaded = world.orders.load(KEY, fresh=True)
    assert loaded is not None
    return loaded.value


def placed(world: World) -> None:
    """The example order, bought at the shop and placed at acme."""
    world.woo.sell(an_order())
    push(world, "order.created")
    fence, planned = world.planning.plan(KEY)
    assert [world.submission.submit(KEY, fence, one, "worker") for one in planned] == ["DISPATCHED"]


def shipped(world: World, number: str = NUMBER, **units: int) -> None:
    """Acme ships all of it, or some units by line (`line_315=1`)."""
    rows = [{"line": line[5:], "quantity": count} for line, count in units.items()]
    shipment = {"carrier": "YTO", "tracking_number": number, "lines": rows}
    world.supplier_events.handle(from_supplier("shipped", reference=PO, shipment=shipment))


def tell(world: World, number: str = NUMBER) -> None:
    """Tell the shop of the parcel."""
    world.writeback.handle(TellMarketplace(order=str(KEY), carrier="yto", number=number))
