"""The two worlds in which deliveries are made: the services with their fakes, and the real handlers with moto."""

import io
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from typing import Any, Protocol

from moto.dynamodb.models import dynamodb_backends
from moto.stepfunctions.models import stepfunctions_backends

from dropship.domain.exchange.marketplace import MarketplaceOrder
from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.domain.orders.unrouted import Unrouted
from dropship.domain.remedies.case import Case
from dropship.ports import HttpResponse, Loaded, Unavailable
from dropship.services.parcels.polls import PollRound
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from dropship.services.sweep import Sweep
from tests.faults import process
from tests.faults.calls import Call, Line
from tests.faults.process import Ran
from tests.faults.turns import Turns
from tests.faults.world import ACCOUNT, REGION
from tests.faults.world import World as Deployment
from tests.support.consumers import CONSUMERS
from tests.support.fakes import FakeClock, FakeHttp
from tests.support.lambdas import Context, _only, failed, sqs_batch
from tests.support.service_world import NOW, World
from tests.support.template_document import QUEUES

BASE = {"acme": "suppliers/acme", "bolt": "suppliers/bolt", "tracker": "kuaidi100"}
CONSUMER_OF = {one.queue_name: one for one in CONSUMERS}
Execution = dict[str, Any]


class Side(Protocol):
    """What the machine needs from a world. Queues have the names that services use."""

    clock: FakeClock
    http: FakeHttp
    turns: Turns
    saves: dict[OrderKey, list[int]]
    """The versions in which each order was saved, one after the other."""

    def deliver(self, queue: str, body: str, tries: int) -> bool:
        """Give a message to its worker. Returns whether it is done."""

    def plan(self, wanted: Execution) -> dict[str, Any] | None:
        """The first step of an execution of `order_fulfilment`. Returns None where it failed."""

    def submit(self, step: Execution) -> bool:
        """The second step of an execution of `order_fulfilment`. Returns whether it is done."""

    def case_step(self, step: Execution) -> bool:
        """A step of an execution of `after_sales_case`. Returns whether it is done."""

    def sent(self) -> list[tuple[str, str]]:
        """Messages that were sent since the last call, each with its queue."""

    def started(self) -> list[Execution]:
        """Inputs of the executions that were started since the last call."""

    def sweep(self) -> None:
        """One run of the schedule's sweep, now."""

    def poll(self) -> None:
        """Poll all parcels."""

    def order(self, key: OrderKey) -> Loaded[Order] | None:
        """An order as it is stored."""

    def orders(self) -> dict[OrderKey, Loaded[Order]]:
        """All orders."""

    def cases(self) -> list[Case]:
        """All cases."""

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """What the marketplace last told us about an order."""

    def close(self) -> None:
        """End this world."""


class Gate:
    """A port. A worker stops before each of its calls, as before every outgoing call."""

    def __init__(self, side: Any, port: Any) -> None:
        self._side, self._port = side, port

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)

        def call(*given: object, **named: object) -> Any:
            self._side.turns.gate()
            return real(*given, **named)

        return call if callable(real) else real


