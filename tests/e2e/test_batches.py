"""A bad message never stops its batch, and ends in the dead-letter queue."""

import json
from pathlib import Path

from tests.e2e.order_views import dispatched
from tests.e2e.world import SHOP, World
from tools.local.sandbox.examples import paid_order


def test_a_bad_message_among_ten_leaves_nine_done_and_one_set_aside(world: World):
    world.dead_letters["InboxDeadLetters"] += 1
    orders = [paid_order() for _ in range(9)]
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-shop-domain": f"{SHOP}.myshopify.com"}
    bodies = [
        json.dumps(
            {"kind": "webhook", "channel": "shopify", "connection": SHOP, "headers": headers, "body": json.dumps(order)}
        )
        for order in orders
    ]
    bodies.insert(4, json.dumps({"kind": "no-such-kind"}))
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    world.stack.client("sqs").send_message_batch(QueueUrl=world.stack.queues["InboxQueueUrl"], Entries=entries)
    for order in orders:
        world.when(order, dispatched)
    assert all(len(world.purchase_orders(order)) == 1 for order in orders)


def test_dead_letters_raise_an_alarm(world: World):
    alarms = world.stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = {dimension["Value"] for alarm in alarms for dimension in alarm["Dimensions"]}
    for output, url in world.stack.queues.items():
        if output.endswith("DeadLettersUrl"):
            assert url.rsplit("/", 1)[1] in watched


def test_the_documented_events_are_the_ones_that_run(world: World):
    for path in sorted((Path(__file__).parents[2] / "events").rglob("*.json")):
        assert isinstance(json.loads(path.read_text()), dict), path
