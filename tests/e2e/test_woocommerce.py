"""All of WooCommerce: its webhooks, refunds that have to be read at the shop, and parcels as notes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from dropship.services.messages import DownloadOrders, FetchOrder
from tests.e2e.world import World, eventually, http
from tests.support.lambdas import failed

SHOP, ADDRESS = "woo-shop", "woocommerce/woo-shop"
EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "data" / "contracts" / "woocommerce_order_processing.json").read_text(encoding="utf-8")
)["payload"]


def an_order(**changes: Any) -> dict[str, Any]:
    """The example order with a number of its own: two units of one thing that acme sells."""
    (line,) = EXAMPLE["line_items"][:1]
    return (
        EXAMPLE | {"id": uuid4().int % 10**9, "line_items": [line | {"sku": "IPOD2008PINK", "quantity": 2}]} | changes
    )


def buy(world: World) -> dict[str, Any]:
    """A shopper pays. Returns the order's payload."""
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
    assert world.sandbox.ship("acme", placed["reference"], carrier="YTO", tracking_number=number) == [200]
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


def test_the_sweep_of_a_quarter_of_an_hour_finds_an_order_whose_webhook_was_lost(world: World):
    now = datetime.now(UTC)
    order = an_order(date_modified_gmt=now.isoformat(timespec="seconds").removesuffix("+00:00"))
    world.sandbox.tell(ADDRESS, "orders", payload=order, deliver=False)
    quarter = datetime.fromtimestamp(now.timestamp() // 900 * 900, UTC)
    world.invoke("deadline-sweep", {"time": quarter.isoformat()})
    world.until(order, "IN_FULFILMENT", SHOP)
    assert len(world.placed(order)) == 1


def test_what_the_shop_tells_of_our_own_change_changes_nothing(world: World):
    order = buy(world)
    world.until(order, "IN_FULFILMENT", SHOP)
    (placed,) = world.purchase_orders(order)
    world.sandbox.ship("acme", placed["reference"])
    world.when(order, lambda seen: any(p["writeback"] == "DONE" for p in seen["parcels"]), SHOP, wanted="written back")
    again = {name: value for name, value in told(world, order).items() if name not in {"notes", "mails", "refunds"}}
    statuses = world.sandbox.tell(ADDRESS, "orders", payload=again, topic="order.updated", repeat=3, parallel=True)
    assert statuses == {"statuses": [200] * 3}
    eventually(lambda: world.depth("InboxQueue") == 0, lambda: "quiet")
    seen = world.until(order, "SHIPPED", SHOP)
    assert seen["tasks"] == seen["holds"] == []
    assert len(told(world, order)["notes"]) == 1


def test_a_refund_inside_an_update_opens_a_case_with_the_units_it_is_about(world: World):
    order = buy(world)
    world.until(order, "IN_FULFILMENT", SHOP)
    (placed,) = world.purchase_orders(order)
    world.sandbox.ship("acme", placed["reference"])
    world.until(order, "SHIPPED", SHOP)
    line = str(order["line_items"][0]["id"])
    made = world.sandbox.tell(
        ADDRESS, "refunds", order=str(order["id"]), units={line: 1}, amount="3.00", reason="broken"
    )
    case = f"refund-{made['refund']}"
    seen = eventually(lambda: world.case(case, SHOP), lambda: f"case {case}")
    assert (seen["units"], seen["amount"]["minor"], seen["reason"]) == ({line: 1}, 300, "broken")


def test_an_order_that_is_deleted_is_cancelled_at_its_supplier(world: World):
    order = buy(world)
    world.until(order, "IN_FULFILMENT", SHOP)
    deleted = {"id": order["id"]}
    assert world.sandbox.tell(ADDRESS, "orders", payload=deleted, topic="order.deleted") == {"statuses": [200]}
    world.until(order, "CANCELLED", SHOP)
    assert [held["status"] for held in world.purchase_orders(order)] == ["cancelled"]


def test_a_new_webhook_is_greeted_and_a_wrong_signature_is_not(world: World):
    assert world.sandbox.tell(ADDRESS, "ping") == {"statuses": [200]}
    url = f"{world.stack.api_url}/webhooks/{ADDRESS}"
    headers = {"Content-Type": "application/json", "X-WC-Webhook-Topic": "order.created"}
    assert http("POST", url, headers | {"X-WC-Webhook-Signature": "AAAA"}, "{}").status == 401
    assert http("GET", f"{url}?a=1", {}).status == 405
    assert http("GET", f"{world.stack.api_url}/webhooks/woocommerce/nobody", {}).status == 404
