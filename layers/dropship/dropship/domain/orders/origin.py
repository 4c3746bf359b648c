"""Where an order comes from. That decides who is told about its parcels and who may change it."""

from enum import StrEnum


class Origin(StrEnum):
    """MARKETPLACE: a buyer's order. All others are our own orders, which no marketplace knows."""

    MARKETPLACE = "MARKETPLACE"
    MAKE_UP = "MAKE_UP"
    SAMPLE = "SAMPLE"
    BY_HAND = "BY_HAND"

    @property
    def ours(self) -> bool:
        """Whether no marketplace knows the order: none is told about its parcels, and it has no snapshots."""
        return self is not Origin.MARKETPLACE
