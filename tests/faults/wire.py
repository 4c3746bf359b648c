"""The wire between two shops, two suppliers, a tracker and a world: what is under way on it, and how it is tried.

`deliveries` says what may go wrong with deliveries, and when.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from dropship.domain.deadlines import SWEEP, Deadlines
from dropship.domain.identity import OrderKey, PurchaseOrderId
from dropship.domain.orders.clocks import for_dispatch, for_shipment
from tests.faults.invariants import WHEN_QUIET, Asked, Seen, Waiting, broken
from tests.faults.outside import SOLD
from tests.faults.sides import Execution, Side
from tests.faults.turns import Turns
from tests.faults.world import MAX_RECEIVES
from tests.support.service_world import NOW, seed

AGAIN_S = 100
"""How long it takes until a failed message is delivered again: longer than any lease."""
TRIES_OF_A_STEP = 4
SKEW_S = 600
REST = timedelta(days=4)
KINDS = (
    "duplicate", "reordered", "delayed", "acknowledgement dropped", "interleaved call by call", "clock skew",
    "message of an older version", "message of a newer version", "supplier ships in part",
    "partner did it and answered 500", "partner did it and the answer was lost", "supplier accepts late",
    "supplier refuses", "partner is busy",
)  # fmt: skip
OPTIONAL = {"body_base64", "words", "unrouted"}
"""Fields that a message or an input may lack, because earlier versions did not have them."""
SHOPS = ("main-shop", "second-shop")
AGES = (seed().shops[0].deadlines.resume, seed().shops[0].deadlines.ship)
"""The ages of an order at which a sweep looks back at it, in both shops."""


@dataclass(eq=False)
class Job:
    """A message under way (`queue`), or an execution that is open."""

    queue: str = ""
    body: str = ""
    wanted: Execution = field(default_factory=dict)
    steps: list[Execution] | None = None
    tries: int = 0
    not_before: datetime = NOW
    worker: str = ""

    @property
    def shops(self) -> frozenset[str] | None:
        """The shops it is about; None where it does not say."""
        return _shops_of(self.wanted or json.loads(self.body))


def _shops_of(wanted: Mapping[str, Any]) -> frozenset[str] | None:
    if wanted.get("channel") == "shopify":
        return frozenset({str(wanted["connection"])})
    if wanted.get("channel") == "supplier-v1":
        return frozenset({PurchaseOrderId.parse(json.loads(wanted["body"])["data"]["reference"]).order.shop})
    if "request" in wanted:
        return frozenset({str(wanted["request"]["shop"])})
    names = [*wanted.get("orders", ()), *(str(wanted[name]) for name in ("order", "case") if name in wanted)]
    return frozenset(name.partition("#")[0] for name in names) if names else None


SHOPS_ORDER = "820982911946154508"


def _tick_after(moment: datetime) -> datetime:
    """The first sweep of the schedule after a moment."""
    seconds = SWEEP.total_seconds()
    return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, moment.tzinfo)


def _deadlines(shop: str) -> Deadlines:
    return next(one.deadlines for one in seed().shops if one.id == shop)


class Wire(RuleBasedStateMachine):
    """Messages and executions under way, their tries, the passing of time, and the picture that promises check."""

    steps: ClassVar[int] = 0
    histories: ClassVar[int] = 0
    fired: ClassVar[Counter[str]] = Counter()

    @classmethod
    def begin_counting(cls) -> None:
        """Set the counts of this machine to zero."""
        cls.steps, cls.histories, cls.fired = 0, 0, Counter()

    def side(self) -> Side:
        """A new world."""
        raise NotImplementedError

    def _send(self, queue: str, body: str) -> None:
        self.jobs.append(Job(queue, body, not_before=self.base))

    def _witness(self, shop: str, operation: str, about: str) -> None:
        """Record a request, and whether the stored order had announced it."""
        if operation not in {"place", "cancel", "create"}:
            return
        with self.world.turns.aside():
            loaded = self.world.order(OrderKey(shop, SHOPS_ORDER) if shop else PurchaseOrderId.parse(about).order)
        order = loaded and loaded.value
        if order is None:
            intended = False
        elif operation == "create":
            intended = any(one.number == about and one.writeback != "DUE" for one in order.parcels)
        else:
            po = order.find_purchase_order(about)
            intended = po is not None and (operation == "place" or bool(po.cancel) or po.status != "ACKED")
        self.asked.append(Asked(operation, about, intended))

    # Deliveries

    @property
    def ready(self) -> list[Job]:
        """The jobs that may be worked on now."""
        return [job for job in self.jobs if job.not_before <= self.base]

    def _change_version(self, job: Job, age: str) -> None:
        """Make it a message of another version: an older one lacks optional fields, a newer one has an extra field."""
        if age == "=" or (not job.queue and job.steps is not None):
            return
        known = job.wanted or json.loads(job.body)
        if age == "-":
            changed = {name: value for name, value in known.items() if name not in OPTIONAL}
        else:
            changed = known | {"since_tomorrow": "x"}
        if changed != known:
            self.fired["message of an older version" if age == "-" else "message of a newer version"] += 1
            job.wanted, job.body = (changed, "") if job.wanted else ({}, json.dumps(changed))

    def _together(self, first: Job, second: Job, schedule: list[bool]) -> None:
        turns = self.world.turns = Turns()
        self.meant = None if None in {first.shops, second.shops} else (first.shops or set()) | (second.shops or set())
        results = turns.run([lambda: self._attempt(first), lambda: self._attempt(second)], schedule)
        self.world.turns = Turns()
        self.fired["interleaved call by call"] += turns.switches
        for job, result in zip((first, second), results, strict=True):
            if isinstance(result, BaseException):
                raise result
            self._after(job, result, keep=False)

    def _attempt(self, job: Job) -> Any:
        """Try a job once. Returns False or None where it has to come again."""
        if job.queue:
            return self.world.deliver(job.queue, job.body, job.tries + 1)
        if "case" in job.wanted:
            return self.world.case_step(job.wanted | {"task_token": f"token-{job.wanted['case']}"})
        if job.steps is None:
            return self.world.plan(job.wanted)
        if not job.worker:
            self.workers += 1
            job.worker = f"worker-{self.workers}"
        return self.world.submit(job.steps[0] | {"worker": job.worker}) if job.steps else True

    def _after(self, job: Job, result: Any, *, keep: bool) -> None:
        job.tries += 1
        if job.queue:
            self._after_message(job, done=bool(result), keep=keep)
        else:
            self._after_step(job, result)
        self._collect()

    def _after_message(self, job: Job, *, done: bool, keep: bool) -> None:
        if done:
            self.delivered.append((job.queue, job.body))
            self.fired["acknowledgement dropped"] += keep
            if not keep:
                self.jobs.remove(job)
        elif job.tries == MAX_RECEIVES:
            self.jobs.remove(job)
            self.dead.append(Waiting(job.queue, job.body, job.tries, job.shops))
        else:
            job.not_before = self.base + timedelta(seconds=AGAIN_S)

    def _after_step(self, job: Job, result: Any) -> None:
        if result:
            job.tries = 0
            if job.steps is None and "case" not in job.wanted:
                job.steps = list(result["purchase_orders"])
            else:
                job.steps = (job.steps or [])[1:]
            if not job.steps:
                self.jobs.remove(job)
        elif job.tries < TRIES_OF_A_STEP:
            job.not_before = self.base + timedelta(seconds=AGAIN_S)
        elif "case" not in job.wanted:
            step = job.steps[0] if job.steps else {"order": job.wanted["order"]}
            assert self.world.submit(step | {"error": {"Error": "SupplierBusy"}}), "giving up failed"
            job.steps = (job.steps or [])[1:]
            if not job.steps:
                self.jobs.remove(job)

    def _collect(self) -> None:
        self.jobs += [Job(queue, body, not_before=self.base) for queue, body in self.world.sent()]
        self.jobs += [Job(wanted=wanted, not_before=self.base) for wanted in self.world.started()]

    # Time

    def _pass(self, length: timedelta) -> None:
        """Let time pass, with the sweeps that look back at an order, and one sweep at the end."""
        until = self.base + length
        for at in sorted(self._looks() | {until}):
            if self.base < at <= until:
                self.base = self.world.clock.time = at
                if self._has_work(at):
                    self.world.sweep()
                    self._collect()

    def _looks(self) -> set[datetime]:
        """The times of the sweeps that look back at an order."""
        orders = self.world.orders()
        return {_tick_after(loaded.value.created_at + age) for loaded in orders.values() for age in AGES}

    def _has_work(self, at: datetime) -> bool:
        """Whether a sweep at this time has anything to find. Most have not, and are left out."""
        orders = [loaded.value for loaded in self.world.orders().values()]
        waiting = (order for order in orders for age in AGES if _tick_after(order.created_at + age) == at)
        if any(for_dispatch(order) or for_shipment(order) for order in waiting):
            return True
        return any(one.due is not None and one.due <= at for one in (*orders, *self.world.cases()))

    # What is seen

    def seen(self) -> Seen:
        orders = self.world.orders()
        sent: dict[OrderKey, Counter[str]] = {}
        for supplier in self.suppliers:
            for reference in supplier.open:
                if reference not in supplier.over:
                    at = sent.setdefault(PurchaseOrderId.parse(reference).order, Counter())
                    at.update(supplier.lines(reference))
        return Seen(
            now=self.base,
            deadlines=_deadlines,
            orders=orders,
            cases={(case.shop, case.id): case for case in self.world.cases()},
            sources={key: self.world.source(key) for key in orders},
            placed=Counter(made for one in self.suppliers for made in one.made),
            told=Counter((one.name, number) for one in self.shops for number in one.told),
            sold={one.key: SOLD for one in self.shops},
            sent=sent,
            saves=self.world.saves,
            waiting=[Waiting(job.queue, job.body, job.tries, job.shops) for job in self.jobs if job.queue],
            executions=[job.wanted for job in self.jobs if not job.queue],
            dead_letters=self.dead,
            asked=self.asked,
            acknowledged=self.acknowledged,
            max_receives=MAX_RECEIVES,
            before=self.before,
            meant=self.meant,
        )

    def _hold(self, promises: Any) -> None:
        seen = self.seen()
        wrong = broken(seen, promises)
        assert not wrong, "\n".join(wrong)
        seen_without_past = Seen(**(seen.__dict__ | {"before": None}))
        self.before, self.meant = seen_without_past, None

    def teardown(self) -> None:
        """Let everything come to rest, then check the promises for a world at rest."""
        if not hasattr(self, "world"):
            return
        try:
            self._rest()
            self._hold(WHEN_QUIET)
        finally:
            self.world.close()

    def _rest(self) -> None:
        self.meant = None
        for partner in (*self.suppliers, *self.shops):
            partner.moods.clear()
            partner.catch_up()
        self._drain()
        for part in (timedelta(hours=1), timedelta(days=2), REST):
            self._pass(part)
            self.world.poll()
            self._drain()
        again, self.dead = self.dead, []
        self.jobs += [Job(one.queue, one.body, not_before=self.base) for one in again]
        self._drain()

    def _drain(self, *, leave_planned: bool = False) -> None:
        """Deliver everything in its order. With `leave_planned`, planned purchase orders are not submitted."""
        for _ in range(400):
            self._collect()
            jobs = [job for job in self.jobs if not (leave_planned and job.steps)]
            if not jobs:
                return
            if not any(job.not_before <= self.base for job in jobs):
                self.base = self.world.clock.time = min(job.not_before for job in jobs)
            job = next(job for job in jobs if job.not_before <= self.base)
            self._after(job, self._attempt(job), keep=False)
        raise AssertionError(f"it does not come to rest: {self.jobs[:3]}")
