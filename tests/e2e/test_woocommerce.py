"""WooCommerce, whole: its webhook, refunds inside the order that are read at the shop, and the parcel as a note."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from dropship.services.messages import DownloadOrders, FetchOrder
from tests.e2e.world import World
from tests.support.lambdas import failed

SHOP, ADDRESS = "woo-shop", "woocommerce/woo-shop"
EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "data" / "contracts" / "woocommerce_order_processing.json").read_text(encoding="utf-8")
)["payload"]


def an_order(**changes: Any) -> dict[str, Any]:
    """The example with a number of its own: two of a thing that acme sells."""
    (line,) = EXAMPLE["line_items"][:1]
    return (
        EXAMPLE | {"id": uuid4().int % 10**9, "line_items": [line | {"sku": "IPOD2008PINK", "quantity": 2}]} | changes
    )


def buy(world: World) -> dict[str, Any]:
    """A shopper pays; the order's payload."""
    order = an_order()
    assert world.sandbox.tell(ADDRESS, "orders", payload=order) == {"statuses": [200]}
    return order


def told(world: World, order: dict[str, Any]) -> dict[str, Any]:
    (seen,) = world.sandbox.see(ADDRESS, "orders", order=str(order["id"]))
    return seen


def test_an_order_of_woocommerce_is_placed_shipped_and_written_back(world: World):
    order = buy(world)
    world.until(order, "IN_FULFILMENT", SHOP)
    (placed,) = world.purchase_orders(order)
    assert len(world.placed(order)) == 1
    number = f"YT{order['id']}"
    assert world.sandbox.ship("acme", placed["reference"], carrier="YTO", number=number) == [200]
    world.when(order, lambda seen: any(p["writeback"] == "DONE" for p in seen["parcels"]), SHOP, wanted="written back")
    assert number in json.dumps(told(world, order))
    assert told(world, order)["status"] == "completed"


def test_an_order_that_is_only_named_is_read_at_the_shop(world: World):
    order = buy(world)
    world.until(order, "IN_FULFILMENT", SHOP)
    fetch = FetchOrder(shop=SHOP, order=str(order["id"])).model_dump_json()
    assert failed(world.invoke("order-ingest", world.batch(fetch, "inbox", "order_ingest/fetch_order"))) == []
    assert world.sandbox.records(f"woocommerce:{SHOP}", "order", str(order["id"]))


def test_orders_whose_webhooks_never_came_are_downloaded(world: World):
    since = datetime.now(UTC) - timedelta(minutes=1)
    order = an_order(date_modified_gmt=datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00"))
    world.sandbox.tell(ADDRESS, "orders", payload=order, deliver=False)
    assert world.order(order, SHOP) is None
    download = DownloadOrders(shop=SHOP, since=since).model_dump_json()
    assert failed(world.invoke("order-ingest", world.batch(download, "inbox", "order_ingest/download_orders"))) == []
    world.until(order, "IN_FULFILMENT", SHOP)
