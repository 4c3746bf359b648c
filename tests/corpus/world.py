"""The world that bad input comes into: orders of others beside the example order, and everything said is heard."""

import gc
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dropship.adapters import session
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import Case
from tests.corpus.cases import State
from tests.corpus.known_secrets import put_secrets
from tests.faults.world import MAX_RECEIVES, World, account
from tests.support.consumers import BY_QUEUE, REACHED_BY, Stage
from tests.support.lambdas import event, failed, sqs_batch
from tests.support.service_world import CASE, GREEN, KEY, PINK, WAYBILL
from tests.support.template_document import QUEUES
from tools.stored_items import opened

PLACED_NEIGHBOUR, SHIPPED_NEIGHBOUR, NEXT_ORDER = "700000000000000001", "700000000000000002", "700000000000000003"
NEIGHBOUR_WAYBILL = "YT7000000000002"
BATCH = 10

_STEPS: dict[State, tuple[str, ...]] = {
    **REACHED_BY,
    "told": (*REACHED_BY["shipped"], "shipment_writeback/parcel", "tracking_poll/watch"),
    "refunded": (*REACHED_BY["shipped"], "after_sales/open_case"),
    "held": ("order_ingest/orders_paid", "dispatch_submit/give_up"),
}
# Whom a message is about that can be done: it comes in the same batch as the bad one.
_OTHERS: dict[Stage, str] = {"new": NEXT_ORDER, "placed": PLACED_NEIGHBOUR, "shipped": SHIPPED_NEIGHBOUR}


class Message(NamedTuple):
    """A message on its way to its consumer."""

    queue: str
    body: str
    tries: int = 1


@dataclass
class Watched(World):
    """A world whose log is kept, and whose messages come in batches until each is done or given up."""

    log: io.StringIO = field(default_factory=io.StringIO)
    set_aside: Counter[str] = field(default_factory=Counter)
    """Deliveries of every message that was given up, by its body."""
    _seen: tuple[list[Order], list[Case]] | None = None

    def call(self, name: str, what: object) -> Any:
        """Run a function; what it prints is kept."""
        with redirect_stdout(self.log):
            return self.function(name)(what)

    def deliver(self, *first: Message) -> None:
        """Deliver these messages in one batch for each queue, then all that follows from them."""
        waiting, rounds = list(first), 0
        while waiting:
            rounds += 1
            assert rounds < 60, "it does not come to rest"
            again = [message for queue in QUEUES for message in self._batch(queue, waiting)]
            self._run_workflows()
            waiting = again + [Message(queue, body) for queue in QUEUES for body in self.drain(queue)]
            if again:
                self.clock.advance(seconds=100)

    def _batch(self, queue: str, waiting: list[Message]) -> list[Message]:
        """Deliver what waits for a queue; what has to come again."""
        messages = [message for message in waiting if message.queue == queue]
        again = []
        for start in range(0, len(messages), BATCH):
            chunk = messages[start : start + BATCH]
            one = BY_QUEUE[queue]
            records = [sqs_batch(body, like=one.example, tries=tries)["Records"][0] for _, body, tries in chunk]
            numbered = [record | {"messageId": f"m{number}"} for number, record in enumerate(records)]
            lost = {int(name[1:]) for name in failed(self.call(one.function, {"Records": numbered}))}
            for number in sorted(lost):
                message = chunk[number]
                if message.tries == MAX_RECEIVES:
                    self.set_aside[message.body] = message.tries
                else:
                    again.append(message._replace(tries=message.tries + 1))
        return again

    def _run_workflows(self) -> None:
        for wanted in self.new_executions("FulfilmentWorkflow"):
            self.fulfil(wanted)
        for number, wanted in enumerate(self.new_executions("CaseWorkflow")):
            self.call("after_sales", wanted | {"task_token": f"token-{number}"})

    def stand_still(self) -> None:
        """Nothing happens any more: aggregates are read once, however often they are looked at."""
        self._seen = super().orders(), super().cases()

    def orders(self) -> list[Order]:
        """Every order as it is stored."""
        return self._seen[0] if self._seen else super().orders()

    def cases(self) -> list[Case]:
        """Every case as it is stored."""
        return self._seen[1] if self._seen else super().cases()

    def waiting(self) -> list[str]:
        """Queues that hold messages."""
        return [queue for queue in QUEUES if self.drain(queue)]

    def items(self) -> dict[str, str]:
        """Every stored item, as text, by its key."""
        found = {}
        for table in ("OrdersTable", "CasesTable", "RegistryTable"):
            for item in session.dynamodb().scan(TableName=self.resources[table])["Items"]:
                found[f"{table} {item['pk']['S']} {item['sk']['S']}"] = json.dumps(opened(item), ensure_ascii=False)
        return found


def example(path: str, order: str = KEY.external_id) -> dict[str, Any]:
    """An example event about another order of the same shop."""
    text = json.dumps(event(path)).replace(KEY.external_id, order)
    if order != KEY.external_id:
        text = text.replace(WAYBILL.number, NEIGHBOUR_WAYBILL).replace(CASE.rpartition("-")[2], "700000000000000009")
    return dict(json.loads(text))


def good_message(queue: str) -> Message:
    """What can be done, to be delivered beside the bad message."""
    consumer = BY_QUEUE[queue]
    return Message(queue, example(consumer.example, _OTHERS[consumer.after])["Records"][0]["body"])


@contextmanager
def prepared(state: State) -> Iterator[Watched]:
    """A world with two orders of others, and the example order as far as `state` says. Run cases in copies of it."""
    with account():
        world = Watched()
        world.partners.shop.units = {PINK: 9, GREEN: 9}  # for it does not tell one order's lines from another's
        put_secrets()
        for order, steps in (
            (PLACED_NEIGHBOUR, _STEPS["placed"]),
            (SHIPPED_NEIGHBOUR, _STEPS["shipped"]),
            (KEY.external_id, _STEPS[state]),
        ):
            for path in steps:
                answer = world.call(path.partition("/")[0], example(path, order))
                assert "batchItemFailures" not in (answer or {}) or not failed(answer), f"{path}: {answer}"
        for queue in QUEUES:
            world.drain(queue)
        for workflow in ("FulfilmentWorkflow", "CaseWorkflow"):
            world.new_executions(workflow)
        world.log = io.StringIO()
        gc.collect()
        gc.freeze()  # so that no copy of this process has its memory copied by collecting
        try:
            yield world
        finally:
            gc.unfreeze()
