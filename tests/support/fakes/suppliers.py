"""Suppliers in memory: they keep what they are given, and answer as a test tells them to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import (
    CancelAccepted,
    CancelPending,
    CancelResult,
    FindResult,
    Placed,
    PlaceResult,
    PurchaseOrderRequest,
)
from dropship.domain.registry.connections import Supplier

if TYPE_CHECKING:
    from dropship.ports import NotFound, Unavailable

Question = Literal["place", "find", "cancel"]


@dataclass
class Kept:
    """A purchase order that a supplier has."""

    request: PurchaseOrderRequest
    number: str
    cancelled: bool = False


class FakeSuppliers:
    """`ports.Suppliers`. The same reference is the same purchase order, however often it is placed."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], Kept] = {}
        """What they have, by supplier and reference."""
        self.asked: list[tuple[Question, str]] = []
        """Every (question, reference), the oldest first."""
        self.cancels: Literal["yes", "no", "later"] = "yes"
        self.out_of_reach: NotFound | Unavailable | None = None
        """While this is set, every question raises it."""
        self._answers: dict[Question, list[tuple[Refused | Busy | Unknown, bool]]] = {}

    def answer(self, question: Question, *answers: Refused | Busy | Unknown, after: bool = False) -> None:
        """Give this answer to the next question of this kind; with `after`, the question has taken effect before it."""
        self._answers.setdefault(question, []).extend((answer, after) for answer in answers)

    @property
    def open(self) -> list[str]:
        """References of the purchase orders that they intend to ship."""
        return [reference for (_, reference), kept in self.orders.items() if not kept.cancelled]

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        told, takes_effect = self._ask("place", request.id)
        if takes_effect:
            self.orders.setdefault((supplier.id, request.id), Kept(request, f"SO-{1 + len(self.orders)}"))
        return told or self._placed(supplier, request.id)

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        told, _ = self._ask("find", reference)
        if isinstance(told, Busy | Unknown):
            return told
        return self._placed(supplier, reference) if (supplier.id, reference) in self.orders else Absent()

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        told, takes_effect = self._ask("cancel", reference)
        if takes_effect and self.cancels == "yes":
            self.orders[supplier.id, reference].cancelled = True
        answers = {"yes": CancelAccepted(), "no": Refused(words="already packed"), "later": CancelPending()}
        return told or answers[self.cancels]

    def _ask(self, question: Question, reference: str) -> tuple[Refused | Busy | Unknown | None, bool]:
        """The answer that a test has set, None where it set none; and whether the question takes effect."""
        if self.out_of_reach is not None:
            raise self.out_of_reach
        self.asked.append((question, reference))
        answers = self._answers.get(question)
        return answers.pop(0) if answers else (None, True)

    def _placed(self, supplier: Supplier, reference: str) -> Placed:
        return Placed(purchase_order=reference, supplier_reference=self.orders[supplier.id, reference].number)
