"""Refunds after shipping: one case, one workflow, and each way in which it can end."""

import pytest

from tests.e2e.order_views import dispatched
from tests.e2e.world import World, eventually
from tools.local.sandbox.examples import refund


def shipped_and_refunded(world: World, shop: str, repeat: int = 1) -> tuple[dict, str]:
    """An order that was shipped and then refunded, and the case of the refund."""
    order = world.buy(shop, lines=[{}])
    world.when(order, dispatched, shop)
    (purchase_order,) = world.purchase_orders(order)
    world.sandbox.ship("acme", purchase_order["reference"])
    world.when(order, lambda seen: seen["parcels"] and seen["parcels"][0]["writeback"] == "DONE", shop)
    made = refund(order, {order["line_items"][0]["id"]: 1})
    assert world.sandbox.send_order(shop, made, "refunds/create", repeat=repeat, parallel=True) == [200] * repeat
    case = f"refund-{made['id']}"
    world.case_until(case, "OPEN", shop)
    return order, case


def execution_ended(world: World, case: str) -> str:
    (execution,) = eventually(
        lambda: [e for e in world.executions("Case", case) if e["status"] != "RUNNING"],
        lambda: "the workflow has ended",
    )
    return str(execution["status"])


def outcome(world: World, order: dict, case: str, shop: str) -> str:
    seen = world.when(order, lambda seen: any(r["case"] == case and r.get("outcome") for r in seen["remedies"]), shop)
    return str(next(remedy["outcome"] for remedy in seen["remedies"] if remedy["case"] == case))


def decide(world: World, case: str, decision: str, shop: str = "main-shop") -> int:
    return world.ops(
        "POST", f"/cases/{shop}/{case}/decision", {"decision": decision, "words": "seen the photos"}
    ).status


def waiting(world: World, case: str) -> bool:
    return any(entry["case"].endswith(case) for entry in world.ops("GET", "/cases?limit=100").body["cases"])


@pytest.mark.without_iam
def test_a_refund_after_shipping_opens_one_case_however_often_it_comes_and_approval_ends_it(world: World):
    order, case = shipped_and_refunded(world, "main-shop", repeat=5)
    assert waiting(world, case)
    world.quiet("AfterSalesQueue")
    assert decide(world, case, "approve") == 202
    seen = world.case_until(case, "REFUNDED")
    assert seen["decided_by"]
    assert [entry["what"] for entry in seen["timeline"]] == ["opened", "agree_refund", "refund_ok"]
    assert outcome(world, order, case, "main-shop") == "REFUNDED"
    assert execution_ended(world, case) == "SUCCEEDED"
    assert len(world.executions("Case", case)) == 1
    assert not waiting(world, case)
    assert decide(world, case, "refuse") == 409


def test_a_refusal_ends_the_case_when_the_buyer_does_not_object(world: World):
    order, case = shipped_and_refunded(world, "quick-shop")
    assert decide(world, case, "refuse", "quick-shop") == 202
    world.sweep(world.case_until(case, "REJECTED", "quick-shop")["due_at"])
    world.case_until(case, "CLOSED", "quick-shop")
    assert outcome(world, order, case, "quick-shop") == "CLOSED"
    assert execution_ended(world, case) == "SUCCEEDED"


def test_silence_past_the_platforms_deadline_agrees(world: World):
    order, case = shipped_and_refunded(world, "quick-shop")
    world.sweep(world.case_until(case, "OPEN", "quick-shop")["due_at"])
    timeline = world.case_until(case, "REFUNDED", "quick-shop")["timeline"]
    assert "merchant_timeout" in [entry["what"] for entry in timeline]
    assert outcome(world, order, case, "quick-shop") == "REFUNDED"
    assert execution_ended(world, case) == "SUCCEEDED"


@pytest.fixture(scope="module")
def open_case(world: World) -> str:
    return shipped_and_refunded(world, "main-shop")[1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "perhaps"},
        {"decision": "approve", "event": "withdraw"},
        {"event": "refund_ok"},
        {"decision": 1},
        {"decision": "approve", "extra": 1},
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(world: World, open_case: str, body):
    assert world.ops("POST", f"/cases/main-shop/{open_case}/decision", body).status in {400, 409}
    world.quiet("AfterSalesQueue")
    assert (world.case(open_case) or {})["status"] == "OPEN"
