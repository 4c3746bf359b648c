"""Routing: which supplier ships what. Pure; the offers come from the registry."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .errors import InvalidMessage
from .money import Money
from .order import Order
from .partners import ConnectionId, PurchaseLine


class Offer(BaseModel):
    """A supplier's offer for one SKU of a shop; the lowest `rank` is asked first."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    supplier: ConnectionId
    supplier_sku: Annotated[str, Field(min_length=1, max_length=128)]
    unit_cost: Money
    rank: Annotated[int, Field(ge=1)] = 1


class PlannedPurchaseOrder(BaseModel):
    """A purchase order that is to be placed. Carries no personal data: it travels through the workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    lines: tuple[PurchaseLine, ...]


class NoSource(InvalidMessage):
    """Lines that no active supplier offers."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__("no supplier offers " + ", ".join(sorted(set(skus))))
        self.skus = tuple(skus)


def plan(order: Order, offers: Mapping[str, Sequence[Offer]]) -> list[PlannedPurchaseOrder]:
    """Give every unrouted unit to the supplier with the best rank, one purchase order per supplier.

    `offers` maps SKU to offers. The same order in the same state always yields the same plan and ids.

    Raises:
        NoSource: a line with unrouted units has no offer; nothing is planned then.
    """
    routed: dict[str, list[PurchaseLine]] = {}
    sourceless = []
    for line in order.lines:
        if not line.units.unrouted:
            continue
        candidates = sorted(offers.get(line.sku, ()), key=lambda offer: (offer.rank, offer.supplier))
        if not candidates:
            sourceless.append(line.sku or f"line {line.id}, which has no SKU")
            continue
        best = candidates[0]
        routed.setdefault(best.supplier, []).append(
            PurchaseLine(
                line=line.id,
                supplier_sku=best.supplier_sku,
                quantity=line.units.unrouted,
                unit_cost=best.unit_cost,
            )
        )
    if sourceless:
        raise NoSource(sourceless)
    return [
        PlannedPurchaseOrder(id=str(order.next_purchase_order_id(supplier)), lines=tuple(lines))
        for supplier, lines in sorted(routed.items())
    ]
