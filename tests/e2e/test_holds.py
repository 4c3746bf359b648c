"""Orders that must not be dispatched are put on hold and shown, and go on by themselves once they may."""

import json
from pathlib import Path

from tests.e2e.order_views import dispatched, kinds
from tests.e2e.world import World, an_order, eventually
from tools.local.sandbox.examples import changed, payload

ROOT = Path(__file__).parents[2]


def times_held(order: dict) -> int:
    return [entry["what"] for entry in order["timeline"]].count("held")


def needs_attention(world: World, order: dict, kind: str) -> bool:
    found = world.ops("GET", f"/attention?kind={kind}").body["attention"]
    return any(entry["order"].endswith(f"#{order['id']}") for entry in found)


def test_an_order_without_a_source_is_held_shown_and_dispatched_when_released(world: World):
    sku = f"NEW-{an_order()['id']}"
    order = world.buy(lines=[{"sku": sku}])
    held = world.until(order, "ON_HOLD")
    assert kinds(held) == ["NO_SOURCE"]
    assert sku in held["holds"][0]["detail"]
    assert needs_attention(world, order, "HOLD_NO_SOURCE")
    assert world.placed(order) == []

    offer = {"supplier": "acme", "supplier_sku": "A-1", "unit_cost": {"minor": 100, "currency": "USD"}, "rank": 1}
    add_offer(world, "main-shop", sku, offer)

    def released() -> bool:  # functions cache the registry for a short while
        before = times_held(world.order(order) or {})
        assert world.ops("POST", f"/orders/main-shop/{order['id']}/holds/NO_SOURCE/release").status == 202
        return dispatched(world.when(order, lambda seen: dispatched(seen) or times_held(seen) > before))

    eventually(released, lambda: "dispatched after the release")
    assert not needs_attention(world, order, "HOLD_NO_SOURCE")
    assert len(world.placed(order)) == 1


def add_offer(world: World, shop: str, sku: str, offer: dict) -> None:
    """Store an offer as loading a seed file would store it."""
    table = world.stack.tables["RegistryTable"]
    client = world.stack.client("dynamodb")
    known = client.get_item(TableName=table, Key={"pk": {"S": f"SKU#{shop}#IPOD2008PINK"}, "sk": {"S": "OFFERS"}})
    body = json.loads(known["Item"]["body"]["S"])
    offers = [offer] if isinstance(body, list) else body | {"offers": [offer]}
    item = {"pk": {"S": f"SKU#{shop}#{sku}"}, "sk": {"S": "OFFERS"}, "body": {"S": json.dumps(offers)}}
    client.put_item(TableName=table, Item=item)


def test_an_order_without_an_address_is_held_and_goes_on_when_the_marketplace_has_one(world: World):
    address = payload("orders_paid")["shipping_address"]
    order = world.buy(shipping_address=address | {"address1": None, "city": ""})
    held = world.until(order, "ON_HOLD")
    assert kinds(held) == ["ADDRESS_MISSING"]
    assert "address1" in held["holds"][0]["detail"]
    assert needs_attention(world, order, "HOLD_ADDRESS_MISSING")

    corrected = changed(order, shipping_address=address)
    world.sandbox.send_order("main-shop", corrected, "orders/updated")
    world.when(order, dispatched, wanted="dispatched")
    assert len(world.placed(order)) == 1


def test_releasing_a_hold_that_still_has_its_reason_holds_again_and_sends_nothing(world: World):
    order = world.buy(shipping_address=None)
    world.until(order, "ON_HOLD")
    assert world.ops("POST", f"/orders/main-shop/{order['id']}/holds/ADDRESS_MISSING/release").status == 202
    world.when(order, lambda seen: times_held(seen) == 2, wanted="held again")
    assert world.placed(order) == []


def test_a_wish_that_makes_no_sense_is_refused_in_words(world: World):
    order = world.buy()
    world.when(order, dispatched)
    path = f"/orders/main-shop/{order['id']}"
    assert world.ops("POST", f"{path}/holds/NO_SOURCE/release").status == 409
    answer = world.ops("POST", f"{path}/dispatch")
    assert answer.status == 409
    assert "nothing to dispatch" in answer.body["error"]
    assert world.ops("GET", "/orders/main-shop/404").status == 404
    assert world.ops("GET", "/orders?shop=main-shop&limit=nine").status == 400
    assert world.ops("GET", "/orders").status == 400
    assert world.ops("GET", "/nothing-here").status == 404


def test_recent_orders_are_listed_newest_first(world: World):
    first, second = world.buy(), world.buy()
    for order in (first, second):
        world.when(order, dispatched)
    found = [entry["key"] for entry in world.ops("GET", "/orders?shop=main-shop&limit=20").body["orders"]]
    assert {f"main-shop#{first['id']}", f"main-shop#{second['id']}"} <= set(found)


def test_ops_may_start_the_workflow_by_hand_with_the_documented_input(world: World):
    documented = json.loads((ROOT / "events" / "order_fulfilment" / "redispatch.json").read_text())
    order = world.buy()
    world.when(order, dispatched)
    arn = world.stack.outputs["FulfilmentWorkflowArn"]
    client = world.stack.client("stepfunctions")
    started = client.start_execution(
        stateMachineArn=arn, input=json.dumps(documented | {"order": f"main-shop#{order['id']}"})
    )["executionArn"]
    ended = eventually(
        lambda: (seen := client.describe_execution(executionArn=started))["status"] != "RUNNING" and seen,
        lambda: "ended",
    )
    assert ended["status"] == "SUCCEEDED"
    assert len(world.placed(order)) == 1


def test_a_plan_that_cannot_be_made_holds_the_order(world: World):
    """Here somebody broke a registry entry by hand; the workflow's own Catch puts the order on hold."""
    sku = f"BROKEN-{an_order()['id']}"
    item = {"pk": {"S": f"SKU#main-shop#{sku}"}, "sk": {"S": "OFFERS"}, "body": {"S": "not JSON"}}
    world.stack.client("dynamodb").put_item(TableName=world.stack.tables["RegistryTable"], Item=item)
    order = world.buy(lines=[{"sku": sku}])
    held = world.until(order, "ON_HOLD")
    assert kinds(held) == ["DISPATCH_FAILED"]
    assert needs_attention(world, order, "HOLD_DISPATCH_FAILED")
    assert world.placed(order) == []
