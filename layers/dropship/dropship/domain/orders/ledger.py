"""The remedy ledger: which units refunds, returns and cancellations want back, so that no unit is taken back twice."""

from collections.abc import Iterable
from typing import Literal

from dropship.domain.part import Part

RemedyOutcome = Literal["", "CANCELLED", "REFUNDED", "WITHDRAWN", "CLOSED", "COMPLETED"]
"""How a remedy ended; empty while it is open. CANCELLED: its units never left. The others are ends of a case."""


class Remedy(Part):
    """The units of one refund, return or cancellation, and how many of them were taken out of the order."""

    case: str
    units: dict[str, int]
    cancelled: dict[str, int] = {}
    outcome: RemedyOutcome = ""

    @property
    def open(self) -> bool:
        """Whether it is not decided yet."""
        return self.outcome == ""

    def missing(self, line: str) -> int:
        """How many units of the line it names that were not taken out of the order."""
        return max(0, self.units.get(line, 0) - self.cancelled.get(line, 0))

    def credit(self, line: str, units: int) -> None:
        """Count units of the line as taken out of the order."""
        self.cancelled[line] = self.cancelled.get(line, 0) + units

    def end(self, outcome: RemedyOutcome) -> None:
        """Record that it is decided."""
        self.outcome = outcome


def wanted_back(remedies: Iterable[Remedy], line: str) -> int:
    """Units of the line that open remedies name and that were not taken out of the order."""
    return sum(remedy.missing(line) for remedy in remedies if remedy.open)


def refunded(remedies: Iterable[Remedy], line: str) -> int:
    """Units of the line that the buyer got money for and that were not taken out of the order."""
    return sum(remedy.missing(line) for remedy in remedies if remedy.outcome == "REFUNDED")


def unwanted(remedies: Iterable[Remedy], line: str, shipped: int) -> int:
    """Units of the line that must not be sent any more, although they are still in the order.

    A refund after the claim may be about units that were shipped, so only refunded units beyond the shipped ones count.
    """
    known = list(remedies)
    return wanted_back(known, line) + max(0, refunded(known, line) - shipped)


def credit(remedies: Iterable[Remedy], line: str, units: int) -> None:
    """Count units as taken out of the order, for the remedies that wait for them; the open remedies first."""
    known = list(remedies)
    waiting = [remedy for remedy in known if remedy.open]
    waiting += [remedy for remedy in known if remedy.outcome == "REFUNDED"]
    for remedy in waiting:
        credited = min(units, remedy.missing(line))
        if credited:
            remedy.credit(line, credited)
            units -= credited
