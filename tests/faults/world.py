"""A deployment in this process, its partners and its time; messages are delivered and workflows run by hand."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.sqs.models import sqs_backends
from moto.stepfunctions.models import stepfunctions_backends

from dropship.adapters import session
from dropship.adapters.dynamodb_cases import DynamoCases
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.deadlines import Deadlines
from dropship.domain.exchange.marketplace import MarketplaceOrder
from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import Case
from dropship.ports import HttpResponse, Loaded
from tests.faults.calls import Fault
from tests.faults.process import Ran, run
from tests.support.consumers import BY_QUEUE
from tests.support.deployed import Partners, create_tables, deploy
from tests.support.fakes import FakeClock
from tests.support.lambdas import LOGICAL_IDS, Function, event, failed, load, sqs_batch
from tests.support.partner_apis import SupplierApi
from tests.support.service_world import NOW
from tests.support.template_document import QUEUES

ACCOUNT, REGION = "123456789012", "us-east-1"
MAX_RECEIVES = int(next(iter(QUEUES.values()))["RedrivePolicy"]["maxReceiveCount"])
VISIBILITY_S = {name: float(queue["VisibilityTimeout"]) for name, queue in QUEUES.items()}
TICK = timedelta(minutes=1)
"""The time between two sweeps in this world."""
REST = timedelta(days=4)
"""How long until a story is over: all leases and waits for a retry have passed, and what was due was looked at."""


@dataclass
class StrictSupplier(SupplierApi):
    """A supplier without idempotency: what is placed twice is made twice."""

    made: list[str] = field(default_factory=list)

    def _place(self, body: dict[str, Any]) -> HttpResponse:
        self.made.append(body["reference"])
        return super()._place(body)


@contextmanager
def account() -> Iterator[None]:
    """An empty AWS account in this process."""
    keys = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, kept | keys, clear=True), mock_aws():
        session.reset()
        yield
        session.reset()


@dataclass
class World:
    """Everything: AWS (moto), partners, the clock, and which messages were given up."""

    resources: dict[str, str] = field(default_factory=lambda: deploy(create_tables()))
    partners: Partners = field(default_factory=Partners)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    strict: StrictSupplier = field(default_factory=StrictSupplier)
    dead_letters: list[str] = field(default_factory=list)
    """Bodies of all messages so far that failed in every try."""
    _functions: dict[str, Function] = field(default_factory=dict)
    _executed: set[str] = field(default_factory=set)
    _receives: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.partners.acme = self.strict
        self.partners.http.partner("http://partners.test/suppliers/acme", self.strict)
        for name in LOGICAL_IDS:
            self.function(name)

    def function(self, name: str) -> Function:
        """A function with its real ports, loaded once; only clock and partners are fakes."""
        if name not in self._functions:
            loaded = load(name, self.resources)
            loaded.app.clock, loaded.app.http = self.clock, self.partners.http
            self._functions[name] = loaded
        return self._functions[name]

    def functions(self) -> list[Function]:
        """All functions."""
        return [self.function(name) for name in LOGICAL_IDS]

    def call(self, name: str, what: object) -> Any:
        """Run a function here, without faults; its log goes nowhere."""
        function = self.function(name)
        try:
            with redirect_stdout(io.StringIO()):
                return function(what)
        finally:
            if threads := vars(function.app).pop("threads", None):
                threads.shutdown()  # a process with threads cannot be copied

    def call_apart(self, name: str, what: object, fault: Fault | None) -> Ran:
        """Run a function in a process of its own, with a fault."""
        sys.stdout.flush()
        return run(self.function(name), what, self.partners.http.send, fault)

    def example(self, path: str) -> Any:
        """Run a function with one of its example events; no message of a batch may fail."""
        answer = self.call(path.partition("/")[0], event(path))
        assert "batchItemFailures" not in (answer or {}) or not failed(answer), f"{path} failed: {answer}"
        return answer

    def pass_time(self, seconds: float) -> None:
        """Let time pass. Sweeps that matter to an order in that time run at their scheduled times."""
        until = self.clock.now() + timedelta(seconds=seconds)
        for at in self._sweeps():
            if self.clock.now() < at <= until:
                self.clock.time = at
                self.sweep()
        self.clock.time = until

    def sweep(self) -> None:
        """Run the schedule's sweep once, at this time."""
        at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.call("deadline_sweep", event("deadline_sweep/sweep") | {"time": at})

    def _sweeps(self) -> list[datetime]:
        """The times of the sweeps after a young order should have been dispatched."""
        ready = {order.created_at + Deadlines().resume for order in self.orders() if order.needs_dispatch}
        whole = {at.replace(second=0, microsecond=0) for at in ready}
        return sorted({at + TICK * ticks for at in whole for ticks in (1, 2)})

    def settle(self) -> None:
        """Handle everything that waits: messages, executions, and the clocks of the next hours."""
        self._drain()
        self.pass_time(max(timedelta(), NOW + REST - self.clock.now()).total_seconds())
        self.sweep()
        self.call("tracking_schedule", {"everything": True})
        self._drain()

    def _drain(self) -> None:
        for _ in range(60):
            waiting = [(queue, body) for queue in QUEUES for body in self.drain(queue)]
            started = self.new_executions("FulfilmentWorkflow")
            for queue, body in waiting:
                self._deliver(queue, body)
            for wanted in started:
                self.fulfil(wanted)
            for number, wanted in enumerate(self.new_executions("CaseWorkflow")):
                self.call("after_sales", wanted | {"task_token": f"token-{len(self._executed)}-{number}"})
            if not waiting and not started:
                return
        raise AssertionError("it does not come to rest")

    def _deliver(self, queue: str, body: str) -> None:
        consumer = BY_QUEUE[queue]
        tries = self._receives[body] = self._receives.get(body, 0) + 1
        batch = sqs_batch(body, like=consumer.example, tries=tries)
        if not failed(self.call(consumer.function, batch)):
            del self._receives[body]
        elif tries == MAX_RECEIVES:
            del self._receives[body]
            self.dead_letters.append(body)
        else:
            self.pass_time(100)
            self.put(queue, body)

    def put(self, queue: str, body: str) -> None:
        """Put a message into a queue (again)."""
        session.sqs().send_message(QueueUrl=self.resources[queue], MessageBody=body)

    def drain(self, queue: str) -> list[str]:
        """Take all messages out of a queue, delayed ones too. Returns their bodies."""
        waiting = sqs_backends[ACCOUNT][REGION].queues[self.resources[queue].rsplit("/", 1)[1]]._messages
        bodies = [message.body for message in waiting]
        waiting.clear()
        return bodies

    def executions(self, workflow: str) -> dict[str, dict[str, Any]]:
        """Inputs of all executions of a workflow by name."""
        machine = next(
            machine
            for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines
            if machine.arn == self.resources[workflow]
        )
        return {one.name: json.loads(one.execution_input) for one in machine.executions}

    def new_executions(self, workflow: str) -> list[dict[str, Any]]:
        """Inputs of the executions that were started since the last call."""
        found = {f"{workflow}:{name}": wanted for name, wanted in self.executions(workflow).items()}
        new = [wanted for name, wanted in found.items() if name not in self._executed]
        self._executed |= set(found)
        return new

    def fulfil(self, wanted: dict[str, Any]) -> None:
        """Run `order_fulfilment` by hand: plan, then submit each purchase order. What always fails goes to a person."""
        planned = self._retrying("dispatch_plan", wanted)
        if planned is None:
            self.call("dispatch_submit", {"order": wanted["order"], "error": {"Error": "Unavailable"}})
            return
        for one in planned["purchase_orders"]:
            step = one | {"worker": f"worker-{len(self._executed)}"}
            if self._retrying("dispatch_submit", step) is None:
                self.call("dispatch_submit", step | {"error": {"Error": "SupplierBusy"}})

    def _retrying(self, name: str, what: object) -> Any:
        for _ in range(4):
            try:
                return self.call(name, what)
            except Exception:  # noqa: BLE001 - the workflow retries whatever it is
                self.pass_time(2)
        return None

    def orders(self) -> list[Order]:
        """Every order as it is stored."""
        return [loaded.value for loaded in self.loaded().values()]

    def loaded(self) -> dict[OrderKey, Loaded[Order]]:
        """Every order by key, with the version that is stored."""
        found = {key: self._orders.load(key) for key in self._keys("OrdersTable", "O#")}
        return {key: loaded for key, loaded in found.items() if loaded}

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """What the marketplace last told us about an order."""
        return self._orders.source(key)

    def cases(self) -> list[Case]:
        """Every case as it is stored."""
        store = DynamoCases(ItemTable(self.resources["CasesTable"]))
        return [loaded.value for key in self._keys("CasesTable", "C#") if (loaded := store.load(*key))]

    @property
    def _orders(self) -> DynamoOrders:
        return DynamoOrders(ItemTable(self.resources["OrdersTable"]))

    def _keys(self, table: str, family: str) -> list[OrderKey]:
        """Keys of the stored items; a case is named like an order, by shop and id."""
        items = session.dynamodb().scan(TableName=self.resources[table])["Items"]
        return [
            OrderKey.parse(item["pk"]["S"].removeprefix(family))
            for item in items
            if item["sk"]["S"] == "STATE" and item["pk"]["S"].startswith(family)
        ]
