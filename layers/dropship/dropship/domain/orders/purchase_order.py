"""A purchase order: what one supplier was asked to ship, and how far it got. Only it sets its status and clock."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.suppliers import PurchaseLine
from dropship.domain.fact import Fact
from dropship.domain.identity import PurchaseOrderId
from dropship.domain.part import Part

from .attention import WORDS, TaskKind
from .lifecycles import PURCHASE_ORDER, PurchaseOrderStatus, PurchaseOrderStep

OPEN_AT_SUPPLIER: frozenset[PurchaseOrderStatus] = frozenset(
    {"DISPATCHED", "PARTIALLY_ACKED", "ACKED", "CANCEL_REQUESTED", "PARTIALLY_SHIPPED"}
)
IN_DISPATCH: frozenset[PurchaseOrderStatus] = frozenset({"DRAFT", "DISPATCHING", "DISPATCH_UNKNOWN"})
CANCELLABLE: frozenset[PurchaseOrderStatus] = frozenset({"DISPATCHED", "PARTIALLY_ACKED", "ACKED"})
# The steps with which it ends if the supplier will not ship it, or will not ship the rest.
_WAY_OUT: dict[PurchaseOrderStatus, tuple[PurchaseOrderStep, ...]] = {
    "DISPATCHED": ("rejected",),
    "PARTIALLY_ACKED": ("cancel_requested", "cancel_accepted"),
    "ACKED": ("cancel_requested", "cancel_accepted"),
    "CANCEL_REQUESTED": ("cancel_accepted",),
    "PARTIALLY_SHIPPED": ("short_closed",),
}

CancelWish = Literal["", "WANTED", "REFUSED"]
"""Whether we want it back. Empty: no. WANTED: yes.

