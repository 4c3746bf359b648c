"""What an order's life costs in write units: for its items by their size, and for the entries of the indexes.

DynamoDB bills an index one write for an entry that is added, removed, or rewritten in its place, and two for one that
moves. Where nothing of an item that is in the index changes, the index costs nothing.
"""

from collections import Counter
from datetime import timedelta

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.services.changing import Moments, change_order
from tests.support.consumers import REACHED_BY
from tests.support.fakes import FakeRegistry
from tests.support.lambdas import event
from tests.support.service_world import KEY, NOW, WAYBILL, seed
from tests.support.template_document import TABLES
from tools.cost.units import item_bytes, write_units

INDEXES = {
    index["IndexName"]: (
        tuple(key["AttributeName"] for key in index["KeySchema"]),
        tuple(index["Projection"].get("NonKeyAttributes", ())),
    )
    for index in TABLES["OrdersTable"]["GlobalSecondaryIndexes"]
}
CODES = {TrackingStage.PICKED_UP: "1", TrackingStage.IN_TRANSIT: "0", TrackingStage.DELIVERED: "3"}


class Ledger:
    """Write units of one step: of the items of the orders table, by sort key, and of each index."""

    def __init__(self):
        self.units = Counter()

    def put(self, before, item):
        self.units[item["sk"]["S"]] += write_units(item_bytes(before), item_bytes(item))
        for index, (names, others) in INDEXES.items():
            old, new = (self._entry(stored, names) for stored in (before, item))
            if old != new:
                self.units[index] += (old is not None) + (new is not None)
            elif new is not None:
                self.units[index] += any(before.get(name) != item.get(name) for name in others)
        self.units = +self.units

    @staticmethod
    def _entry(item, names):
        return tuple(item[name]["S"] for name in names) if all(name in item for name in names) else None

    def drain(self):
        """What was counted since the last call."""
        counted, self.units = dict(self.units), Counter()
        return counted


@pytest.fixture
def ledger(resources, monkeypatch):
    ledger, client = Ledger(), session.dynamodb()
    real = client._make_api_call

    def call(operation, given):
        if operation == "PutItem" and given["TableName"] == resources["OrdersTable"]:
            key = {name: given["Item"][name] for name in ("pk", "sk")}
            ledger.put(real("GetItem", {"TableName": given["TableName"], "Key": key}).get("Item", {}), given["Item"])
        return real(operation, given)

    monkeypatch.setattr(client, "_make_api_call", call)
    return ledger


@pytest.fixture
def step(function, ledger):
    """Run a function with an example event. Returns the units it wrote."""

    def run(path):
        answer = function(path.partition("/")[0])(event(path))
        assert not answer.get("batchItemFailures")
        return ledger.drain()

    return run


@pytest.fixture
def poll(step, clock, partners):
    """Five hours later the tracker knows these scans (hours after the order came). Returns the units a visit writes."""

    def visit(*scans):
        clock.advance(hours=5)
        rows = []
        for hours, stage in scans:
            at = (NOW + timedelta(hours=8 + hours)).strftime("%Y-%m-%d %H:%M:%S")  # in the tracker's own time zone
            rows.append({"context": "…", "time": at, "ftime": at, "statusCode": CODES[stage]})
        partners.tracker.reports[WAYBILL.number] = {"com": "yuantong", "nu": WAYBILL.number, "data": rows[::-1]}
        return step("tracking_poll/poll")

    return visit


@pytest.fixture
def change(resources, ledger, clock):
    """Change the example order as its workers would. Returns the units that were written."""

    def changed(what):
        orders, moments = DynamoOrders(ItemTable(resources["OrdersTable"])), Moments(FakeRegistry(seed()), clock)
        change_order(orders, KEY, moments, what)
        return ledger.drain()

    return changed


def test_an_order_that_goes_well_changes_few_entries(step, poll):
    assert step("order_ingest/orders_paid")["recent"] == 1
    placed = step("dispatch_submit/submit")
    assert placed == {"STATE": 2, "due": 1}, "the supplier has yet to acknowledge"
    assert step("supplier_events/shipped") == {"WAYBILL": 1, "STATE": 1, "due": 1, "polls": 1}
    assert step("shipment_writeback/parcel") == {"STATE": 2}
    known = [(2, TrackingStage.PICKED_UP), (3, TrackingStage.IN_TRANSIT)]
    assert poll() == {}
    assert poll(*known) == {"STATE": 1}
    for hours in (12, 17, 22):
        known.append((hours, TrackingStage.IN_TRANSIT))
        assert poll(*known) == {}
    assert poll(*known, (27, TrackingStage.DELIVERED)) == {"STATE": 1, "polls": 1, "due": 1}


def test_a_fresh_order_has_one_entry_until_it_is_shipped_where_the_supplier_acknowledged_at_once(step, ledger):
    assert step("order_ingest/orders_paid")["recent"] == 1
    placed = step("dispatch_submit/submit")
    acknowledged = step("supplier_events/acknowledged")
    assert (placed["due"], acknowledged) == (1, {"STATE": 1, "due": 1}), "the clock of the acknowledgement alone"
    assert step("supplier_events/shipped") == {"WAYBILL": 1, "STATE": 1, "polls": 1}


def test_a_push_moves_no_entry(step, clock):
    for path in REACHED_BY["shipped"]:
        step(path)
    clock.advance(hours=14)
    assert step("tracking_poll/push") == {"STATE": 1}


def test_an_entry_of_the_attention_list_is_written_when_its_reasons_change_and_at_no_other_time(step, change, clock):
    assert "attention" not in step("order_ingest/orders_paid")

    def attention(act):
        clock.advance(minutes=1)
        return change(act).get("attention", 0)

    task, money = TaskKind.SHIP_LATE, TaskKind.WAYBILL_REUSED
    assert attention(lambda order, moment: order.hold(HoldReason.DISPATCH_FAILED, moment, "why")) == 1, "it comes"
    assert attention(lambda order, moment: order.hold(HoldReason.DISPATCH_FAILED, moment, "in other words")) == 0
    assert attention(lambda order, moment: order.record("quantities_changed", moment)) == 0, "something else happens"
    assert attention(lambda order, moment: order.open_task(task, moment)) == 1, "a lesser reason stays in its place"
    assert attention(lambda order, moment: order.open_task(task, moment, about="another")) == 0, "it is named already"
    assert attention(lambda order, moment: order.close_tasks(task, moment, "ann")) == 1
    assert attention(lambda order, moment: order.open_task(money, moment)) == 2, "what is more urgent moves it"
    assert attention(lambda order, moment: order.close_tasks(money, moment, "ann")) == 2
    assert attention(lambda order, moment: order.release(HoldReason.DISPATCH_FAILED, moment)) == 1, "it goes"
