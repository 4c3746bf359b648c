"""Where the units of an order line are. Every unit is always in exactly one place."""

from typing import Annotated, Literal

from pydantic import Field

from .errors import InvariantBroken
from .part import Part

Units = Annotated[int, Field(strict=True, ge=0)]
Place = Literal["unrouted", "at_supplier", "cancelled", "in_transit", "delivered", "returning", "returned", "lost"]
SHIPPED_PLACES: tuple[Place, ...] = ("in_transit", "delivered", "returning", "returned", "lost")


class LineQuantities(Part):
    """Units of one order line by place.

    `ordered = unrouted + at_supplier + shipped + cancelled` and
    `shipped = in_transit + delivered + returning + returned + lost`; none is negative.
    """

    ordered: Units
    unrouted: Units = 0
    at_supplier: Units = 0
    shipped: Units = 0
    cancelled: Units = 0
    in_transit: Units = 0
    delivered: Units = 0
    returning: Units = 0
    returned: Units = 0
    lost: Units = 0

    @property
    def open(self) -> int:
        """All units that are not cancelled: they have reached the buyer, or still should."""
        return self.ordered - self.cancelled

    def add(self, quantity: int) -> None:
        """The buyer wants `quantity` more units; nobody has them yet."""
        self.ordered += quantity
        self.unrouted += quantity
        self.check()

    def move(self, quantity: int, source: Place, target: Place) -> None:
        """Move units from one place to another, and keep `shipped` up to date.

        Raises:
            InvariantBroken: fewer than `quantity` units are at `source`, or `quantity` is negative.
        """
        held = getattr(self, source)
        if quantity < 0 or held < quantity:
            raise InvariantBroken(f"cannot move {quantity} units from {source}: {held} there")
        setattr(self, source, held - quantity)
        setattr(self, target, getattr(self, target) + quantity)
        if target in SHIPPED_PLACES and source not in SHIPPED_PLACES:
            self.shipped += quantity
        if source in SHIPPED_PLACES and target not in SHIPPED_PLACES:
            self.shipped -= quantity
        self.check()

    def check(self) -> None:
        """Assert that every unit is in exactly one place.

        Raises:
            InvariantBroken: the sums do not hold, or a count is negative.
        """
        counts = self.model_dump()
        if min(counts.values()) < 0:
            raise InvariantBroken(f"negative quantity: {counts}")
        if self.ordered != self.unrouted + self.at_supplier + self.shipped + self.cancelled:
            raise InvariantBroken(f"ordered is not unrouted + at_supplier + shipped + cancelled: {counts}")
        if self.shipped != sum(counts[place] for place in SHIPPED_PLACES):
            raise InvariantBroken(f"shipped is not the sum of its places: {counts}")