REFUSED: yes, but the supplier ships it anyway, or it is too late to ask.
"""


class PlannedPurchaseOrder(Fact):
    """A purchase order that has to be placed. It has no personal data, because it passes through the workflow."""

    id: str
    lines: tuple[PurchaseLine, ...]


class PurchaseOrder(Part):
    """One purchase order of an order. Its lines never change after the claim, so a repeat sends the same request."""

    id: str
    lines: list[PurchaseLine]
    status: PurchaseOrderStatus = PURCHASE_ORDER.initial
    claimed_at: datetime
    supplier_reference: str = ""
    due_at: datetime | None = None
    shipped: dict[str, int] = {}
    cancel: CancelWish = ""
    reason: str = ""
    answer_promised: bool = Field(default=False, description="the supplier will answer our cancellation later")
    never_placed: bool = Field(default=False, description="given up as unknown to the supplier")
    worker: str = Field(default="", description="who is placing it at this moment")
    lease_until: datetime | None = None

    @classmethod
    def claimed(cls, planned: PlannedPurchaseOrder, moment: Moment, *, looked_at: bool) -> Self:
        """A new purchase order, about to be placed. It has its own clock unless it is `looked_at` without one."""
        due_at = None if looked_at else moment.after(moment.deadlines.resume)
        purchase_order = cls(id=planned.id, lines=list(planned.lines), claimed_at=moment.now, due_at=due_at)
        purchase_order.step("dispatch_claimed")
        return purchase_order

    @property
    def supplier(self) -> str:
        """The supplier's id."""
        return PurchaseOrderId.parse(self.id).supplier

    @property
    def in_dispatch(self) -> bool:
        """Whether it is not known yet if the supplier has it."""
        return self.status in IN_DISPATCH

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.status in PURCHASE_ORDER.terminal

    @property
    def closed_short(self) -> bool:
        """Whether it ended with some of its units shipped, because the supplier called off the rest."""
        return self.status == "SHIPPED" and any(self.shipped.get(line.line, 0) < line.quantity for line in self.lines)

    @property
    def remaining(self) -> dict[str, int]:
        """Units by order line that still have to be shipped; none once it is closed or SHIPPED, even if incomplete."""
        if self.status == "SHIPPED" or self.closed:
            return {}
        owed = {line.line: line.quantity - self.shipped.get(line.line, 0) for line in self.lines}
        return {line: units for line, units in owed.items() if units}

    def step(self, step: PurchaseOrderStep) -> None:
        """Take one step of the lifecycle; raises IllegalTransition if the table does not have it."""
        self.status = PURCHASE_ORDER.next(self.status, step)

    # ---- Placing

    def lease_to(self, worker: str, moment: Moment) -> bool:
        """Let this worker place it; False while another worker's request may be under way."""
        if self.lease_until is not None and moment.now < self.lease_until and self.worker != worker:
            return False
        self.worker, self.lease_until = worker, moment.after(moment.deadlines.dispatch_lease)
        return True

    def end_lease(self) -> None:
        """The try to place it is over, with any outcome."""
        self.worker, self.lease_until = "", None

    def accept(self, supplier_reference: str, moment: Moment) -> None:
        """The supplier has it: its answer, our look-up or one of its events says so."""
        if self.status == "DISPATCHING":
            self.step("supplier_accepted_request")
        elif self.status == "DISPATCH_UNKNOWN":
            self.step("lookup_found")
        self.learn_reference(supplier_reference)
        self.due_at = moment.after(moment.deadlines.acknowledge)
        self.end_lease()

    def learn_reference(self, supplier_reference: str) -> None:
        """Keep the supplier's own number for it; an empty one is ignored."""
        self.supplier_reference = supplier_reference or self.supplier_reference

    def doubt(self, why: str, moment: Moment) -> None:
        """It is not known whether the supplier has it: it has to be looked up before anything else is done."""
        if self.status == "DISPATCHING":
            self.step("outcome_unknown")
        self.reason = why[:WORDS]
        self.try_again_later(moment)
        self.end_lease()

    def drop(self, why: str) -> None:
        """The supplier certainly does not have it: close it, so that its units can be routed again."""
        self.step("definite_failure" if self.status == "DISPATCHING" else "lookup_absent")
        self.step("cancel")
        self.never_placed = True
        self.end_lease()
        self._end(why)

    def acknowledge(self, moment: Moment, *, looked_at: bool) -> None:
        """The supplier will ship it. It gets its own clock unless it is `looked_at` in time without one."""
        self.step("ack_all")
        self.due_at = None if looked_at else self.claimed_at + moment.deadlines.ship

    def ship(self, units: dict[str, int], moment: Moment) -> None:
        """Count shipped units; the caller has checked that they do not exceed `remaining`."""
        for line, quantity in units.items():
            self.shipped[line] = self.shipped.get(line, 0) + quantity
        complete = not self.remaining
        if self.status in {"DISPATCHED", "PARTIALLY_ACKED"}:
            self.step("shipped_without_ack" if self.status == "DISPATCHED" else "qty_shipped")
        if self.status == "PARTIALLY_SHIPPED":
            if complete:
                self.step("all_shipped")
        else:
            self.step("all_shipped" if complete else "qty_shipped")
        self.due_at = None if complete else moment.after(moment.deadlines.ship)

    # ---- Cancelling

    def want_back(self) -> bool:
        """Nothing that is left of it is wanted any more. Returns whether that is new.

        It is marked WANTED if the supplier can still be asked to cancel it, REFUSED if it is too late.
        """
        wish: CancelWish = "WANTED" if self.within_recall else "REFUSED"
        news = self.cancel != wish
        self.cancel = wish
        return news

    @property
    def within_recall(self) -> bool:
        """Whether its supplier can still be asked to cancel all of it."""
        return not self.shipped and self.cancel != "REFUSED"

    def ask_cancellation(self, moment: Moment) -> bool:
        """The supplier is being asked to cancel; False if it was asked before. It is asked again until it answers."""
        if self.status not in CANCELLABLE:
            return False
        self.step("cancel_requested")
        self.try_again_later(moment)
        return True

    def promise_answer(self, moment: Moment) -> None:
        """The supplier will answer the cancellation with an event; the clock for that answer starts now."""
        if self.status == "CANCEL_REQUESTED" and not self.answer_promised:
            self.answer_promised = True
            self.due_at = moment.after(moment.deadlines.cancel)

    def refuse_cancellation(self, moment: Moment) -> None:
        """The supplier said that it ships it although we asked to cancel."""
        self.step("cancel_rejected")
        self.cancel = "REFUSED"
        self.due_at = moment.after(moment.deadlines.ship)

    def give_up_cancellation(self) -> None:
        """It was shipped although we asked to cancel."""
        self.cancel = "REFUSED"

    @property
    def can_be_called_off(self) -> bool:
        """Whether it can still end because the supplier will not ship it, or will not ship the rest."""
        return self.status in _WAY_OUT

    def call_off(self, reason: str) -> None:
        """The supplier will not ship it, or will not ship the rest: end it."""
        for step in _WAY_OUT[self.status]:
            self.step(step)
        self._end(reason)

    def _end(self, why: str) -> None:
        self.reason, self.due_at = why[:WORDS], None

    # ---- Clocks

    def try_again_later(self, moment: Moment) -> None:
        """Set the clock after which the current work on it is started again."""
        self.due_at = moment.after(moment.deadlines.resume)

    def run_clock_to(self, due_at: datetime) -> None:
        """Give it its own clock, because nothing else looks at it any more."""
        self.due_at = due_at

    def miss_deadline(self, moment: Moment) -> TaskKind:
        """The supplier missed a deadline. Returns the kind of task for it; a person is reminded until it is solved."""
        kind = TaskKind.ACKNOWLEDGE_LATE if self.status == "DISPATCHED" else TaskKind.SHIP_LATE
        if self.status == "CANCEL_REQUESTED":
            kind = TaskKind.CANCEL_LATE
            self.step("cancel_timeout")
            self.cancel = "REFUSED"
        self.due_at = moment.after(moment.deadlines.remind)
        return kind
