"""What `make bench` calculates from its counts: rates, copies of orders, budgets and exit code."""

import base64
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.adapters.stamps import stamp
from dropship.adapters.stored_format import unpack
from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order
from tests.bench.crowd import Crowd, _copies
from tests.bench.figures import Figure, at_least, at_most, every_budget_holds, table
from tests.bench.happy_path import HAPPY, VARIANTS, one_line_order
from tests.bench.rates import Source, limits, throttle
from tests.support.aggregate_examples import shipped
from tools.cost.bill import Prices, Usage
from tools.cost.record import record_of
from tools.stored_items import opened

PRICES = Prices.load()
USAGE = Usage(http_api_requests=2, write_units=10, express_starts=1, transitions=4)


def a_batch(trace: str, index_partition: str, records: int = 2) -> list[dict]:
    written = {"index": "due", "change": "move", "bytes": 90, "partition": index_partition}
    put = {"kind": "call", "trace": trace, "service": "dynamodb", "action": "PutItem", "table": "t", "old": 0, "new": 9,
           "bytes": 0, "indexes": [written]}  # fmt: skip
    ran = {"kind": "invocation", "trace": trace, "function": "daifa-local-order-ingest", "memory_mb": 1769, "began": 0,
           "failed": False, "log": [], "platform_log": True, "source": "sqs", "records": records}  # fmt: skip
    return [put, ran]


def rates(workflow: str) -> dict[str, float]:
    record = record_of([*a_batch("1", "D#1"), *a_batch("2", "D#2")])
    found = limits(record, 4, USAGE, PRICES, workflow, [Source("daifa-local-order-ingest", 100, 10)], 4000)
    assert found == sorted(found, key=lambda limit: limit.orders_per_s)
    return {limit.quota: limit.orders_per_s for limit in found}


def test_every_quota_lets_through_what_it_has_by_what_an_order_needs():
    express = rates("EXPRESS")
    seconds = (5 + 1 + 2 * 0.3 + 0.8) / 1000 / 2  # an invocation serves two orders
    assert express["API Gateway requests"] == 5000
    assert express["the front door's own throttle"] == 2000
    assert express["DynamoDB write units per table"] == 4000
    assert express["StartExecution EXPRESS"] == 6000
    assert express["Lambda concurrency"] == pytest.approx(1000 / seconds)
    assert express["MaximumConcurrency of order-ingest"] == pytest.approx(100 / seconds)
    assert express["partition keys of index due"] == pytest.approx(1000 * 2 / 1)
    assert "state transitions" not in express


def test_at_the_limit_batches_are_as_full_as_the_fullest_of_the_run():
    record = record_of([*a_batch("1", "D#1", 10), *a_batch("2", "D#2", 5), *a_batch("3", "D#2", 5)])
    source = Source("daifa-local-order-ingest", 100, 10)
    found = {one.quota: one for one in limits(record, 20, USAGE, PRICES, "EXPRESS", [source], 4000)}
    seconds = (5 + 1 + 10 * 0.3 + 0.8) / 1000 / 10
    assert found["MaximumConcurrency of order-ingest"].orders_per_s == pytest.approx(100 / seconds)
    assert "of 10 messages here" in found["MaximumConcurrency of order-ingest"].note


def test_standard_workflows_are_bound_by_their_starts_and_transitions():
    standard = rates("STANDARD")
    assert (standard["StartExecution STANDARD"], standard["state transitions"]) == (300, 1250)


def test_the_front_doors_throttle_is_the_templates_or_else_that_of_aws():
    assert throttle("{ThrottlingRateLimit: 4000, ThrottlingBurstLimit: 2000}") == 4000
    assert throttle("Resources: {}") == 10_000


def test_a_copy_is_another_order_with_another_parcel_received_earlier():
    order, parcel = "main-shop#1795430915840663000", "YT17954309158406630001"
    text = json.dumps(
        {"pk": f"O#{order}", "body": f"main-shop.1795430915840663000.acme {parcel} 2026-11-23T10:00:00.5Z"}
    )
    model = [text, json.dumps({"pk": f"W#yto#{parcel}", "order_key": order})]
    state, waybill = (json.loads(copy) for copy in _copies(model, timedelta(hours=3)))
    assert state["pk"] == f"O#{waybill['order_key']}" != f"O#{order}"
    assert waybill["pk"].removeprefix("W#yto#") in state["body"]
    assert parcel not in state["body"]
    assert "1795430915840663000" not in state["body"]
    assert state["body"].endswith(" 2026-11-23T07:00:00.5Z")


class Items(ItemTable):
    """A table that only keeps the last items written."""

    def put_if(self, item, *_):
        self.item = item


def test_a_copy_is_stored_as_an_order_of_its_own(tmp_path):
    items = Items("Orders")
    DynamoOrders(items).save(shipped(OrderKey("main-shop", "1795430915840663000")), 1)
    crowd = Crowd(SimpleNamespace(directory=tmp_path), {"shipped": [[json.dumps(opened(items.item))]]})
    crowd._load = lambda file: [json.loads(line) for line in file.read_text().splitlines()]
    for item in crowd.fill(2, ["shipped"]):
        order = Order.model_validate_json(unpack({"B": base64.b64decode(item["body"]["B"])}))
        assert item["pk"]["S"] == f"O#{order.key}" != items.item["pk"]["S"]
        assert order.purchase_orders[0].id.startswith(f"main-shop.{order.external_id}.")
        assert stamp(order.created_at) == item["created_at"]["S"] < items.item["created_at"]["S"]


def test_orders_of_before_are_no_models():
    crowd = Crowd(stack=None)
    items = [{"pk": {"S": "O#main-shop#1795430915840663000"}}, {"pk": {"S": "O#main-shop#1795430915840663001"}}]
    crowd._items = lambda: iter(items[:1])
    crowd.forget()
    crowd._items = lambda: iter(items)
    crowd.learn("ship")
    assert crowd.models["ship"] == [[json.dumps(items[1])]]


def test_the_happy_path_is_one_line_and_six_reports_of_which_the_first_tells_nothing():
    assert len(one_line_order()["line_items"]) == 1
    assert [len(codes) for codes in HAPPY.reports] == [0, 2, 0, 0, 0, 1]
    assert all(way.name != HAPPY.name for way in VARIANTS)


def test_one_figure_over_its_budget_is_enough():
    good = [at_most("cost", 18, "$", 18), at_least("rate", 1000, "/s", 1000), Figure("beside", 5)]
    assert every_budget_holds(good)
    assert not every_budget_holds([*good, at_most("cost", 18.1, "$", 18)])
    assert not every_budget_holds([*good, at_least("rate", 999, "/s", 1000)])


def test_a_table_says_which_figure_is_over():
    lines = list(table("Cost", [at_most("dollars", 56.4, "$", 18, "far"), at_most("units", 14, "", 14)]))
    assert lines[1].split() == ["dollars", "56.40", "$", "≤", "18", "OVER", "far"]
    assert lines[2].split() == ["units", "14", "≤", "14", "holds"]
