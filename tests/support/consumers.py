"""The consumers of queues, each declared once, with what the template cannot say. The rest is read from the template.

A new consumer is one row here; every test folder that tests consumers iterates over the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from tests.support.lambdas import LOGICAL_IDS, event
from tests.support.template_document import QUEUES, events, target

Stage = Literal["new", "placed", "shipped"]
"""How far the example order is: it is not known yet, a supplier has it, its parcel is under way."""

REACHED_BY: Mapping[Stage, tuple[str, ...]] = {
    "new": (),
    "placed": ("order_ingest/orders_paid", "dispatch_submit/submit"),
    "shipped": ("order_ingest/orders_paid", "dispatch_submit/submit", "supplier_events/shipped"),
}
"""The example events that bring the order to a stage, one after the other."""


@dataclass(frozen=True)
class Consumer:
    """A function that takes the messages of one queue.

    `good` is its example event (`events/<function>/<good>.json`), whose message can be handled once the order is at the
    stage `after`. What the function may do is written here by hand, so that a new permission is a decision: tables it
    `changes` and others it `reads` (logical ids), queues it `sends` to (as services name them).
    """

    function: str
    good: str
    after: Stage
    changes: tuple[str, ...] = ("OrdersTable",)
    reads: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    calls_partners: bool = False
    in_turn: bool = False
    """Whether its messages wait for partners one after the other; such a function takes few messages at a time."""

    @property
    def example(self) -> str:
        """The good example as a path below `events/`."""
        return f"{self.function}/{self.good}"

    @property
    def body(self) -> str:
        """The message of the good example."""
        return str(event(self.example)["Records"][0]["body"])

    @property
    def logical_id(self) -> str:
        """The function in the template."""
        return LOGICAL_IDS[self.function]

    @cached_property
    def source(self) -> dict[str, Any]:
        """Its event source in the template."""
        (source,) = events(self.logical_id, "SQS")
        return source

    @cached_property
    def queue(self) -> str:
        """The logical id of its queue."""
        return target(self.source["Queue"])

    @property
    def queue_name(self) -> str:
        """Its queue as services name it, e.g. `supplier-events`."""
        return target(QUEUES[self.queue]["QueueName"]).removeprefix("${AWS::StackName}-")


CONSUMERS = (
    Consumer(
        "order_ingest",
        good="orders_paid",
        after="new",
        sends=("inbox", "outbound", "after-sales"),
        calls_partners=True,
    ),
    Consumer("supplier_events", good="acknowledged", after="placed", sends=("tracking", "outbound", "after-sales")),
    Consumer("tracking_poll", good="push", after="shipped", sends=("outbound",), calls_partners=True, in_turn=True),
    Consumer("shipment_writeback", good="parcel", after="shipped", calls_partners=True),
    Consumer(
        "after_sales",
        good="open_case",
        after="shipped",
        changes=("OrdersTable", "CasesTable"),
        calls_partners=True,
        in_turn=True,
    ),
)
BY_FUNCTION: Mapping[str, Consumer] = {one.function: one for one in CONSUMERS}
BY_QUEUE: Mapping[str, Consumer] = {one.queue: one for one in CONSUMERS}
"""The consumers by the logical id of their queue."""
