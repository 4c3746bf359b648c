"""Units that no purchase order has yet, in the form that the planning needs."""

from collections.abc import Iterator
from typing import Self

from dropship.domain.fact import Fact

from .order import Order

MOST_LINES = 100


class UnroutedLine(Fact):
    """Units of a line that no purchase order has yet."""

    id: str
    sku: str
    quantity: int


class Unrouted(Fact):
    """All that the first plan of an order needs to know about it, as of `fence`. It is in the workflow's input."""

    fence: int
    lines: tuple[UnroutedLine, ...]

    @classmethod
    def of(cls, order: Order) -> Self | None:
        """The unrouted units of the order; None if it has purchase orders, or too many lines for an input.

        Then the plan has to read the order.
        """
        if order.purchase_orders or len(order.lines) > MOST_LINES:
            return None
        return cls(fence=order.fence, lines=tuple(unrouted_lines(order)))


def unrouted_lines(order: Order) -> Iterator[UnroutedLine]:
    """The lines that have unrouted units."""
    for line in order.lines:
        if line.units.unrouted:
            yield UnroutedLine(id=line.id, sku=line.sku, quantity=line.units.unrouted)