class ServiceSide:
    """The services and their fakes. A worker's unexpected error makes the test fail."""

    def __init__(self) -> None:
        self.world = World()
        self.clock, self.http, self.turns = self.world.clock, self.world.http, Turns()
        secrets = self.world.secrets.known
        secrets["api/shopify/second-shop"] = secrets["api/shopify/main-shop"]
        self.world.fuse = self  # type: ignore[assignment] # it is asked for ports as a fuse is
        self._known: set[str] = set()
        self.saves: dict[OrderKey, list[int]] = defaultdict(list)
        self._save, self.world.orders.save = self.world.orders.save, self._saved  # type: ignore[method-assign] # seen

    def _saved(self, order: Order, version: int) -> int:
        stored = self._save(order, version)
        self.saves[order.key].append(stored)
        return stored

    def close(self) -> None:
        """Nothing needs to be cleaned up."""

    def watch(self, _name: str, port: object) -> Any:
        """A port as services see it."""
        return Gate(self, port)

    def deliver(self, queue: str, body: str, tries: int) -> bool:  # noqa: ARG002 - for the batch of the other side
        return self._try(lambda: self.world.take(queue, body)) is not None

    @staticmethod
    def _try(work: Callable[[], object]) -> object:
        try:
            return work() or True
        except (Unavailable, SupplierBusy, OutcomeUnknown):
            return None

    def plan(self, wanted: Execution) -> dict[str, Any] | None:
        known = wanted.get("unrouted")
        unrouted = Unrouted.model_validate(known) if known else None
        found = self._try(lambda: self.world.planning.plan(OrderKey.parse(wanted["order"]), unrouted))
        if found is None:
            return None
        fence, planned = found  # type: ignore[misc] # a pair
        rows = [
            {"order": wanted["order"], "fence": fence, "purchase_order": one.model_dump(mode="json")} for one in planned
        ]
        return {"purchase_orders": rows}

    def submit(self, step: Execution) -> bool:
        key, wanted = OrderKey.parse(step["order"]), step.get("purchase_order")
        submission = self.world.submission
        if "error" in step:
            return bool(self._try(lambda: submission.give_up(key, wanted["id"] if wanted else "", "SupplierBusy")))
        planned = PlannedPurchaseOrder.model_validate(wanted)
        return bool(self._try(lambda: submission.submit(key, step["fence"], planned, step["worker"])))

    def case_step(self, step: Execution) -> bool:
        after_sales = self.world.after_sales
        if "task_token" in step:
            return bool(self._try(lambda: after_sales.await_outcome(step["case"], step["task_token"])))
        return bool(self._try(lambda: after_sales.record(step["case"])))

    def sent(self) -> list[tuple[str, str]]:
        found = [(message.queue, message.body) for message in self.world.queues.sent]
        self.world.queues.sent.clear()
        return found

    def started(self) -> list[Execution]:
        flows = self.world.workflows
        found: dict[str, Execution] = {}
        for name, wanted in flows.fulfilments.items():
            unrouted = flows.unrouted[name]
            known = {} if unrouted is None else {"unrouted": unrouted.model_dump(mode="json")}
            found[name] = {**wanted, **known}
        found |= {f"case {case}": {"case": case} for case in flows.cases}
        new = [wanted for name, wanted in found.items() if name not in self._known]
        self._known |= set(found)
        return new

    def sweep(self) -> None:
        world = self.world
        Sweep(world.orders, world.cases, world.registry, world.queues, world.clock).run(world.clock.now())

    def poll(self) -> None:
        PollRound(self.world.orders, self.world.queues, self.world.clock).run(everything=True)

    def order(self, key: OrderKey) -> Loaded[Order] | None:
        return self.world.orders.load(key, fresh=True)

    def orders(self) -> dict[OrderKey, Loaded[Order]]:
        found = {order.key: self.order(order.key) for order in self.world.orders.all()}
        return {key: loaded for key, loaded in found.items() if loaded}

    def cases(self) -> list[Case]:
        return list(self.world.cases.all())

    def source(self, key: OrderKey) -> MarketplaceOrder:
        return self.world.orders.source(key)


