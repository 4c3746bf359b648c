"""The example events, one after the other, are the life of one order, with the real adapters."""

import json
from datetime import datetime

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_cases import DynamoCases
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from tests.support.consumers import BY_FUNCTION, CONSUMERS
from tests.support.lambdas import LOGICAL_IDS, event, events_of, failed
from tests.support.service_world import CASE, KEY, PINK, PO, WAYBILL


@pytest.fixture
def order(resources):
    orders = DynamoOrders(ItemTable(resources["OrdersTable"]))
    return lambda: orders.load(KEY).value


@pytest.fixture
def case(resources):
    cases = DynamoCases(ItemTable(resources["CasesTable"]))
    return lambda: cases.load(KEY.shop, CASE).value


@pytest.fixture
def run(function):
    """Run a function with one of its example events; no message of a batch may fail."""
    loaded = {}

    def run_it(path):
        name = path.partition("/")[0]
        loaded[name] = loaded.get(name) or function(name)
        answer = loaded[name](event(path))
        if "Records" in event(path):
            assert failed(answer) == []
        return answer

    return run_it


@pytest.fixture
def dispatched(run):
    run("order_ingest/orders_paid")
    return run("dispatch_submit/submit")


@pytest.fixture
def shipped(run, dispatched):
    run("supplier_events/shipped")


def test_every_function_and_workflow_has_example_events():
    assert {name for name in LOGICAL_IDS if not events_of(name)} == set()
    assert events_of("order_fulfilment")
    assert events_of("after_sales_case")


def test_a_paid_order_is_stored_and_its_workflow_started_once(run, order, executions):
    run("order_ingest/orders_paid")
    run("order_ingest/orders_paid")
    assert order().status == "READY"
    (started,) = executions("FulfilmentWorkflow")
    assert started == event("order_fulfilment/received")


def test_the_plan_of_the_example_order_is_the_example_submission(run):
    run("order_ingest/orders_paid")
    planned = run("dispatch_plan/plan")
    assert run("dispatch_plan/received") == planned, "what travels with a new order is all that its plan needs"
    submission = {name: value for name, value in event("dispatch_submit/submit").items() if name != "worker"}
    assert planned == {"order": str(KEY), "fence": 0, "purchase_orders": [submission]}


def test_the_submission_places_the_purchase_order(dispatched, order, partners):
    assert dispatched == {"purchase_order": PO, "status": "DISPATCHED"}
    assert partners.acme.open == [PO]
    assert order().status == "IN_FULFILMENT"


def test_a_supplier_that_ships_has_the_marketplace_told_and_the_parcel_watched(run, shipped, order, received, partners):
    assert order().status == "SHIPPED"
    assert received("OutboundQueue") == [event("shipment_writeback/parcel")["Records"][0]["body"]]
    assert received("TrackingQueue") == [event("tracking_poll/watch")["Records"][0]["body"]]

    run("shipment_writeback/parcel")
    assert partners.shop.told == [WAYBILL.number]
    run("tracking_poll/watch")
    assert partners.tracker.subscribed == [WAYBILL.number]


def test_the_carriers_push_moves_the_parcel(run, shipped, order, clock):
    clock.advance(hours=5)
    run("tracking_poll/push")
    assert order().parcels[0].state == "IN_TRANSIT"


def test_a_round_of_all_parcels_finds_one_whose_turn_it_is_not(run, shipped, received, partners, clock):
    while run("tracking_schedule/round") != {"orders": 0}:
        clock.advance(minutes=30)
    received("TrackingQueue")
    assert run("tracking_schedule/everything") == {"orders": 1}
    assert received("TrackingQueue") == [event("tracking_poll/poll")["Records"][0]["body"]]
    run("tracking_poll/poll")
    assert partners.tracker.requests("query") == [WAYBILL.number]


def test_a_scheduled_round_leaves_out_parcels_whose_turn_it_is_not(run, shipped, clock):
    rounds = []
    for _ in range(4):
        rounds.append(run("tracking_schedule/round")["orders"])
        clock.advance(minutes=30)
    assert sorted(rounds) == [0, 0, 0, 1]


def test_the_sweep_sends_an_order_left_lying_to_the_inbox(run, order, received, clock, executions):
    assert run("deadline_sweep/sweep") == {"due": 0}
    run("order_ingest/orders_paid")
    clock.time = datetime.fromisoformat(event("deadline_sweep/sweep")["time"])
    assert run("deadline_sweep/sweep") == {"due": 1}
    expected = [event(f"order_ingest/{name}")["Records"][0]["body"] for name in ("download_orders", "order_due")]
    assert sorted(set(received("InboxQueue"))) == sorted(expected)
    run("order_ingest/order_due")
    assert len(executions("FulfilmentWorkflow")) == 2


