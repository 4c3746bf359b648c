"""The order is one item that is written at every change; each write is billed by size, a unit for each kilobyte."""

import json
import sys

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.adapters.order_body import pack, unpack
from dropship.connectors import marketplace
from dropship.connectors.contract import RawRequest
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.delivery import record_written_back, track
from dropship.domain.orders.fulfilment import claim, record_acknowledged, record_placed, supplier_says
from dropship.domain.orders.snapshots import Snapshot, receive
from dropship.domain.routing.planning import plan
from tests.support.order_examples import moment, says, scan
from tests.support.service_world import ROOT, seed

UNIT = 1024
LINES = 1


class Items(ItemTable):
    """A table that only remembers what was written last."""

    def __init__(self):
        super().__init__("Orders")
        self.item = {}

    def put_if(self, item, *_):
        self.item = item

    @property
    def billed(self) -> int:
        """Bytes of the item as DynamoDB counts them: names and values."""
        return sum(len(name) + len(next(iter(value.values())).encode()) for name, value in self.item.items())


@pytest.fixture
def sold():
    body = json.loads((ROOT / "tests/data/contracts/shopify_orders_paid.json").read_text())
    body["line_items"] = body["line_items"][:LINES]
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-shop-domain": "main-shop.myshopify.com"}
    (shop,) = [shop for shop in seed().shops if shop.id == "main-shop"]
    request = RawRequest(headers | {"x-shopify-shop-domain": shop.domain}, json.dumps(body).encode())
    return marketplace("shopify").read_events(request, shop)[0]


def test_an_order_of_one_line_and_its_source_cost_one_write_unit_each_from_the_first_to_the_last_day(sold, capsys):
    items = Items()
    orders, sizes = DynamoOrders(items), {}

    def measure(when):
        orders.save(order, 1)
        sizes[when] = items.billed
        assert unpack(order.key, pack(order)) == order

    orders.put_source(sold.order, sold.recipient)
    sizes["source"] = items.billed
    order = receive(Snapshot(sold.order, sold.recipient.digest, []), moment(0))
    measure("received")
    (planned,) = plan(order, {line.sku: seed().offers["main-shop"][line.sku] for line in order.lines})
    po = claim(order, planned, moment(0), fence=order.fence)
    po.lease_to("arn:aws:states:us-east-1:123456789012:execution:daifa-FulfilmentWorkflow:main-shop-8209", moment(0))
    measure("claimed")
    record_placed(order, po, "SO-10001", moment(0))
    record_acknowledged(order, po, moment(0))
    measure("placed")
    supplier_says(order, says("shipped", po, "YT1234567890123"), moment(9))
    measure("shipped")
    order.parcels[0].begin_writeback(moment(9))
    measure("writeback begun")
    record_written_back(order, order.parcels[0], "gid://shopify/Fulfillment/1069019862", moment(9))
    measure("written back")
    for hours, stage in enumerate(
        [
            TrackingStage.PICKED_UP,
            TrackingStage.IN_TRANSIT,
            TrackingStage.OUT_FOR_DELIVERY,
            TrackingStage.DELIVERED,
        ],
        10,
    ):
        track(order, order.parcels[0], [scan(stage, hours)], moment(hours))
        measure(stage.lower())
    with capsys.disabled():
        sys.stdout.write(f"\nbytes of the items of an order: {sizes}\n")
    assert order.status == "DELIVERED"
    assert {when: size for when, size in sizes.items() if size > UNIT} == {}
