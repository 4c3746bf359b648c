"""What may happen to deliveries, as a machine that Hypothesis drives: the same one over services and over handlers.

Every message, execution and partner's event goes over a wire where it is delivered late, out of order, twice, again
after it was done, by workers whose clocks differ, or at the same time as another one.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dropship.domain.deadlines import SWEEP, Deadlines
from dropship.domain.identity import OrderKey, PurchaseOrderId
from dropship.domain.watching import for_dispatch, for_shipment
from dropship.services.messages import DecideCase, ReleaseHold
from tests.faults.invariants import AT_EVERY_STEP, WHEN_QUIET, Acknowledged, Asked, Seen, Waiting, broken
from tests.faults.outside import MOODS, MOODS_OF_SHOP, SOLD, Shopfront, Warehouse
from tests.faults.sides import BASE, Execution, Side
from tests.faults.turns import Turns
from tests.faults.world import MAX_RECEIVES
from tests.unit.services.partners import TrackerApi
from tests.unit.services.world import NOW, seed

AGAIN_S = 100
"""What passes before a message that failed is delivered again: more than any lease."""
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
"""Fields that a message or an input need not have: those of an earlier version did not."""
SHOPS = ("main-shop", "second-shop")
AGES = (seed().shops[0].deadlines.resume, seed().shops[0].deadlines.ship)
"""How old an order is when a sweep looks back at it, in both shops."""
picks = st.integers(0, 30)
WAYS = st.tuples(
    st.integers(0, 3), st.sampled_from(("done", "again")), st.sampled_from((0, -SKEW_S, SKEW_S)), st.sampled_from("=-+")
)
"""How one delivery goes: which of those that are ready, what becomes of its acknowledgement, its clock, its version."""


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
        """Which shops it is about."""
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


class Deliveries(RuleBasedStateMachine):
    """Two shops that number their orders alike, two suppliers, a tracker, and one wire for everything."""

    steps: ClassVar[int] = 0
    histories: ClassVar[int] = 0
    fired: ClassVar[Counter[str]] = Counter()

    @classmethod
    def begin_counting(cls) -> None:
        """Each machine counts for itself."""
        cls.steps, cls.histories, cls.fired = 0, 0, Counter()

    def side(self) -> Side:
        """A new world."""
        raise NotImplementedError

    # The beginning

    @initialize(
        begin=st.sampled_from(("fresh", "fresh", "placed", "placed", "shipped")),
        placing=st.permutations(MOODS["place"]),
        telling=st.lists(st.sampled_from(MOODS_OF_SHOP["create"]), max_size=2),
    )
    def begin(self, begin: str, placing: list[str], telling: list[str]) -> None:
        type(self).histories += 1
        self.world = self.side()
        self.jobs: list[Job] = []
        self.dead: list[Waiting] = []
        self.acknowledged: list[Acknowledged] = []
        self.asked: list[Asked] = []
        self.delivered: list[tuple[str, str]] = []
        self.workers = 0
        self.before: Seen | None = None
        self.meant: frozenset[str] | None = None
        self.base = NOW
        self.suppliers = [Warehouse(name="acme"), Warehouse(name="bolt")]
        self.shops = [Shopfront(name=name, units=dict(SOLD), opened=NOW) for name in SHOPS]
        self.tracker = TrackerApi()
        for partner in (*self.suppliers, *self.shops):
            shop = partner.name if isinstance(partner, Shopfront) else ""
            partner.watched(lambda what, about, shop=shop: self._witness(shop, what, about), self.fired)
            path = f"shopify/{shop}" if shop else BASE[partner.name]
            self.world.http.partner(f"http://partners.test/{path}", partner)
        self.world.http.partner(f"http://partners.test/{BASE['tracker']}", self.tracker)
        for shop in self.shops:
            self._shop_says(shop, "orders/paid", "paid")
        for supplier, mood in zip(self.suppliers, placing, strict=False):
            supplier.moods["place"] = [mood]
        if begin != "fresh":
            self._drain()
        if begin == "shipped":
            for supplier, reference in self.at_suppliers:
                self._ship(supplier, reference, whole=len(supplier.lines(reference)) > 1)
        for shop in self.shops:
            shop.moods["create"] = list(telling)

    def _witness(self, shop: str, operation: str, about: str) -> None:
        """Look whether the stored order says that this request was going to be made."""
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

    def _shop_says(self, shop: Shopfront, topic: str, what: str) -> None:
        self.acknowledged.append(Acknowledged(what, shop.key))
        self._send("inbox", shop.order(topic))

    def _send(self, queue: str, body: str) -> None:
        self.jobs.append(Job(queue, body, not_before=self.base))

    # The marketplace

    @rule(pick=picks)
    def shop_edits(self, pick: int) -> None:
        shop = self.shops[pick % len(self.shops)]
        shop.street += 1
        self._shop_says(shop, "orders/updated", "paid")

    @rule(pick=picks, line=st.sampled_from(sorted(SOLD)), told_first=st.booleans(), really=st.integers(0, 2))
    def shop_refunds(self, pick: int, line: str, told_first: bool, really: int) -> None:
        shop = self.shops[pick % len(self.shops)]
        if really or not shop.fulfillable[line]:
            return
        refund, body = shop.refund(line)
        self.acknowledged.append(Acknowledged("refund", shop.key, f"refund-{refund}"))
        if told_first:
            self._send("inbox", body)
            self._shop_says(shop, "orders/updated", "paid")
        else:
            self._shop_says(shop, "orders/updated", "paid")
            self._send("inbox", body)

    @rule(pick=picks, really=st.integers(0, 3))
    def shop_cancels(self, pick: int, really: int) -> None:
        shop = self.shops[pick % len(self.shops)]
        if really == 0 and not shop.cancelled:
            shop.cancelled = True
            self._shop_says(shop, "orders/cancelled", "cancelled")

    # The suppliers

    @property
    def at_suppliers(self) -> list[tuple[Warehouse, str]]:
        """Purchase orders that a supplier can still do something with."""
        return [(one, reference) for one in self.suppliers for reference in one.able]

    @precondition(lambda self: self.at_suppliers)
    @rule(pick=picks, whole=st.booleans())
    def supplier_ships(self, pick: int, whole: bool) -> None:
        supplier, reference = self.at_suppliers[pick % len(self.at_suppliers)]
        self._ship(supplier, reference, whole=whole)

    def _ship(self, supplier: Warehouse, reference: str, *, whole: bool) -> None:
        body = supplier.ship(reference, whole=whole)
        number = json.loads(json.loads(body)["body"])["data"]["shipment"]["tracking_number"]
        self.acknowledged.append(Acknowledged("shipped", PurchaseOrderId.parse(reference).order, number))
        self.fired["supplier ships in part"] += bool(supplier.left(reference))
        self._send("supplier-events", body)

    @precondition(lambda self: self.at_suppliers)
    @rule(pick=picks, kind=st.sampled_from(("acknowledged", "acknowledged", "rejected", "cancelled")))
    def supplier_speaks(self, pick: int, kind: str) -> None:
        supplier, reference = self.at_suppliers[pick % len(self.at_suppliers)]
        if kind != "acknowledged":
            if supplier.sent.get(reference):
                return
            supplier.over.add(reference)
        self._send("supplier-events", supplier.says(kind, reference, reason="sold out"))

    @rule(pick=picks, operation=st.sampled_from(("place", "place", *MOODS)), mood=picks)
    def supplier_will_misbehave(self, pick: int, operation: str, mood: int) -> None:
        moods = MOODS[operation]
        supplier = self.suppliers[pick % len(self.suppliers)]
        supplier.moods.setdefault(operation, []).append(moods[mood % len(moods)])

    @rule(pick=picks, operation=st.sampled_from(tuple(MOODS_OF_SHOP)), mood=picks)
    def shop_will_misbehave(self, pick: int, operation: str, mood: int) -> None:
        moods = MOODS_OF_SHOP[operation]
        self.shops[pick % len(self.shops)].moods.setdefault(operation, []).append(moods[mood % len(moods)])

    @precondition(lambda self: self.at_suppliers)
    @rule(pick=picks, mind=st.sampled_from(("yes", "no")))
    def supplier_makes_up_its_mind(self, pick: int, mind: Any) -> None:
        self.suppliers[pick % len(self.suppliers)].cancels = mind

    @precondition(lambda self: any(one.late for one in self.suppliers))
    @rule()
    def late_acceptance_arrives(self) -> None:
        for supplier in self.suppliers:
            supplier.catch_up()

    # The carrier, and people

    @precondition(lambda self: any(one.what == "shipped" for one in self.acknowledged))
    @rule(pick=picks, codes=st.sampled_from((("103",), ("103", "0"), ("103", "0", "3"))))
    def carrier_scans(self, pick: int, codes: Sequence[str]) -> None:
        numbers = [one.about for one in self.acknowledged if one.what == "shipped"]
        number = numbers[pick % len(numbers)]
        rows = [
            {"ftime": f"2026-11-21 18:{minute:02}:00", "context": "scan", "statusCode": code, "status": "?"}
            for minute, code in enumerate(codes)
        ]
        known = {"message": "ok", "nu": number, "com": "yuantong", "status": "200", "state": codes[-1], "data": rows}
        self.tracker.reports[number] = known
        self.world.poll()
        self._collect()

    @rule(pick=picks)
    def person_acts(self, pick: int) -> None:
        wanted: list[tuple[str, str]] = []
        for key, loaded in self.world.orders().items():
            reasons = [hold.kind for hold in loaded.value.holds]
            wanted += [("inbox", ReleaseHold(order=str(key), reason=r, by="kim").model_dump_json()) for r in reasons]
        for case in self.world.cases():
            if case.status == "OPEN":
                decided = DecideCase(case=f"{case.shop}#{case.id}", decision="approve", by="kim")
                wanted.append(("after-sales", decided.model_dump_json()))
        if wanted:
            self._send(*wanted[pick % len(wanted)])

    # Deliveries

    @property
    def ready(self) -> list[Job]:
        """What may be worked on now."""
        return [job for job in self.jobs if job.not_before <= self.base]

    @precondition(lambda self: self.ready)
    @rule(ways=st.lists(WAYS, min_size=1, max_size=4))
    def deliver(self, ways: list[tuple[int, str, int, str]]) -> None:
        about = [self._deliver(*way) for way in ways if self.ready]
        self.meant = None if None in about else frozenset[str]().union(*(shops or () for shops in about))

    def _deliver(self, pick: int, how: str, skew: int, age: str) -> frozenset[str] | None:
        """One delivery; the shops it was about."""
        job = self.ready[pick % len(self.ready)]
        self.fired["reordered"] += any(one.queue == job.queue for one in self.jobs[: self.jobs.index(job)])
        self._change_version(job, age)
        self.fired["clock skew"] += bool(skew)
        self.world.clock.time = self.base + timedelta(seconds=skew)
        result = self._attempt(job)
        self.world.clock.time = self.base
        keep = how == "again" and bool(job.queue) and job.tries < MAX_RECEIVES - 2
        self._after(job, result, keep=keep)
        return job.shops

    def _change_version(self, job: Job, age: str) -> None:
        """An older version had no optional field; a newer one has fields that are not known yet."""
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

    @precondition(lambda self: len(self.ready) > 1)
    @rule(one=st.integers(0, 5), other=st.integers(0, 5), schedule=st.lists(st.booleans(), min_size=4, max_size=24))
    def deliver_two_at_once(self, one: int, other: int, schedule: list[bool]) -> None:
        first = self.ready[one % len(self.ready)]
        rest = [job for job in self.ready if job is not first]
        second = next((job for job in rest if job.shops == first.shops), rest[other % len(rest)])
        self._together(first, second, schedule)

    @precondition(lambda self: self.ready)
    @rule(one=st.integers(0, 5), schedule=st.lists(st.booleans(), min_size=4, max_size=24))
    def deliver_twice_at_once(self, one: int, schedule: list[bool]) -> None:
        """The same again, by a worker that does not know of the other one."""
        job = self.ready[one % len(self.ready)]
        twin = Job(job.queue, job.body, job.wanted, job.steps and list(job.steps), job.tries, job.not_before)
        self.jobs.append(twin)
        self.fired["duplicate"] += 1
        self._together(job, twin, schedule)

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

    @precondition(lambda self: self.jobs)
    @rule(pick=picks)
    def duplicate(self, pick: int) -> None:
        job = self.jobs[pick % len(self.jobs)]
        if job.queue:
            self.fired["duplicate"] += 1
            self.jobs.append(Job(job.queue, job.body, not_before=self.base))

    @precondition(lambda self: self.ready)
    @rule(way=WAYS, count=st.integers(1, 8))
    def things_go_on(self, way: tuple[int, str, int, str], count: int) -> None:
        """One delivery in some way, and some more in their order without a fault."""
        self._deliver(*way)
        for _ in range(count):
            if self.ready:
                job = self.ready[0]
                self._after(job, self._attempt(job), keep=False)

    @precondition(lambda self: self.ready)
    @rule(pick=picks, minutes=st.sampled_from((3, 30, 300)))
    def delay(self, pick: int, minutes: int) -> None:
        self.fired["delayed"] += 1
        self.ready[pick % len(self.ready)].not_before = self.base + timedelta(minutes=minutes)

    def _attempt(self, job: Job) -> Any:
        """One try of a job: False or None where it is to come again."""
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
            self.dead.append(Waiting(job.queue, job.body, job.tries))
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

    @rule(minutes=st.sampled_from((2, 2, 12, 60, 60 * 13, 60 * 50)))
    def time_passes(self, minutes: int) -> None:
        self._pass(timedelta(minutes=minutes))

    def _pass(self, length: timedelta) -> None:
        """Time passes, with the sweeps that an order's age asks for, and one at the end."""
        until = self.base + length
        for at in sorted(self._looks() | {until}):
            if self.base < at <= until:
                self.base = self.world.clock.time = at
                if self._has_work(at):
                    self.world.sweep()
                    self._collect()

    def _looks(self) -> set[datetime]:
        """The sweeps that look back at an order."""
        orders = self.world.orders()
        return {_tick_after(loaded.value.created_at + age) for loaded in orders.values() for age in AGES}

    def _has_work(self, at: datetime) -> bool:
        """Whether a sweep at this time has anything to find: most have not, and those are left out."""
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
            waiting=[Waiting(job.queue, job.body, job.tries) for job in self.jobs if job.queue],
            executions=[job.wanted for job in self.jobs if not job.queue],
            dead_letters=self.dead,
            asked=self.asked,
            acknowledged=self.acknowledged,
            max_receives=MAX_RECEIVES,
            before=self.before,
            meant=self.meant,
        )

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "world"):
            return
        type(self).steps += 1
        self._hold(AT_EVERY_STEP)

    def _hold(self, promises: Any) -> None:
        seen = self.seen()
        wrong = broken(seen, promises)
        assert not wrong, "\n".join(wrong)
        seen_without_past = Seen(**(seen.__dict__ | {"before": None}))
        self.before, self.meant = seen_without_past, None

    def teardown(self) -> None:
        """Let everything come to rest, then ask for what is promised of a world at rest."""
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

    def _drain(self) -> None:
        for _ in range(400):
            self._collect()
            if not self.jobs:
                return
            if not self.ready:
                self.base = self.world.clock.time = min(job.not_before for job in self.jobs)
            job = self.ready[0]
            self._after(job, self._attempt(job), keep=False)
        raise AssertionError(f"it does not come to rest: {self.jobs[:3]}")


SHOPS_ORDER = "820982911946154508"


def _tick_after(moment: datetime) -> datetime:
    """The first sweep of the schedule after a moment."""
    seconds = SWEEP.total_seconds()
    return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, moment.tzinfo)


def _deadlines(shop: str) -> Deadlines:
    return next(one.deadlines for one in seed().shops if one.id == shop)
