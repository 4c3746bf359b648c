"""The remedy ledger: which units refunds, returns and cancellations want back, so that none is taken back twice."""

from collections.abc import Iterable

from dropship.domain.stored import Stored

_OPEN, _REFUNDED = "", "REFUNDED"


class Remedy(Stored):
    """Units that one refund, return or cancellation is about. `outcome` is empty while it is open."""

    case: str
    units: dict[str, int]
    cancelled: dict[str, int] = {}
    outcome: str = ""

    def missing(self, line: str) -> int:
        """Units of the line that it names and that were not taken out of the order."""
        return max(0, self.units.get(line, 0) - self.cancelled.get(line, 0))


def wanted_back(remedies: Iterable[Remedy], line: str) -> int:
    """Units of the line that open remedies name and that were not taken out of the order."""
    return sum(remedy.missing(line) for remedy in remedies if remedy.outcome == _OPEN)


def refunded(remedies: Iterable[Remedy], line: str) -> int:
    """Units of the line that the buyer got money for and that were not taken out of the order."""
    return sum(remedy.missing(line) for remedy in remedies if remedy.outcome == _REFUNDED)


def unwanted(remedies: Iterable[Remedy], line: str, shipped: int) -> int:
    """Units of the line that must not be sent any more, though they are still in the order.

    A refund that ended after the claim may be about units that were shipped; only what exceeds those counts.
    """
    known = list(remedies)
    return wanted_back(known, line) + max(0, refunded(known, line) - shipped)


def credit(remedies: Iterable[Remedy], line: str, units: int) -> None:
    """Tell the remedies that wait for it, the open ones first, that units were taken out of the order."""
    waiting = [remedy for remedy in remedies if remedy.outcome in {_OPEN, _REFUNDED}]
    for remedy in sorted(waiting, key=lambda remedy: remedy.outcome):
        credited = min(units, remedy.missing(line))
        if credited:
            remedy.cancelled[line] = remedy.cancelled.get(line, 0) + credited
            units -= credited
