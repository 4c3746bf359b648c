"""An after-sales case: what a buyer asked after paying, who decides by when, and how it ended."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from dropship.domain.deadlines import Deadlines
from dropship.domain.errors import IllegalTransition
from dropship.domain.exchange.marketplace import AfterSalesKind, AfterSalesRequested, case_id
from dropship.domain.lifecycle import AFTER_SALES_CASE
from dropship.domain.money import Money
from dropship.domain.orders.order import TimelineEntry

Decision = Literal["approve", "refuse"]
# What a person, a partner or the buyer may tell of a case beyond approving and refusing it.
CASE_EVENTS = frozenset(
    {"withdraw", "buyer_shipped", "received", "pass_refund", "fail", "buyer_escalates", "ruled_for_buyer"}
    | {"ruled_for_merchant", "merchant_reopens", "refund_ok", "refund_failed", "retry"}
)


class Case(BaseModel):
    """One refund or return and its way through the lifecycle. Holds no buyer's data beyond their reason."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    shop: str
    id: str
    order: str
    kind: AfterSalesKind
    status: str = AFTER_SALES_CASE.initial
    units: dict[str, int]
    amount: Money | None = None
    reason: str = ""
    opened_at: datetime
    due_at: datetime | None = None
    decided_by: str = ""
    decision: Literal["", "approve", "refuse"] = ""
    words: str = ""
    task_token: str = ""
    timeline: list[TimelineEntry] = []

    @classmethod
    def open(cls, request: AfterSalesRequested, now: datetime, deadlines: Deadlines) -> Self:
        """A new case; its clock is the platform's deadline for our answer."""
        units: dict[str, int] = {}
        for unit in request.units:
            units[unit.line] = units.get(unit.line, 0) + unit.quantity
        case = cls(
            shop=request.shop,
            id=case_id(request.kind, request.id),
            order=request.order,
            kind=request.kind,
            units=units,
            amount=request.amount,
            reason=request.reason[:500],
            opened_at=now,
            due_at=now + deadlines.after_sales,
        )
        case.note(now, "opened")
        return case

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in AFTER_SALES_CASE.terminal

    @property
    def due(self) -> datetime | None:
        """When something has to happen; None once finished."""
        return None if self.finished else self.due_at

    @property
    def attention(self) -> tuple[str, datetime] | None:
        """Why a person is needed, and since when; None where nobody is."""
        waiting = self.status in {"OPEN", "INSPECTING", "DISPUTED", "REFUNDING", "REFUND_FAILED"}
        return (f"CASE_{self.status}", self.opened_at) if waiting else None

    def note(self, now: datetime, what: str, about: str = "") -> None:
        """Add a line to the case's history."""
        self.timeline.append(TimelineEntry(at=now, what=what, about=about))

    def step(self, event: str, now: datetime, deadlines: Deadlines, by: str = "") -> None:
        """Take one step of the lifecycle and set the clock of the new state; `by` is the person who took it.

        A refund case is about money that the marketplace has already moved, so agreeing to it settles it.

        Raises:
            IllegalTransition: the lifecycle has no such step from here.
        """
        self.status = AFTER_SALES_CASE.next(self.status, event)
        self.note(now, event, by)
        if self.status == "REFUNDING" and self.amount is not None:
            self.status = AFTER_SALES_CASE.next(self.status, "refund_ok")
            self.note(now, "refund_ok")
        lengths = {
            "OPEN": deadlines.after_sales,
            "WAIT_BUYER_RETURN": deadlines.buyer_return,
            "RETURN_IN_TRANSIT": deadlines.buyer_return,
            "REJECTED": deadlines.appeal,
        }
        self.due_at = None if self.finished else now + lengths.get(self.status, deadlines.remind)

    def withdrawn_in_time(self, now: datetime, deadlines: Deadlines) -> None:
        """The units never left the supplier, so there is nothing to decide: settle it."""
        if self.status == "OPEN":
            self.step("agree_refund", now, deadlines)
        if self.status == "REFUNDING":
            self.step("refund_ok", now, deadlines)

    def decide(self, decision: Decision, by: str, words: str, now: datetime, deadlines: Deadlines) -> None:
        """A person approves or refuses.

        Raises:
            IllegalTransition: the case is not waiting for this decision.
        """
        if self.status != "OPEN":
            raise IllegalTransition(f"case {self.id} is {self.status} and waits for no decision")
        self.decided_by, self.decision, self.words = by, decision, words[:500]
        agreed = "agree_refund" if self.kind == "refund" else "agree_return"
        self.step(agreed if decision == "approve" else "reject", now, deadlines, by)

    def tell(self, event: str, by: str, now: datetime, deadlines: Deadlines) -> None:
        """Take in what a person reports of the buyer, the goods or the platform's ruling.

        Raises:
            IllegalTransition: not one of `CASE_EVENTS`, or not possible now.
        """
        if event not in CASE_EVENTS:
            raise IllegalTransition(f"'{event}' is not for a person to report")
        self.step(event, now, deadlines, by)

    def overdue(self, now: datetime, deadlines: Deadlines) -> bool:
        """Nobody acted in time: do what the platform would; whether the clock had run out."""
        if self.finished or self.due_at is None or self.due_at > now:
            return False
        silent = {
            "OPEN": "merchant_timeout" if self.kind == "refund" else "merchant_timeout_return",
            "WAIT_BUYER_RETURN": "buyer_timeout",
            "RETURN_IN_TRANSIT": "receipt_timeout",
            "REJECTED": "buyer_timeout",
            "NEGOTIATING": "buyer_timeout",
        }.get(self.status)
        if silent is None:
            self.due_at = now + deadlines.remind
        else:
            self.step(silent, now, deadlines)
        return True
