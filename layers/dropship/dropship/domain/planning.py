"""Routing: which supplier ships what. Pure; the offers come from the registry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from .errors import InvalidMessage
from .identity import OrderKey, PurchaseOrderId
from .money import Money
from .order import Order
from .partners import ConnectionId, PurchaseLine

MOST_LINES = 100


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


class UnroutedLine(BaseModel):
    """Units of a line that no purchase order has yet."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    sku: str
    quantity: int


class Unrouted(BaseModel):
    """All that the first plan of an order needs to know of it, as of `fence`. It travels with the workflow's input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    fence: int
    lines: tuple[UnroutedLine, ...]

    @classmethod
    def of(cls, order: Order) -> Self | None:
        """None where the plan has to read the order: it has purchase orders, or too many lines for an input."""
        if order.purchase_orders or len(order.lines) > MOST_LINES:
            return None
        return cls(fence=order.fence, lines=tuple(_unrouted(order)))


class NoSource(InvalidMessage):
    """Lines that no active supplier offers."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__("no supplier offers " + ", ".join(sorted(set(skus))))
        self.skus = tuple(skus)


def plan_first(key: OrderKey, unrouted: Unrouted, offers: Mapping[str, Sequence[Offer]]) -> list[PlannedPurchaseOrder]:
    """`plan` for an order that has no purchase order yet, by what travelled with the workflow's input.

    It may be out of date: a purchase order is claimed only at the fence its plan was made at.
    """
    return _plan(unrouted.lines, lambda supplier: PurchaseOrderId(key, supplier, 1, 1), offers)


def plan(order: Order, offers: Mapping[str, Sequence[Offer]]) -> list[PlannedPurchaseOrder]:
    """Give every unrouted unit to the supplier with the best rank, one purchase order per supplier.

    `offers` maps SKU to offers. The same order in the same state always yields the same plan and ids.

    Raises:
        NoSource: a line with unrouted units has no offer; nothing is planned then.
    """
    return _plan(_unrouted(order), order.next_purchase_order_id, offers)


def _unrouted(order: Order) -> Iterator[UnroutedLine]:
    for line in order.lines:
        if line.units.unrouted:
            yield UnroutedLine(id=line.id, sku=line.sku, quantity=line.units.unrouted)


def _plan(
    lines: Iterable[UnroutedLine],
    id_of: Callable[[str], PurchaseOrderId],
    offers: Mapping[str, Sequence[Offer]],
) -> list[PlannedPurchaseOrder]:
    routed: dict[str, list[PurchaseLine]] = {}
    sourceless = []
    for line in lines:
        candidates = sorted(offers.get(line.sku, ()), key=lambda offer: (offer.rank, offer.supplier))
        if not candidates:
            sourceless.append(line.sku or f"line {line.id}, which has no SKU")
            continue
        best = candidates[0]
        routed.setdefault(best.supplier, []).append(
            PurchaseLine(
                line=line.id,
                supplier_sku=best.supplier_sku,
                quantity=line.quantity,
                unit_cost=best.unit_cost,
            )
        )
    if sourceless:
        raise NoSource(sourceless)
    return [
        PlannedPurchaseOrder(id=str(id_of(supplier)), lines=tuple(lines)) for supplier, lines in sorted(routed.items())
    ]