def test_a_sweep_by_hand_looks_back_on_as_many_days_as_it_is_told(run, clock):
    run("order_ingest/orders_paid")
    clock.advance(days=2)
    assert run("deadline_sweep/three_days") == {"due": 1}
    clock.advance(days=2)
    assert run("deadline_sweep/three_days") == {"due": 0}


def test_a_cancellation_after_the_claim_is_asked_of_the_supplier(run, dispatched, order, received, partners):
    run("order_ingest/orders_cancelled")
    assert received("AfterSalesQueue") == [event("after_sales/cancel_order")["Records"][0]["body"]]
    run("after_sales/cancel_order")
    assert partners.acme.requests("cancel") == [PO]
    assert order().status == "CANCELLED"


def test_a_refund_opens_a_case_with_its_workflow_and_a_decision_ends_both(
    run, shipped, order, case, received, executions
):
    run("order_ingest/refunds_create")
    assert received("AfterSalesQueue") == [event("after_sales/open_case")["Records"][0]["body"]]
    run("after_sales/open_case")
    assert executions("CaseWorkflow") == [event("after_sales_case/refund")]
    assert run("after_sales/await_outcome") == {}
    assert case().task_token == event("after_sales/await_outcome")["task_token"]
    assert run("after_sales/record_outcome") == {"status": "OPEN"}

    run("ops_api/decide_case")
    assert received("AfterSalesQueue") == [event("after_sales/decide_case")["Records"][0]["body"]]
    run("after_sales/decide_case")
    assert run("after_sales/record_outcome") == {"status": "REFUNDED"}
    assert order().remedies[0].outcome == "REFUNDED"


@pytest.mark.parametrize("name", ["check_withdrawals", "case_due", "tell_case"])
def test_the_other_messages_of_after_sales_are_taken_too(run, shipped, case, clock, name):
    run("after_sales/open_case")
    clock.advance(days=3)
    run(f"after_sales/{name}")
    assert case().status == {"check_withdrawals": "OPEN", "case_due": "REFUNDED", "tell_case": "WITHDRAWN"}[name]


def test_giving_up_before_the_claim_holds_the_order(run, order):
    run("order_ingest/orders_paid")
    assert run("dispatch_submit/give_up") == {"purchase_order": PO, "status": "ON_HOLD"}
    assert [(hold.kind, hold.detail) for hold in order().holds] == [("DISPATCH_FAILED", "SupplierBusy")]


def test_a_later_address_makes_the_old_plan_stale_and_asks_for_a_new_one_a_little_later(run, resources, partners):
    run("order_ingest/orders_paid")
    run("order_ingest/orders_updated")
    assert run("dispatch_submit/submit")["status"] == "STALE"
    assert partners.acme.asked == []
    delayed = "ApproximateNumberOfMessagesDelayed"
    inbox = session.sqs().get_queue_attributes(QueueUrl=resources["InboxQueue"], AttributeNames=[delayed])
    assert inbox["Attributes"] == {delayed: "1"}


@pytest.mark.parametrize("name", ["release_hold", "dispatch_again"])
def test_what_ops_want_of_an_order_starts_its_workflow_again(run, executions, name):
    run("order_ingest/orders_paid")
    run(f"order_ingest/{name}")
    assert len(executions("FulfilmentWorkflow")) == 2


def test_the_acknowledgement_is_taken_in(run, dispatched, order):
    run("supplier_events/acknowledged")
    assert order().purchase_orders[0].status == "ACKED"


@pytest.mark.parametrize("name", events_of("webhook"))
def test_what_the_front_door_keeps_is_what_its_consumers_examples_hold(function, received, clock, name):
    webhook = function("webhook")
    clock.time = clock.time.fromtimestamp(
        event(f"webhook/{name}")["requestContext"]["timeEpoch"] / 1000, clock.time.tzinfo
    )
    assert webhook(event(f"webhook/{name}"))["statusCode"] == 200
    kept = [body for consumer in CONSUMERS for body in received(consumer.queue)]
    examples = [
        record["body"]
        for consumer in BY_FUNCTION
        for example in events_of(consumer)
        for record in event(f"{consumer}/{example}").get("Records", [])
    ]
    assert len(kept) == 1
    assert kept[0] in examples


@pytest.mark.parametrize("consumer", CONSUMERS, ids=list(BY_FUNCTION))
def test_example_messages_come_from_the_functions_own_queue(consumer):
    for name in events_of(consumer.function):
        for record in event(f"{consumer.function}/{name}").get("Records", []):
            assert record["eventSourceARN"].endswith(f":daifa-{consumer.queue_name}")
    assert PINK in json.dumps(event("webhook/orders_paid"))
