"""What may happen to deliveries, as a Hypothesis state machine. The same machine tests services and handlers.

Every message, execution and partner's event goes over a wire. There it may be delivered late, out of order, twice,
again after it was done, by workers whose clocks differ, or at the same time as another one.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from dropship.domain.identity import PurchaseOrderId
from dropship.services.messages import DecideCase, ReleaseHold
from tests.faults.invariants import AT_EVERY_STEP, Acknowledged, Asked, Seen, Waiting
from tests.faults.outside import MOODS, MOODS_OF_SHOP, SOLD, Shopfront, Warehouse
from tests.faults.sides import BASE
from tests.faults.wire import SHOPS, SKEW_S, Job, Wire
from tests.faults.world import MAX_RECEIVES
from tests.support.partner_apis import TrackerApi
from tests.support.service_world import NOW

picks = st.integers(0, 30)
WAYS = st.tuples(
    st.integers(0, 3), st.sampled_from(("done", "again")), st.sampled_from((0, -SKEW_S, SKEW_S)), st.sampled_from("=-+")
)
"""How one delivery goes: the number of the ready job; whether it is acknowledged (`done`) or comes again; the error of
the worker's clock in seconds; whether the message is of the same (=), an older (-) or a newer (+) version."""

SCHEDULES = st.lists(st.integers(1, 3), min_size=3, max_size=6).map(
    lambda runs: [bool(turn % 2) for turn, calls in enumerate(runs) for _ in range(calls)]
)
"""Which of two workers runs next: a few calls of one, then a few of the other, in turn. True is the second worker."""


class Deliveries(Wire):
    """Two shops that number their orders alike, two suppliers, a tracker, and one wire for everything."""

    # The beginning

    @initialize(
        begin=st.sampled_from(("fresh", "planned", "planned", "placed", "placed", "shipped")),
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
            self._drain(leave_planned=begin == "planned")
        if begin == "shipped":
            for supplier, reference in self.at_suppliers:
                self._ship(supplier, reference, whole=len(supplier.lines(reference)) > 1)
        for shop in self.shops:
            shop.moods["create"] = list(telling)

    def _shop_says(self, shop: Shopfront, topic: str, what: str) -> None:
        self.acknowledged.append(Acknowledged(what, shop.key))
        self._send("inbox", shop.order(topic))

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
            for hold in loaded.value.holds:
                release = ReleaseHold(order=str(key), reason=hold.kind, by="kim", since=hold.since)
                wanted.append(("inbox", release.model_dump_json()))
        for case in self.world.cases():
            if case.status == "OPEN":
                name, steps = f"{case.shop}#{case.id}", len(case.timeline)
                decided = DecideCase(case=name, decision="approve", by="kim", steps=steps)
                wanted.append(("after-sales", decided.model_dump_json()))
        if wanted:
            self._send(*wanted[pick % len(wanted)])

    # Deliveries

    @precondition(lambda self: self.ready)
    @rule(ways=st.lists(WAYS, min_size=1, max_size=4))
    def deliver(self, ways: list[tuple[int, str, int, str]]) -> None:
        about = [self._deliver(*way) for way in ways if self.ready]
        self.meant = None if None in about else frozenset[str]().union(*(shops or () for shops in about))

    def _deliver(self, pick: int, how: str, skew: int, age: str) -> frozenset[str] | None:
        """Make one delivery. Returns the shops that it was about."""
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

    @precondition(lambda self: len(self.ready) > 1)
    @rule(one=st.integers(0, 5), other=st.integers(0, 5), schedule=SCHEDULES)
    def deliver_two_at_once(self, one: int, other: int, schedule: list[bool]) -> None:
        first = self.ready[one % len(self.ready)]
        rest = [job for job in self.ready if job is not first]
        second = next((job for job in rest if job.shops == first.shops), rest[other % len(rest)])
        self._together(first, second, schedule)

    @precondition(lambda self: self.ready)
    @rule(one=st.integers(0, 5), schedule=SCHEDULES)
    def deliver_twice_at_once(self, one: int, schedule: list[bool]) -> None:
        """The same message again, by a second worker that does not know of the first."""
        placing = [job for job in self.ready if job.steps]
        job = (placing or self.ready)[one % len(placing or self.ready)]
        twin = Job(job.queue, job.body, job.wanted, job.steps and list(job.steps), job.tries, job.not_before)
        self.jobs.append(twin)
        self.fired["duplicate"] += 1
        self._together(job, twin, schedule)

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
        """One delivery in some way, then some more in their order and without a fault."""
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

    # Time

    @rule(minutes=st.sampled_from((2, 2, 12, 60, 60 * 13, 60 * 50)))
    def time_passes(self, minutes: int) -> None:
        self._pass(timedelta(minutes=minutes))

    # What is seen

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "world"):
            return
        type(self).steps += 1
        self._hold(AT_EVERY_STEP)
