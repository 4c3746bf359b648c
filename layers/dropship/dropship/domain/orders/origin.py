"""Where an order comes from. Who is told of its parcels, and who may change what it asks for, follows from that."""

from enum import StrEnum


class Origin(StrEnum):
    """MARKETPLACE: a buyer's order. All others are ours: for a buyer or for ourselves, in no marketplace's books."""

    MARKETPLACE = "MARKETPLACE"
    MAKE_UP = "MAKE_UP"
    SAMPLE = "SAMPLE"
    BY_HAND = "BY_HAND"

    @property
    def ours(self) -> bool:
        """Whether no marketplace knows the order: none is told of its parcels, and no snapshot is about it."""
        return self is not Origin.MARKETPLACE