class HandlerSide:
    """The handlers as they are deployed, with moto, which is emptied for each history."""

    def __init__(self, world: Deployment) -> None:
        self.world, self.turns = world, Turns()
        self.saves: dict[OrderKey, list[int]] = defaultdict(list)
        self.clock, self.http = world.clock, world.partners.http
        self.clock.time = NOW
        self._read: dict[tuple[OrderKey, str], tuple[Loaded[Order], MarketplaceOrder]] = {}
        self._cases: tuple[str, list[Case]] = ("", [])
        for table in ("OrdersTable", "CasesTable"):
            dynamodb_backends[ACCOUNT][REGION].tables[table].items.clear()
        for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
            machine.executions.clear()
        for queue in QUEUES:
            world.drain(queue)
        world._executed.clear()
        gated = Gate(self, self.http)
        for function in world.functions():
            function.app.http = gated
            function.app.logger.setLevel("CRITICAL")
        self._until_closed = ExitStack()  # two workers at once share one environment: only the service's name differs
        together = {name: text for function in world.functions() for name, text in function.environment.items()}
        self._until_closed.enter_context(_only(together))
        self._until_closed.enter_context(redirect_stdout(io.StringIO()))
        process._line = Line(self._ask, lambda _how: None)

    def close(self) -> None:
        """Let calls go directly to moto again."""
        process._line = None
        self._until_closed.close()

    def _ask(self, call: Call, *parameters: object) -> Any:
        self.turns.gate()
        answer = process._perform(call, list(parameters), _nobody, Ran())
        if call.what == "dynamodb:PutItem" and answer.status == 200:
            request = json.loads(str(parameters[3], "utf-8") if isinstance(parameters[3], bytes) else parameters[3])
            item = request["Item"]
            if request["TableName"] == "OrdersTable" and item["sk"]["S"] == "STATE":
                key = OrderKey.parse(item["pk"]["S"].removeprefix("O#"))
                self.saves[key].append(int(item["version"]["N"]))
        return answer

    def _call(self, name: str, what: object) -> Any:
        function = self.world.function(name)
        return json.loads(json.dumps(function.module.handler(json.loads(json.dumps(what)), Context())))

    def deliver(self, queue: str, body: str, tries: int) -> bool:
        consumer = CONSUMER_OF[queue]
        return not failed(self._call(consumer.function, sqs_batch(body, like=consumer.example, tries=tries)))

    def _try(self, name: str, what: object) -> Any:
        try:
            return self._call(name, what)
        except (Unavailable, SupplierBusy, OutcomeUnknown):
            return None

    def plan(self, wanted: Execution) -> dict[str, Any] | None:
        planned: dict[str, Any] | None = self._try("dispatch_plan", wanted)
        return planned

    def submit(self, step: Execution) -> bool:
        return self._try("dispatch_submit", step) is not None

    def case_step(self, step: Execution) -> bool:
        return self._try("after_sales", step) is not None

    def sent(self) -> list[tuple[str, str]]:
        return [(one.queue_name, body) for one in CONSUMERS for body in self.world.drain(one.queue)]

    def started(self) -> list[Execution]:
        names = ("FulfilmentWorkflow", "CaseWorkflow")
        return [wanted for workflow in names for wanted in self.world.new_executions(workflow)]

    def sweep(self) -> None:
        self._call("deadline_sweep", {"time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")})

    def poll(self) -> None:
        self._call("tracking_schedule", {"everything": True})

    def order(self, key: OrderKey) -> Loaded[Order] | None:
        return self.world._orders.load(key, fresh=True)

    def orders(self) -> dict[OrderKey, Loaded[Order]]:
        return {key: loaded for (key, _), (loaded, _) in self._current().items()}

    def source(self, key: OrderKey) -> MarketplaceOrder:
        return next(source for (known, _), (_, source) in self._current().items() if known == key)

    def _current(self) -> dict[tuple[OrderKey, str], tuple[Loaded[Order], MarketplaceOrder]]:
        """All orders and sources. What has not changed since the last call is not read again."""
        stored: dict[tuple[OrderKey, str], Any] = {}
        for name, items in dynamodb_backends[ACCOUNT][REGION].tables["OrdersTable"].items.items():
            if name.value.startswith("O#"):
                known = str([item.to_json() for item in items.values()])
                stored[OrderKey.parse(name.value.removeprefix("O#")), known] = None
        for key, known in stored:
            if (key, known) not in self._read:
                loaded = self.order(key)
                assert loaded is not None
                self._read[key, known] = (loaded, self.world.source(key))
        self._read = {name: self._read[name] for name in stored}
        return self._read

    def cases(self) -> list[Case]:
        known = str([item.to_json() for item in _items("CasesTable")])
        if known != self._cases[0]:
            self._cases = (known, self.world.cases())
        return self._cases[1]


def _items(table: str) -> list[Any]:
    found = dynamodb_backends[ACCOUNT][REGION].tables[table].items
    return [item for items in found.values() for item in items.values()]


def _nobody(*_: object) -> HttpResponse:
    raise AssertionError("partners are not called this way")
