"""An after-sales case: what a buyer asked for after paying, who decides by when, and how it ended."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, Self, get_args

from dropship.domain.attention import Attention, AttentionKind, Reason, Urgency
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.errors import IllegalTransition
from dropship.domain.exchange.marketplace import AfterSalesKind, AfterSalesRequested, case_id
from dropship.domain.fact import Fact
from dropship.domain.money import Money
from dropship.domain.orders.ledger import RemedyOutcome
from dropship.domain.part import Part

from .lifecycle import AFTER_SALES_CASE, CaseStatus, CaseStep

Decision = Literal["approve", "refuse"]
ReportedStep = Literal[
    "withdraw",
    "buyer_shipped",
    "received",
    "pass_refund",
    "fail",
    "buyer_escalates",
    "ruled_for_buyer",
    "ruled_for_merchant",
    "merchant_reopens",
    "refund_ok",
    "refund_failed",
    "retry",
]
"""What a person may report about a case, besides approving and refusing it."""
REPORTED_STEPS: frozenset[ReportedStep] = frozenset(get_args(ReportedStep))


def reported_step(word: str) -> ReportedStep | None:
    """The step of that name, if it is one that a person may report."""
    return next((step for step in REPORTED_STEPS if step == word), None)


_URGENCY: Mapping[CaseStatus, Urgency] = {
    "OPEN": Urgency.DEADLINE,
    "INSPECTING": Urgency.GOODS,
    "DISPUTED": Urgency.DEADLINE,
    "REFUNDING": Urgency.MONEY,
    "REFUND_FAILED": Urgency.MONEY,
}
"""The statuses in which a case waits for a person of ours, and how soon one has to look."""
_OUTCOMES: dict[CaseStatus, RemedyOutcome] = {
    "CLOSED": "CLOSED",
    "COMPLETED": "COMPLETED",
    "REFUNDED": "REFUNDED",
    "WITHDRAWN": "WITHDRAWN",
}


def case_kind(status: CaseStatus) -> AttentionKind:
    """The name of a case with that status in the list of what needs a person."""
    return AttentionKind(f"CASE_{status}")


CASE_KINDS = tuple(map(case_kind, _URGENCY))
"""All names that a case can have in that list."""


class CaseEvent(Fact):
    """Something happened to the case; `by` is the person who did or reported it, empty if no person did."""

    at: datetime
    kind: Literal["opened"] | CaseStep
    by: str = ""


class Case(Part):
    """One refund or return and its way through the lifecycle. Its only buyer's data is the buyer's reason."""

    shop: str
    id: str
    order: str
    kind: AfterSalesKind
    status: CaseStatus = AFTER_SALES_CASE.initial
    units: dict[str, int]
    amount: Money | None = None
    reason: str = ""
    opened_at: datetime
    due_at: datetime | None = None
    due_for: CaseStatus | Literal[""] = ""
    decided_by: str = ""
    decision: Literal["", "approve", "refuse"] = ""
    words: str = ""
    task_token: str = ""
    timeline: list[CaseEvent] = []

    @classmethod
    def open(cls, request: AfterSalesRequested, moment: Moment) -> Self:
        """A new case."""
        units: dict[str, int] = {}
        for unit in request.units:
            units[unit.line] = units.get(unit.line, 0) + unit.quantity
        return cls(
            shop=request.shop,
            id=case_id(request.kind, request.id),
            order=request.order,
            kind=request.kind,
            units=units,
            amount=request.amount,
            reason=request.reason[:500],
            opened_at=moment.now,
            timeline=[CaseEvent(at=moment.now, kind="opened")],
        )

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in AFTER_SALES_CASE.terminal

    @property
    def outcome(self) -> RemedyOutcome:
        """How it ended, for the order's remedy ledger; empty if it has not ended."""
        return _OUTCOMES.get(self.status, "")

    @property
    def due(self) -> datetime | None:
        """When its clock runs out; None if no clock runs, or it is finished."""
        return None if self.finished else self.due_at

    @property
    def attention(self) -> Attention | None:
        """Why a person is needed, since its latest step; None if no person is needed."""
        urgency = _URGENCY.get(self.status)
        if urgency is None:
            return None
        return Attention.of([Reason(case_kind(self.status), urgency, self.timeline[-1].at)])

    def remember_workflow(self, task_token: str) -> None:
        """Keep the token that answers the workflow, which waits for the end of the case."""
        self.task_token = task_token

    def step(self, step: CaseStep, moment: Moment, by: str = "") -> None:
        """Take one step of the lifecycle; `by` is the person who took it.

        If the case has an amount, the marketplace has already moved the money, so agreeing to the refund completes it.

        Raises:
            IllegalTransition: the lifecycle has no such step from here.
        """
        self._take_step(step, moment, by)
        if self.status == "REFUNDING" and self.amount is not None:
            self._take_step("refund_ok", moment)

    def _take_step(self, step: CaseStep, moment: Moment, by: str = "") -> None:
        self.status = AFTER_SALES_CASE.next(self.status, step)
        self.timeline.append(CaseEvent(at=moment.now, kind=step, by=by))

    def arm(self, moment: Moment) -> None:
        """Set the clock of its status. Called in one place only: where the case is saved.

        While the status stays the same, the clock keeps its time, even after it has run out. `overdue` stops such a
        clock before this sets a new one.
        """
        if self.finished:
            self.due_for, self.due_at = "", None
        elif self.due_for != self.status or self.due_at is None:
            self.due_for, self.due_at = self.status, moment.after(_length(self.status, moment.deadlines))

    def withdrawn_in_time(self, moment: Moment) -> None:
        """The units never left the supplier, so there is nothing to decide: complete the refund."""
        if self.status == "OPEN":
            self.step("agree_refund", moment)
        if self.status == "REFUNDING":
            self.step("refund_ok", moment)

    def decide(self, decision: Decision, by: str, words: str, moment: Moment) -> None:
        """A person approves or refuses.

        Raises:
            IllegalTransition: the case is not waiting for this decision.
        """
        if self.status != "OPEN":
            raise IllegalTransition(f"case {self.id} is {self.status} and waits for no decision")
        self.decided_by, self.decision, self.words = by, decision, words[:500]
        agreed: CaseStep = "agree_refund" if self.kind == "refund" else "agree_return"
        self.step(agreed if decision == "approve" else "reject", moment, by)

    def tell(self, step: ReportedStep, by: str, moment: Moment) -> None:
        """Take in what a person reports about the buyer, the goods or the platform's ruling.

        Raises:
            IllegalTransition: the step is not possible now.
        """
        self.step(step, moment, by)

    def overdue(self, moment: Moment) -> None:
        """If the clock has run out, do what the platform does if nobody acts."""
        if self.finished or self.due_at is None or self.due_at > moment.now:
            return
        silent = self._step_of_silence()
        if silent is None:
            self.due_at = None  # a person is reminded; `arm` sets a new clock
        else:
            self.step(silent, moment)

    def _step_of_silence(self) -> CaseStep | None:
        """The step if nobody acted before the clock ran out; None if a person still has to act."""
        if self.status == "OPEN":
            return "merchant_timeout" if self.kind == "refund" else "merchant_timeout_return"
        if self.status == "RETURN_IN_TRANSIT":
            return "receipt_timeout"
        if self.status in {"WAIT_BUYER_RETURN", "REJECTED", "NEGOTIATING"}:
            return "buyer_timeout"
        return None


def _length(status: CaseStatus, deadlines: Deadlines) -> timedelta:
    if status == "OPEN":
        return deadlines.after_sales
    if status in {"WAIT_BUYER_RETURN", "RETURN_IN_TRANSIT"}:
        return deadlines.buyer_return
    return deadlines.appeal if status == "REJECTED" else deadlines.remind
