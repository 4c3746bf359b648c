"""The order is one item that is written at every change; each write is billed by size."""

import sys

from dropship.domain.fulfilment import supplier_says, track, written_back
from dropship.domain.lateness import overdue
from dropship.domain.partners import TrackingStage

from .examples import DEADLINES, at, dispatched, line, received, says, scan


def test_an_order_stays_small_from_the_first_to_the_last_day(capsys):
    sizes = {}

    def measure(when):
        sizes[when] = len(order.model_dump_json(exclude_defaults=True).encode())

    order = received(line("466157049", 1, sku="MUG-BLUE-350"), line("518995019", 2, sku="TEA-OOLONG-100"))
    measure("received")
    (po,) = dispatched(order)
    measure("placed")
    supplier_says(order, says("acknowledged", po), at(1), DEADLINES)
    supplier_says(order, says("shipped", po, "YT1234567890123"), at(9), DEADLINES)
    written_back(order, order.parcels[0], "gid://shopify/Fulfillment/1069019862", at(9), DEADLINES)
    measure("shipped")
    stages = [TrackingStage.PICKED_UP, TrackingStage.IN_TRANSIT, TrackingStage.OUT_FOR_DELIVERY]
    for hours, stage in enumerate([*stages, TrackingStage.DELIVERED], 10):
        track(order, order.parcels[0], [scan(stage, hours)], at(hours), DEADLINES)
    measure("delivered")
    overdue(order, order.due, DEADLINES)
    measure("completed")
    with capsys.disabled():
        sys.stdout.write(f"\nbytes of an order's state: {sizes}\n")
    assert order.status == "COMPLETED"
    assert max(sizes.values()) < 2_600
