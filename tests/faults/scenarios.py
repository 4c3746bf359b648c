"""What each handler is given: a prepared world, then the event under test."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropship.services.purchasing.dispatch import OutcomeUnknown
from tests.faults.world import World
from tests.support.consumers import BY_QUEUE, CONSUMERS, REACHED_BY, Consumer
from tests.support.lambdas import event, events_of, sqs_batch
from tests.support.partner_apis import LOST
from tests.support.service_world import WAYBILL
from tests.support.template_document import QUEUES

Step = str | Callable[[World], object]
WOO = "order_ingest/woocommerce_order_created"
PAID = "order_ingest/orders_paid"
PLACED, SHIPPED = REACHED_BY["placed"], REACHED_BY["shipped"]
OPENED = (*SHIPPED, "after_sales/open_case")


@dataclass(frozen=True)
class Scenario:
    """One event of one handler: an example, or an event made from the world that the steps before it have prepared."""

    handler: str
    name: str
    before: tuple[Step, ...]
    event: str | Callable[[World], Any]

    @property
    def title(self) -> str:
        """Handler and event."""
        return f"{self.handler}: {self.name}"

    def prepare(self, world: World) -> Any:
        """Prepare the world and empty its queues. Returns the event."""
        for step in self.before:
            world.example(step) if isinstance(step, str) else step(world)
        wanted = event(self.event) if isinstance(self.event, str) else self.event(world)
        for queue in QUEUES:
            world.drain(queue)
        for workflow in ("FulfilmentWorkflow", "CaseWorkflow"):
            world.new_executions(workflow)
        return wanted


def wait(**length: float) -> Step:
    """Let time pass without running the schedules."""
    return lambda world: world.clock.advance(**length)


def reported(*codes: str) -> Step:
    """The tracker knows these scans of the parcel, one for each minute from now on."""

    def report(world: World) -> None:
        at = world.clock.now()
        rows = [
            {"ftime": at.strftime("%Y-%m-%d %H:%M:%S"), "context": "scan", "statusCode": code, "status": "?"}
            for code in codes
        ]
        world.partners.tracker.reports[WAYBILL.number] = {
            "message": "ok",
            "nu": WAYBILL.number,
            "com": "yuantong",
            "status": "200",
            "state": codes[-1],
            "data": rows,
        }

    return report


def message(path: str, queue: str, *changes: tuple[str, str]) -> Callable[[World], Any]:
    """An example message with some text in it replaced."""

    def changed(_world: World) -> Any:
        body = event(path)["Records"][0]["body"]
        for old, new in changes:
            assert old in body, f"{path} has no {old}"
            body = body.replace(old, new)
        return sqs_batch(body, like=BY_QUEUE[queue].example)

    return changed


def poll(world: World) -> Any:
    """The message that a poll round sends."""
    world.drain("TrackingQueue")
    world.call("tracking_schedule", {"everything": True})
    (body,) = world.drain("TrackingQueue")
    return sqs_batch(body, like="tracking_poll/poll")


def lost_answer(world: World) -> None:
    """The supplier has the purchase order, but its answer was lost."""
    world.partners.acme.fail("place", LOST, after=True)
    with suppress(OutcomeUnknown):
        world.example("dispatch_submit/submit")


def sweep(world: World) -> Any:
    """The schedule's event at this time."""
    return event("deadline_sweep/sweep") | {"time": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}


def at_its_time(path: str) -> Step:
    """Set the clock to the time of an HTTP request, so that its signature is valid."""

    def set_clock(world: World) -> None:
        world.clock.time = datetime.fromtimestamp(event(path)["requestContext"]["timeEpoch"] / 1000, UTC)

    return set_clock


def woo_refunds(world: World) -> None:
    """The WooCommerce shop has the example order, and has refunded a unit of it."""
    world.example(WOO)
    world.partners.woo.sell(json.loads(json.loads(event(WOO)["Records"][0]["body"])["body"]))
    world.partners.woo.refund("727", 801, line_315=1)


def woo_sells(world: World) -> None:
    """The WooCommerce shop has three orders, more than fit on a page."""
    order = json.loads(json.loads(event(WOO)["Records"][0]["body"])["body"])
    for number in (901, 902, 903):
        world.partners.woo.sell(order | {"id": number})


def deleted(_world: World) -> Any:
    """The shop names an order that it no longer has."""
    return sqs_batch('{"kind":"fetch-order","shop":"woo-shop","order":"727","deleted":true}', like=WOO)


def _supplier(kind: str, **data: object) -> Callable[[World], Any]:
    def told(_world: World) -> Any:
        webhook = json.loads(event("supplier_events/acknowledged")["Records"][0]["body"])
        body = json.loads(webhook["body"])
        body["type"] = f"purchase_order.{kind}"
        body["data"] |= data
        return sqs_batch(json.dumps(webhook | {"body": json.dumps(body)}), like="supplier_events/acknowledged")

    return told


