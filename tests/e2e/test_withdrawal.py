"""Cancellations and refunds before anything has shipped: done at once before the claim; later the supplier decides."""

from tests.e2e.order_views import dispatched
from tests.e2e.world import World, an_order, eventually
from tools.local.sandbox.examples import cancelled, changed, refund

NO_SOURCE = "NOBODY-HAS-IT"


def case_of(refunded: dict) -> str:
    return f"refund-{refunded['id']}"


def taken_back(order: dict) -> bool:
    """Whether the cancellation of the purchase order is wanted and not settled yet."""
    return [held["cancel"] for held in order["purchase_orders"]] == ["WANTED"]


def test_a_cancellation_before_the_claim_sends_nothing(world: World):
    order = world.buy(lines=[{}, {"sku": NO_SOURCE}])
    world.until(order, "ON_HOLD")
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    world.until(order, "CANCELLED")
    assert world.placed(order) == []


def test_a_cancellation_that_overtakes_the_payment_sends_nothing(world: World):
    order = an_order()
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    world.until(order, "CANCELLED")
    world.sandbox.send_order("main-shop", order)
    world.quiet("InboxQueue")
    assert world.until(order, "CANCELLED")["purchase_orders"] == []
    assert world.placed(order) == []


def test_a_refund_before_the_claim_takes_its_lines_out_and_settles_its_case(world: World):
    order = world.buy(lines=[{}, {"sku": NO_SOURCE}])
    world.until(order, "ON_HOLD")
    refunded = refund(order, {order["line_items"][1]["id"]: 1})
    for _ in range(3):
        world.sandbox.send_order("main-shop", refunded, "refunds/create")
    case = world.case_until(case_of(refunded), "REFUNDED")
    assert [entry["what"] for entry in case["timeline"]].count("opened") == 1
    seen = world.when(order, lambda seen: [remedy["outcome"] for remedy in seen["remedies"]] == ["REFUNDED"])
    assert seen["lines"][1]["units"]["cancelled"] == 1

    assert world.ops("POST", f"/orders/main-shop/{order['id']}/holds/NO_SOURCE/release").status == 202
    world.when(order, dispatched)
    (purchase_order,) = world.purchase_orders(order)
    assert [line["line"] for line in purchase_order["request"]["lines"]] == [str(order["line_items"][0]["id"])]


def test_a_refund_of_everything_before_the_claim_cancels_the_order(world: World):
    order = world.buy(lines=[{"sku": NO_SOURCE}])
    world.until(order, "ON_HOLD")
    refunded = refund(order, {order["line_items"][0]["id"]: 1})
    world.sandbox.send_order("main-shop", refunded, "refunds/create")
    world.until(order, "CANCELLED")
    world.case_until(case_of(refunded), "REFUNDED")
    assert world.placed(order) == []


def test_after_the_claim_the_supplier_is_asked_and_its_yes_cancels(world: World):
    order = world.buy()
    world.when(order, dispatched)
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    seen = world.until(order, "CANCELLED")
    assert seen["purchase_orders"][0]["status"] == "CANCELLED"
    assert len(world.sandbox.records("supplier:acme", "cancel", str(order["id"]))) >= 1
    assert len(world.placed(order)) == 1


def test_after_the_claim_a_suppliers_no_needs_a_person_and_the_goods_go_on(world: World):
    world.sandbox.behave("acme", cancel="refuse")
    order = world.buy()
    world.when(order, dispatched)
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    seen = world.when(order, lambda seen: any(task["kind"] == "CANCEL_REFUSED" for task in seen["tasks"]))
    assert seen["purchase_orders"][0]["status"] == "ACKED"
    world.ship(order)
    world.until(order, "SHIPPED")


def test_a_supplier_may_answer_a_cancellation_later(world: World):
    world.sandbox.behave("acme", cancel="pending")
    order = world.buy()
    world.when(order, dispatched)
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    seen = world.when(order, lambda seen: seen["purchase_orders"][0]["answer_promised"], wanted="an answer is promised")
    world.sandbox.cancel("acme", seen["purchase_orders"][0]["id"])
    world.until(order, "CANCELLED")


def test_a_refund_after_the_claim_is_settled_by_the_suppliers_yes(world: World):
    order = world.buy(lines=[{}])
    world.when(order, dispatched)
    refunded = refund(order, {order["line_items"][0]["id"]: 1})
    world.sandbox.send_order("main-shop", refunded, "refunds/create")
    world.case_until(case_of(refunded), "REFUNDED")
    assert world.until(order, "CANCELLED")["purchase_orders"][0]["status"] == "CANCELLED"


def test_a_cancellation_while_the_supplier_is_slow_to_take_the_order_reaches_it(world: World):
    world.sandbox.fault("supplier:acme", "answer_when_healed", "place")
    order = world.buy()
    eventually(lambda: world.placed(order), lambda: "the supplier is at it")
    off = cancelled(order)
    for topic in ("orders/cancelled", "orders/updated", "orders/cancelled"):
        world.sandbox.send_order("main-shop", off, topic)
    world.when(order, taken_back)
    world.sandbox.heal()
    world.until(order, "CANCELLED")
    assert [held["status"] for held in world.purchase_orders(order)] == ["cancelled"]
    assert len(world.placed(order)) == 1


def test_a_purchase_order_that_was_taken_back_while_in_doubt_is_cancelled_once_it_is_found(world: World):
    world.sandbox.fault("supplier:acme", "drop_after_accepting", "place")
    world.sandbox.fault("supplier:acme", "drop", "find", times=None)
    order = world.buy()
    world.when(order, lambda seen: any(task["kind"] == "DISPATCH_UNKNOWN" for task in seen["tasks"]))
    world.sandbox.send_order("main-shop", cancelled(order), "orders/cancelled")
    world.when(order, taken_back)
    world.sandbox.heal()
    assert world.ops("POST", f"/orders/main-shop/{order['id']}/dispatch").status == 202
    world.until(order, "CANCELLED")
    assert [held["status"] for held in world.purchase_orders(order)] == ["cancelled"]
    assert len(world.placed(order)) == 1


def test_a_cancellation_that_a_supplier_cannot_take_now_is_asked_again(world: World):
    order = world.buy("quick-shop")
    world.when(order, lambda seen: seen["status"] == "IN_FULFILMENT" and dispatched(seen), "quick-shop")
    world.sandbox.fault("supplier:acme", "status", "cancel", status=503)
    world.sandbox.send_order("quick-shop", cancelled(order), "orders/cancelled")
    world.until(order, "CANCELLED", "quick-shop")
    assert [held["status"] for held in world.purchase_orders(order)] == ["cancelled"]


def test_an_order_that_was_refunded_in_full_before_it_was_known_is_not_sent(world: World):
    order = an_order()
    world.sandbox.send_order("main-shop", changed(order, financial_status="refunded"), "orders/updated")
    world.until(order, "CANCELLED")
    world.sandbox.send_order("main-shop", order)
    world.quiet("InboxQueue")
    assert world.until(order, "CANCELLED")["purchase_orders"] == []
