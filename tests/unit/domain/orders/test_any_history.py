"""Anything may happen to an order, in any sequence, any number of times: the invariants hold after every step."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dropship.domain.deadlines import SWEEP, Moment
from dropship.domain.errors import InvalidMessage, OnHold, Stale
from dropship.domain.exchange.marketplace import case_id
from dropship.domain.exchange.suppliers import Shipment, ShippedLine, SupplierEvent
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.clocks import arm, for_dispatch, for_shipment
from dropship.domain.orders.delivery import record_writeback_refused, record_written_back, track
from dropship.domain.orders.fulfilment import claim, record_placed, record_refused, record_unknown, supplier_says
from dropship.domain.orders.lateness import overdue, stalled
from dropship.domain.orders.snapshots import Snapshot, receive, revise
from dropship.domain.orders.withdrawal import ask, cancel, conclude, to_ask, withdraw
from tests.support.order_examples import DEADLINES, START, dispatched, line, planned, snapshot
from tests.support.order_invariants import check

LINES = ("L1", "L2", "L3")
SECOND = timedelta(seconds=1)
counts = st.integers(1, 3)
picks = st.integers(0, 50)
lines_of_parcel = st.dictionaries(st.sampled_from(LINES), st.integers(1, 2), max_size=2)


class AnyHistory(RuleBasedStateMachine):
    """An order, a marketplace that knows what was sold and refunded, and partners that may say anything."""

    @initialize(
        units=st.lists(counts, min_size=1, max_size=3),
        south=st.sets(st.sampled_from(LINES)),
        begin=st.sampled_from(["received", "placed", "placed"]),
        late=st.booleans(),
    )
    def receive(self, units: list[int], south: set[str], begin: str, late: bool) -> None:
        self.now = START
        self.late = late  # whether look-backs come as late as possible, or at once
        self.sold = dict(zip(LINES, units, strict=False))
        self.south = dict.fromkeys(south, "south")
        self.refunds: dict[str, dict[str, int]] = {}
        self.told: list[str] = []
        self.version = 0
        self.cancelled = False
        self.plans = []
        self.snapshots = [self._snapshot()]
        self.order = receive(Snapshot(self.snapshots[0], "digest", []), Moment(START, DEADLINES))
        if begin == "placed":
            dispatched(self.order, **self.south)

    @property
    def moment(self) -> Moment:
        return Moment(self.now, DEADLINES)

    def _snapshot(self):
        self.version += 1
        left = {key: sold - sum(r.get(key, 0) for r in self.refunds.values()) for key, sold in self.sold.items()}
        lines = [line(key, units) for key, units in left.items()]
        return snapshot(*lines, hours=self.version, refunds=list(self.refunds))

    def _purchase_order(self, pick: int):
        return self.order.purchase_orders[pick % len(self.order.purchase_orders)]

    def _parcel(self, pick: int):
        return self.order.parcels[pick % len(self.order.parcels)]

    # The marketplace

    @rule(line_id=st.sampled_from(LINES), count=counts)
    def marketplace_refunds(self, line_id: str, count: int) -> None:
        left = self.sold.get(line_id, 0) - sum(refund.get(line_id, 0) for refund in self.refunds.values())
        if left:
            self.refunds[f"r{len(self.refunds)}"] = {line_id: min(left, count)}
            self.snapshots.append(self._snapshot())

    @rule()
    def marketplace_touches_the_order(self) -> None:
        self.snapshots.append(self._snapshot())

    @rule(pick=picks, digest=st.sampled_from(["digest", "other"]), missing=st.sampled_from([[], [], ["city"]]))
    def snapshot_arrives(self, pick: int, digest: str, missing: list[str]) -> None:
        revise(self.order, Snapshot(self.snapshots[pick % len(self.snapshots)], digest, missing), self.moment)

    @precondition(lambda self: self.refunds)
    @rule(pick=picks)
    def refund_arrives(self, pick: int) -> None:
        refund = list(self.refunds)[pick % len(self.refunds)]
        self.told.append(refund)
        withdraw(self.order, case_id("refund", refund), self.refunds[refund], self.moment)

    @precondition(lambda self: self.told)
    @rule(pick=picks, outcome=st.sampled_from(["REFUNDED", "CLOSED", "WITHDRAWN"]))
    def case_ends(self, pick: int, outcome: str) -> None:
        conclude(self.order, case_id("refund", self.told[pick % len(self.told)]), outcome, self.moment)

    @rule(really=st.integers(0, 9))
    def whole_order_is_cancelled(self, really: int) -> None:
        if really == 0:
            self.cancelled = True
            cancel(self.order, self.moment)

    # The dispatch

    @precondition(lambda self: self.order.needs_dispatch)
    @rule()
    def dispatch_is_planned(self) -> None:
        self.plans += [(self.order.fence, each) for each in planned(self.order, **self.south)]

    @precondition(lambda self: self.plans)
    @rule(pick=picks)
    def plan_is_claimed(self, pick: int) -> None:
        fence, plan = self.plans[pick % len(self.plans)]
        before, known = self.order.model_copy(deep=True), self.order.find_purchase_order(plan.id)
        try:
            claim(self.order, plan, self.moment, fence=fence)
        except (Stale, OnHold):
            assert self.order == before, "a refused claim leaves the order as it was"
        else:
            assert known or fence == before.fence, "claimed with an old plan"

    @precondition(lambda self: self.order.purchase_orders)
    @rule(pick=picks, answer=st.sampled_from(["placed", "placed", "placed", "refused", "unknown"]))
    def dispatch_is_answered(self, pick: int, answer: str) -> None:
        po = self._purchase_order(pick)
        if answer == "placed":
            record_placed(self.order, po, "REF", self.moment)
        elif answer == "refused":
            record_refused(self.order, po, "no", self.moment)
        else:
            record_unknown(self.order, po, "no answer", self.moment)

    # The suppliers

    @precondition(lambda self: self.order.purchase_orders)
    @rule(
        pick=picks, kind=st.sampled_from(["acknowledged", "acknowledged", "rejected", "cancelled", "cancel_rejected"])
    )
    def supplier_tells(self, pick: int, kind) -> None:
        event = SupplierEvent(kind=kind, purchase_order=self._purchase_order(pick).id, occurred_at=self.now)
        supplier_says(self.order, event, self.moment)

    @precondition(lambda self: self.order.purchase_orders)
    @rule(pick=picks, number=st.sampled_from("ABCDEF"), units=lines_of_parcel, followed=st.booleans())
    def supplier_ships(self, pick: int, number: str, units: dict[str, int], followed: bool) -> None:
        lines = tuple(ShippedLine(line=key, quantity=count) for key, count in units.items())
        shipment = Shipment(carrier="yto", number=number, lines=lines)
        po_id = self._purchase_order(pick).id
        event = SupplierEvent(kind="shipped", purchase_order=po_id, occurred_at=self.now, shipment=shipment)
        try:
            supplier_says(self.order, event, self.moment, followed=followed)
        except InvalidMessage as contradiction:
            self.order.open_task(TaskKind.SUPPLIER_EVENT_REFUSED, self.moment, str(contradiction), po_id)

    @precondition(lambda self: to_ask(self.order))
    @rule(pick=picks)
    def supplier_is_asked_to_cancel(self, pick: int) -> None:
        wanted = to_ask(self.order)
        ask(self.order, wanted[pick % len(wanted)], self.moment)

    # The parcels

    @precondition(lambda self: self.order.parcels)
    @rule(pick=picks, scans=st.lists(st.tuples(st.sampled_from([None, *TrackingStage]), st.integers(-72, 48))))
    def carrier_reports(self, pick: int, scans: list) -> None:
        events = [
            TrackingEvent(at=self.now + timedelta(hours=hours), raw_time="", stage=stage, code="x")
            for stage, hours in scans
        ]
        track(self.order, self._parcel(pick), events, self.moment)

    @precondition(lambda self: self.order.parcels)
    @rule(pick=picks, outcome=st.sampled_from(["BEGUN", "DONE", "DONE", "REFUSED", "DUE"]))
    def parcel_is_written_back(self, pick: int, outcome: str) -> None:
        parcel = self._parcel(pick)
        if not parcel.begin_writeback(self.moment):
            return
        if outcome == "DONE":
            record_written_back(self.order, parcel, "F1", self.moment)
        elif outcome == "REFUSED":
            record_writeback_refused(self.order, parcel, "no", self.moment)
        elif outcome == "DUE":
            parcel.end_writeback("DUE", self.moment)

    # People and time

    @rule(reason=st.sampled_from(HoldReason), add=st.booleans())
    def hold_comes_or_goes(self, reason: HoldReason, add: bool) -> None:
        if add and reason is HoldReason.DISPATCH_FAILED:
            self.order.hold(reason, self.moment, "wait")
        else:
            self.order.release(reason, self.moment)

    @rule(hours=st.sampled_from([0.1, 0.2, 1, 1, 13, 49, 24 * 16]))
    def time_passes(self, hours: float) -> None:
        """Only sweeps act, at each clock and at the look-backs; polls are rules of their own."""
        end = self.now + timedelta(hours=hours)
        while (look := min(self._looks(end), default=end)) < end:
            self.now = look
            overdue(self.order, self.moment)
            arm(self.order, self.moment)
            assert self.order.due is None or self.order.due > self.now, "a clock was left to run out again and again"
        self.now = end

    def _looks(self, end: datetime) -> list[datetime]:
        """The times before `end` at which the sweep would next look at the order."""
        born, found = self.order.created_at, [] if self.order.due is None else [max(self.order.due, self.now)]
        for age, waits in ((DEADLINES.resume, for_dispatch), (DEADLINES.ship, for_shipment)):
            at = born + age + (SWEEP - SECOND if self.late else SECOND)
            if self.now < at and waits(self.order):
                found.append(at)
        return [at for at in found if at < end]

    @precondition(lambda self: self.order.polled_since)
    @rule()
    def parcels_are_visited(self) -> None:
        stalled(self.order, self.moment)

    @precondition(lambda self: self.order.polled_since)
    @rule(pick=picks)
    def a_parcel_is_given_up(self, pick: int) -> None:
        parcel = self._parcel(pick)
        if parcel.followed and not parcel.finished:
            parcel.follow_no_more(self.moment)

    # What holds

    @invariant()
    def everything_adds_up(self) -> None:
        arm(self.order, self.moment)  # as a save does
        check(self.order, self.now, DEADLINES)

    @invariant()
    def refunded_units_are_not_sent_in_silence(self) -> None:
        settled = {case for case in self.refunds if self._outcome(case) == "CANCELLED"}
        for each in self.order.lines:
            taken = sum(self.refunds[case].get(each.id, 0) for case in settled)
            assert each.units.open <= self.sold[each.id] - taken, "a refunded unit is still to be sent"

    @invariant()
    def nothing_is_taken_back_twice(self) -> None:
        for each in [] if self.cancelled else self.order.lines:
            taken = sum(refund.get(each.id, 0) for refund in self.refunds.values())
            assert each.units.open >= self.sold[each.id] - taken, "more was taken back than was refunded"

    @invariant()
    def what_cannot_be_taken_back_needs_somebody(self) -> None:
        for po in self.order.purchase_orders:
            if po.cancel == "REFUSED" and po.shipped and po.status == "SHIPPED" and not self.order.finished:
                assert self.order.attention or self.order.remedies or self.cancelled

    def _outcome(self, refund: str) -> str:
        remedy = self.order.remedy(case_id("refund", refund))
        return remedy.outcome if remedy else "unknown to us"


AnyHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_any_history = AnyHistory.TestCase
