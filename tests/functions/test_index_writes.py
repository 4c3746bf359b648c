"""What an order's life costs in entries of the indexes, counted on the items as they are written.

DynamoDB bills an index for each entry that comes or goes, and twice for one that moves; an item of which nothing in
the index changed costs nothing there.
"""

from collections import Counter
from datetime import timedelta

import pytest

from dropship.adapters import session
from dropship.domain.exchange.tracking import TrackingStage
from tests.support.consumers import REACHED_BY
from tests.support.lambdas import event
from tests.support.service_world import NOW, WAYBILL
from tests.support.template_document import TABLES

INDEXES = {
    index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
    for index in TABLES["OrdersTable"]["GlobalSecondaryIndexes"]
}
CODES = {TrackingStage.PICKED_UP: "1", TrackingStage.IN_TRANSIT: "0", TrackingStage.DELIVERED: "3"}


class Ledger:
    """Writes of one step: items of the orders' table by sort key, and units of each index."""

    def __init__(self):
        self.units = Counter()

    def put(self, before, item):
        self.units[item["sk"]["S"]] += 1
        for index, names in INDEXES.items():
            old, new = (self._entry(stored, names) for stored in (before, item))
            if old != new:
                self.units[index] += (old is not None) + (new is not None)

    @staticmethod
    def _entry(item, names):
        return tuple(item[name]["S"] for name in names) if all(name in item for name in names) else None

    def drain(self):
        """What was counted since the last time."""
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
    """Run a function with an example event; what it wrote."""

    def run(path):
        answer = function(path.partition("/")[0])(event(path))
        assert not answer.get("batchItemFailures")
        return ledger.drain()

    return run


@pytest.fixture
def poll(step, clock, partners):
    """Some hours later the tracker knows these scans, in hours after the order came; what a visit writes."""

    def visit(*scans):
        clock.advance(hours=5)
        rows = []
        for hours, stage in scans:
            at = (NOW + timedelta(hours=8 + hours)).strftime("%Y-%m-%d %H:%M:%S")  # in the tracker's own time zone
            rows.append({"context": "…", "time": at, "ftime": at, "statusCode": CODES[stage]})
        partners.tracker.reports[WAYBILL.number] = {"com": "yuantong", "nu": WAYBILL.number, "data": rows[::-1]}
        return step("tracking_poll/poll")

    return visit


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
