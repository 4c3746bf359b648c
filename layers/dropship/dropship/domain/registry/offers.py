"""Offers: which supplier sells which SKU of a shop, and at what cost."""

from typing import Annotated

from pydantic import Field

from dropship.domain.fact import ConnectionId, Fact
from dropship.domain.money import Money


class Offer(Fact):
    """A supplier's offer for one SKU of a shop; the offer with the lowest `rank` is taken."""

    supplier: ConnectionId
    supplier_sku: Annotated[str, Field(min_length=1, max_length=128)]
    unit_cost: Money
    rank: Annotated[int, Field(ge=1)] = 1
