"""Orders along the happy path of the real template: webhooks, schedules at their time, partners from the sandbox."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from dropship.domain.deadlines import SWEEP, Deadlines
from tests.e2e.world import World
from tools.cost.bill import SCHEDULED
from tools.cost.record import Record, read_record
from tools.local.emulator import call_record
from tools.local.sandbox import examples
from tools.local.sandbox.client import Sandbox
from tools.local.stack import Stack
from tools.stack_name import STACK_NAME

SHOP = "main-shop"
SUPPLIER = "acme"
AT_ONCE = 4
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Way:
    """How partners behave: whether the supplier acknowledges in its answer, whether the tracker pushes."""

    name: str
    acknowledged_in_answer: bool = True
    pushed: bool = False
    scans_between: bool = False
    """Whether every poll but the first brings a new scan; else there is none between "on the road" and "signed for"."""

    @property
    def carrier(self) -> tuple[str, str]:
        """The supplier's name of the carrier, and the tracker's."""
        return ("JD", "jd") if self.pushed else ("YTO", "yuantong")

    @property
    def reports(self) -> list[list[str]]:
        """The new scans of each report: six polls, of which the first brings nothing, or two pushes."""
        first, last = ["103", "1002"], ["301"]  # picked up, on the road; signed for
        if self.pushed:
            return [first, last]
        return [[], first, *([["1002"] if self.scans_between else []] * 3), last]


HAPPY = Way("happy path")
VARIANTS = (
    Way("supplier acknowledges by event", acknowledged_in_answer=False),
    Way("tracker pushes", pushed=True),
    Way("supplier acknowledges by event, tracker pushes", acknowledged_in_answer=False, pushed=True),
    Way("every poll brings a new scan", scans_between=True),
)


class Unhappy(Exception):
    """An order did not follow the happy path; the message says which order, and how far it came."""


@dataclass
class Life:
    """The calls made for some orders, by the stage of their life."""

    orders: int
    names: set[str] = field(default_factory=set)
    """The ids of the orders and the numbers of their parcels."""
    stages: dict[str, Record] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        """All of it."""
        return sum(self.stages.values(), Record())


@dataclass
class Drive:
    """Drives orders through a running stack. `watch` is called at the end of each stage with its name."""

    stack: Stack
    watch: Callable[[str], object] = field(default=lambda _stage: None)

    @property
    def sandbox(self) -> Sandbox:
        """The partners."""
        return Sandbox(self.stack.sandbox_url)

    @cached_property
    def world(self) -> World:
        """The stack seen from outside."""
        return World(self.stack)

    @cached_property
    def file(self) -> Path:
        """The file in which the emulator records what AWS would bill."""
        return call_record(Path(self.stack.directory))

    def run(self, count: int, path: Way = HAPPY) -> Life:
        """Take `count` orders from the webhook to delivered and written back. Returns all calls made for them.

        Raises:
            Unhappy: one of them is not delivered at the end, or its shop does not know of its parcel.
        """
        orders, began = [one_line_order() for _ in range(count)], datetime.now(UTC)
        life = Life(count, {str(order["id"]) for order in orders})
        self.sandbox.behave(SUPPLIER, acknowledge_in_answer=path.acknowledged_in_answer)
        with self._stage(life, "dispatch"):
            self.place(orders)
        received = datetime.now(UTC)
        if not path.acknowledged_in_answer:
            with self._stage(life, "acknowledge"):
                _each(lambda one: self.sandbox.acknowledge(SUPPLIER, one), self._references(orders))
        with self._stage(life, "look back at resume"):
            self._look_back(Deadlines().resume, began, received)
        with self._stage(life, "ship"):
            numbers = self._ship(orders, path)
            life.names |= set(numbers)
        with self._stage(life, "look back at ship"):
            self._look_back(Deadlines().ship, began, received)
        for turn, codes in enumerate(path.reports):
            with self._stage(life, f"report {turn}"):
                self._report(numbers, path, codes)
        self._check(orders)
        return life

    def place(self, orders: Sequence[dict[str, Any]]) -> tuple[float, float]:
        """Send the webhooks of some orders. Returns seconds until all are accepted, and until the supplier has them."""
        began = time.monotonic()
        _each(lambda order: self.sandbox.send_order(SHOP, order), orders)
        accepted = time.monotonic()
        self._until(lambda: len(self._references(orders)) == len(orders), "placed")
        return accepted - began, time.monotonic() - began

    def slow_partners(self, seconds: float) -> None:
        """Let every partner take this long to answer: only then one can see how many are asked at the same time."""
        for partner in (f"shopify:{SHOP}", f"supplier:{SUPPLIER}", "kuaidi100"):
            self.sandbox.fault(partner, "delay", times=None, seconds=seconds)

    def round(self, name: str = "round") -> Record:
        """Run one round of polls alone. Returns what was recorded."""
        life = Life(0)
        with self._stage(life, name):
            self.invoke("tracking-schedule", {"everything": True, "bench": "round"})
        return life.record

    @contextmanager
    def _stage(self, life: Life, name: str) -> Iterator[None]:
        begin = self.file.stat().st_size
        yield
        self._quiet()
        record = read_record(self.file, begin, self.file.stat().st_size).without("ops-api")
        life.stages[name] = record.of_orders(life.names, *SCHEDULED) if life.names else record
        self.watch(name)

    def _quiet(self) -> None:
        """Wait until nothing is under way: no message is left, and nothing was recorded for a while."""
        size, since, deadline = -1, time.monotonic(), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            now = self.file.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > 0.6 and not self._depth():
                return
            time.sleep(0.1)
        raise Unhappy(f"The stack did not come to rest within {PATIENCE_S:.0f} s.")

    def invoke(self, function: str, event: dict[str, Any]) -> None:
        """Run a scheduled function as its schedule would."""
        answer = self.stack.client("lambda").invoke(
            FunctionName=f"{STACK_NAME}-{function}", Payload=json.dumps(event).encode()
        )
        if "FunctionError" in answer:
            raise Unhappy(f"{function}: {answer['Payload'].read().decode()}")

    def _depth(self) -> int:
        sqs = self.stack.client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        urls = [url for name, url in self.stack.queues.items() if name.endswith("QueueUrl")]
        depths = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        return sum(int(count) for depth in depths for count in depth.values())

    def _references(self, orders: Sequence[dict[str, Any]]) -> list[str]:
        wanted = {str(order["id"]) for order in orders}
        held = (one["reference"] for one in self.sandbox.supplier_orders(SUPPLIER))
        return [reference for reference in held if reference.split(".")[1] in wanted]

    def _look_back(self, length: timedelta, first: datetime, last: datetime) -> None:
        """Run the sweeps for the time when orders received between two moments are `length` old."""
        moment = datetime.fromtimestamp(first.timestamp() // SWEEP.total_seconds() * SWEEP.total_seconds(), UTC)
        while moment < last:
            moment += SWEEP
            self.invoke("deadline-sweep", {"time": (moment + length).isoformat(), "bench": "look-back"})

    def _ship(self, orders: Sequence[dict[str, Any]], path: Way) -> list[str]:
        numbers = {reference: f"YT{time.time_ns()}{place}" for place, reference in enumerate(self._references(orders))}
        _each(
            lambda one: self.sandbox.ship(SUPPLIER, one, carrier=path.carrier[0], tracking_number=numbers[one]), numbers
        )
        return list(numbers.values())

    def _report(self, numbers: Sequence[str], path: Way, codes: Sequence[str]) -> None:
        """The carrier scans each parcel. Then the tracker pushes, or we ask."""
        scan = self.sandbox.scan
        if codes:
            _each(lambda number: scan(number, path.carrier[1], codes, push=path.pushed), numbers)
        if not path.pushed:
            self.invoke("tracking-schedule", {"everything": True, "bench": "round"})

    def _check(self, orders: Sequence[dict[str, Any]]) -> None:
        for order in orders:
            seen = self.world.order(order, SHOP)
            notes = [] if seen is None else [entry["what"] for entry in seen["timeline"]]
            if seen is None or seen["status"] != "DELIVERED" or not self.sandbox.fulfillments(SHOP, str(order["id"])):
                raise Unhappy(f"Order {order['id']} is {seen and seen['status']}; so far: {', '.join(notes)}.")

    def _until(self, reached: Callable[[], bool], step: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > deadline:
                raise Unhappy(f"Not every order was {step} within {PATIENCE_S:.0f} s.")
            time.sleep(0.1)


def one_line_order() -> dict[str, Any]:
    """A new paid order of one line, sold by one supplier."""
    order = examples.paid_order()
    line = next(line for line in order["line_items"] if line["sku"] == "IPOD2008PINK")
    return order | {"line_items": [line]}


def _each(act: Callable[[Any], object], things: Iterable[Any]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(act, things):
            if isinstance(done, list) and any(status != 200 for status in done):
                raise Unhappy(f"Our front door answered {done}.")