def two_parcels(_world: World) -> Any:
    """The supplier ships the two lines in a parcel each, and both events come in one batch."""
    webhook = json.loads(event("supplier_events/shipped")["Records"][0]["body"])
    bodies = []
    for number, line in enumerate(json.loads(webhook["body"])["data"]["shipment"]["lines"]):
        body = json.loads(webhook["body"])
        body["data"]["shipment"] |= {"tracking_number": f"YT969308363979{number}", "lines": [line]}
        bodies.append(json.dumps(webhook | {"body": json.dumps(body)}))
    return sqs_batch(*bodies, like="supplier_events/shipped")


def _of(handler: str, *rows: tuple[str, tuple[Step, ...], str | Callable[[World], Any]]) -> list[Scenario]:
    return [Scenario(handler, name, before, wanted) for name, before, wanted in rows]


def _good(one: Consumer) -> list[Scenario]:
    """What every consumer is given: a message that it can handle, and the same message again."""
    before = REACHED_BY[one.after]
    return [
        Scenario(one.function, one.good, before, one.example),
        Scenario(one.function, f"{one.good}, again", (*before, one.example), one.example),
    ]


SCENARIOS: list[Scenario] = [
    *[scenario for one in CONSUMERS for scenario in _good(one)],
    *[Scenario("webhook", name, (at_its_time(f"webhook/{name}"),), f"webhook/{name}") for name in events_of("webhook")],
    *_of(
        "order_ingest",
        ("paid, after it was placed", PLACED, PAID),
        ("updated", (PAID,), "order_ingest/orders_updated"),
        ("updated, the first that is heard", (), "order_ingest/orders_updated"),
        ("cancelled before the claim", (PAID,), "order_ingest/orders_cancelled"),
        ("cancelled after the claim", PLACED, "order_ingest/orders_cancelled"),
        ("cancelled, the first that is heard", (), "order_ingest/orders_cancelled"),
        ("refund", SHIPPED, "order_ingest/refunds_create"),
        ("due, left lying", (PAID, wait(minutes=11)), "order_ingest/order_due"),
        ("due, shipped", (*SHIPPED, wait(minutes=20)), "order_ingest/order_due"),
        ("due, supplier silent", (*PLACED, wait(hours=49)), "order_ingest/order_due"),
        ("release", (PAID, "dispatch_submit/give_up"), message("order_ingest/release_hold", "InboxQueue")),
        ("close a task", (*PLACED, wait(hours=49), "order_ingest/order_due"), "order_ingest/close_task"),
        ("dispatch again", (PAID,), "order_ingest/dispatch_again"),
        ("WooCommerce, created", (), "order_ingest/woocommerce_order_created"),
        ("fetch an order with a refund", (woo_refunds,), "order_ingest/fetch_order"),
        ("fetch an order that was deleted", (WOO,), deleted),
        ("download, the second page", (woo_sells,), "order_ingest/download_orders"),
    ),
    *_of("dispatch_plan", ("plan", (PAID,), "dispatch_plan/plan"), ("nothing left", PLACED, "dispatch_plan/plan")),
    *_of(
        "dispatch_submit",
        ("submit", (PAID,), "dispatch_submit/submit"),
        ("submit, again", PLACED, "dispatch_submit/submit"),
        ("submit, stale", (PAID, "order_ingest/orders_updated"), "dispatch_submit/submit"),
        ("give up before the claim", (PAID,), "dispatch_submit/give_up"),
    ),
    *_of(
        "supplier_events",
        ("acknowledged, our answer was lost", (PAID, lost_answer), "supplier_events/acknowledged"),
        ("shipped", PLACED, "supplier_events/shipped"),
        ("shipped, again", SHIPPED, "supplier_events/shipped"),
        ("shipped in two parcels, in one batch", PLACED, two_parcels),
        ("rejected", PLACED, _supplier("rejected", reason="sold out")),
        ("cancelled", PLACED, _supplier("cancelled", reason="damaged in the warehouse")),
    ),
    *_of("tracking_schedule", ("everything", SHIPPED, "tracking_schedule/everything")),
    *_of(
        "tracking_poll",
        ("watch", SHIPPED, "tracking_poll/watch"),
        ("push, five hours later", (*SHIPPED, wait(hours=5)), "tracking_poll/push"),
        ("poll, no news", (*SHIPPED, wait(hours=1)), poll),
        ("poll, in transit", (*SHIPPED, reported("103", "0"), wait(hours=1)), poll),
        ("poll, delivered", (*SHIPPED, reported("103", "0", "3"), wait(hours=1)), poll),
    ),
    *_of("deadline_sweep", ("an order left lying", (PAID, wait(minutes=11)), sweep)),
    *_of(
        "after_sales",
        ("cancel", (*PLACED, "order_ingest/orders_cancelled"), "after_sales/cancel_order"),
        ("check withdrawals", OPENED, "after_sales/check_withdrawals"),
        ("case due", (*OPENED, wait(days=3)), "after_sales/case_due"),
        ("decide", OPENED, "after_sales/decide_case"),
        ("tell", OPENED, "after_sales/tell_case"),
        ("await the outcome", OPENED, "after_sales/await_outcome"),
        ("record the outcome", (*OPENED, "after_sales/decide_case"), "after_sales/record_outcome"),
    ),
    *[
        Scenario("ops_api", name, OPENED if "case" in name else (PAID, "dispatch_submit/give_up"), f"ops_api/{name}")
        for name in events_of("ops_api")
    ],
]
