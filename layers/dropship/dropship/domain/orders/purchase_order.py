"""A purchase order: what one supplier was asked to ship, and how far it got."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from dropship.domain.deadlines import Deadlines
from dropship.domain.exchange.suppliers import PurchaseLine
from dropship.domain.fact import Fact
from dropship.domain.identity import PurchaseOrderId
from dropship.domain.lifecycle import PURCHASE_ORDER
from dropship.domain.stored import Stored

OPEN_AT_SUPPLIER = frozenset({"DISPATCHED", "PARTIALLY_ACKED", "ACKED", "CANCEL_REQUESTED", "PARTIALLY_SHIPPED"})
IN_DISPATCH = frozenset({"DRAFT", "DISPATCHING", "DISPATCH_UNKNOWN"})
# Partners' words are kept up to this length: the order is one item of limited size.
WORDS = 300
CANCELLABLE = frozenset({"DISPATCHED", "PARTIALLY_ACKED", "ACKED"})


class PurchaseOrder(Stored):
    """One purchase order of an order. Its lines never change after the claim: a repeat sends the same words."""

    id: str
    lines: list[PurchaseLine]
    status: str = PURCHASE_ORDER.initial
    claimed_at: datetime
    supplier_reference: str = ""
    due_at: datetime | None = None
    shipped: dict[str, int] = {}
    cancel: Literal["", "WANTED", "REFUSED"] = ""
    reason: str = ""
    answer_promised: bool = Field(default=False, description="the supplier will answer our cancellation later")
    never_placed: bool = Field(default=False, description="given up as unknown to the supplier")
    worker: str = Field(default="", description="who is placing it at this moment")
    lease_until: datetime | None = None

    @property
    def supplier(self) -> str:
        """The supplier's id."""
        return PurchaseOrderId.parse(self.id).supplier

    @property
    def remaining(self) -> dict[str, int]:
        """Units by order line that this purchase order still owes; none once it is closed or shipped, even in short."""
        if self.status == "SHIPPED" or self.status in PURCHASE_ORDER.terminal:
            return {}
        owed = {line.line: line.quantity - self.shipped.get(line.line, 0) for line in self.lines}
        return {line: units for line, units in owed.items() if units}

    def apply(self, event: str) -> None:
        """Take one step of the lifecycle; IllegalTransition where the table has none."""
        self.status = PURCHASE_ORDER.next(self.status, event)

    def lease_to(self, worker: str, now: datetime, deadlines: Deadlines) -> bool:
        """Take the placing for this worker; False while another is at it, whose request may be under way."""
        if self.lease_until is not None and now < self.lease_until and self.worker != worker:
            return False
        self.worker, self.lease_until = worker, now + deadlines.dispatch_lease
        return True

    def end_lease(self) -> None:
        """The try to place it is over, whatever came of it."""
        self.worker, self.lease_until = "", None

    def accepted(self, supplier_reference: str, now: datetime, deadlines: Deadlines) -> None:
        """The supplier has it: by its answer, by our look-up, or because it speaks of it."""
        if self.status == "DISPATCHING":
            self.apply("supplier_accepted_request")
        elif self.status == "DISPATCH_UNKNOWN":
            self.apply("lookup_found")
        self.supplier_reference = supplier_reference or self.supplier_reference
        self.due_at = now + deadlines.acknowledge
        self.end_lease()

    def unknown(self, why: str, due_at: datetime) -> None:
        """Nobody can tell whether the supplier has it; look up before anything else."""
        if self.status == "DISPATCHING":
            self.apply("outcome_unknown")
        self.reason, self.due_at = why[:WORDS], due_at
        self.end_lease()

    def drop(self, why: str) -> None:
        """It provably never came to be at the supplier: close it, so that its units can be routed anew."""
        self.apply("definite_failure" if self.status == "DISPATCHING" else "lookup_absent")
        self.apply("cancel")
        self.never_placed = True
        self.end_lease()
        self.end(why)

    def end(self, why: str) -> None:
        """Nothing more is awaited of it."""
        self.reason, self.due_at = why[:WORDS], None

    def ship(self, units: dict[str, int], deadlines: Deadlines, now: datetime) -> None:
        """Count shipped units; the caller has checked that they do not exceed `remaining`."""
        for line, quantity in units.items():
            self.shipped[line] = self.shipped.get(line, 0) + quantity
        complete = not self.remaining
        if self.status in {"DISPATCHED", "PARTIALLY_ACKED"}:
            self.apply("shipped_without_ack" if self.status == "DISPATCHED" else "qty_shipped")
        if self.status == "PARTIALLY_SHIPPED":
            if complete:
                self.apply("all_shipped")
        else:
            self.apply("all_shipped" if complete else "qty_shipped")
        self.due_at = None if complete else now + deadlines.ship


class PlannedPurchaseOrder(Fact):
    """A purchase order that is to be placed. Carries no personal data: it travels through the workflow."""

    id: str
    lines: tuple[PurchaseLine, ...]
