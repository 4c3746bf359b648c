"""An order is one item, which is written at every change. Each write is billed by size: one unit for each kilobyte."""

import json
import sys
from datetime import timedelta

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.connectors import marketplace
from dropship.connectors.contract import RawRequest
from dropship.domain.deadlines import Moment
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.clocks import arm
from dropship.domain.orders.delivery import record_written_back, track
from dropship.domain.orders.fulfilment import claim, record_acknowledged, record_placed, supplier_says
from dropship.domain.orders.snapshots import Snapshot, receive
from dropship.domain.routing.planning import plan
from tests.support.order_examples import DEADLINES, START, says, scan
from tests.support.service_world import ROOT, seed
from tools.cost.units import item_bytes, write_units

WORKER = "arn:aws:states:us-east-1:123456789012:execution:daifa-FulfilmentWorkflow:main-shop-8209"
PINK, GREEN, BLACK, CAP = "IPOD2008PINK", "IPOD2008GREEN", "IPOD2008BLACK", "CAP-BLACK"
STAGES = [
    TrackingStage.PICKED_UP,
    TrackingStage.IN_TRANSIT,
    TrackingStage.OUT_FOR_DELIVERY,
    TrackingStage.DELIVERED,
]


def moment(hours):
    """The moment this many hours after the start, on a clock with microseconds."""
    return Moment(START + timedelta(hours=hours, microseconds=135_791 + 77_773 * hours), DEADLINES)


class Items(ItemTable):
    """A table that only records the size of each item written."""

    def __init__(self):
        super().__init__("Orders")
        self.sizes = []

    def put_if(self, item, *_):
        self.sizes.append(item_bytes(item))


def sold(skus):
    """The order that the marketplace sends for these SKUs, with ids as long as real ones."""
    body = json.loads((ROOT / "tests/data/contracts/shopify_orders_paid.json").read_text())
    model = body["line_items"][0]
    body["line_items"] = [
        model | {"id": 866550311766439020 + 7_919_473_829 * number, "sku": sku} for number, sku in enumerate(skus)
    ]
    (shop,) = [shop for shop in seed().shops if shop.id == "main-shop"]
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-shop-domain": shop.domain}
    return marketplace("shopify").read_events(RawRequest(headers, json.dumps(body).encode()), shop)[0]


def life(told):
    """The order each time that it is written: the step, the order, and the moment."""
    began, shipped = moment(0), moment(9)
    order = receive(Snapshot(told.order, told.recipient.digest, []), began)
    yield "received", order, began
    fence, offers = order.fence, seed().offers["main-shop"]
    for planned in plan(order, {line.sku: offers[line.sku] for line in order.lines}):
        claim(order, planned, began, fence=fence).lease_to(WORKER, began)
    yield "claimed", order, began
    for number, po in enumerate(order.purchase_orders):
        record_placed(order, po, f"SO-1000{number}", began)
        record_acknowledged(order, po, began)
    yield "placed", order, began
    for number, po in enumerate(order.purchase_orders):
        supplier_says(order, says("shipped", po, f"YT123456789012{number}"), shipped)
    yield "shipped", order, shipped
    for parcel in order.parcels:
        parcel.begin_writeback(shipped)
    yield "writeback begun", order, shipped
    for number, parcel in enumerate(order.parcels):
        record_written_back(order, parcel, f"gid://shopify/Fulfillment/106901986{number}", shipped)
    yield "written back", order, shipped
    for hours, stage in enumerate(STAGES, 10):
        for parcel in order.parcels:
            track(order, parcel, [scan(stage, hours)], moment(hours))
        yield stage.lower(), order, moment(hours)


@pytest.mark.parametrize(
    ("skus", "suppliers", "units"),
    [([PINK], 1, 1), ([PINK, GREEN, BLACK], 1, 1), ([PINK, GREEN, CAP], 2, 1), ([PINK, GREEN, BLACK, CAP] * 5, 2, 2)],
    ids=["one line", "three lines", "three lines of two suppliers", "twenty lines of two suppliers"],
)
def test_an_order_and_its_source_cost_so_many_write_units_each_from_the_first_to_the_last_day(
    skus, suppliers, units, capsys
):
    items, told = Items(), sold(skus)
    orders = DynamoOrders(items)
    orders.put_source(told.order, told.recipient)
    sizes = {"source": items.sizes[-1]}
    for when, order, now in life(told):
        arm(order, now)
        orders.save(order, 1)
        sizes[when] = items.sizes[-1]
    with capsys.disabled():
        sys.stdout.write(f"\nbytes of the items of an order of {len(skus)} lines: {sizes}\n")
    assert (order.status, len(order.purchase_orders)) == ("DELIVERED", suppliers)
    assert {when: size for when, size in sizes.items() if write_units(0, size) > units} == {}


def test_what_the_table_is_given_is_what_is_counted(tables):
    items, told = Items(), sold([PINK])
    DynamoOrders(items).put_source(told.order, told.recipient)
    real = ItemTable(tables["OrdersTable"])
    DynamoOrders(real).put_source(told.order, told.recipient)
    assert item_bytes(real.read(f"O#{told.order.key}", "SOURCE")) == items.sizes[-1]
