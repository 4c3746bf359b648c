"""Routing: which supplier ships what. Pure; the offers come from the registry."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.suppliers import PurchaseLine
from dropship.domain.identity import OrderKey, PurchaseOrderId
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.domain.orders.unrouted import Unrouted, UnroutedLine, unrouted_lines
from dropship.domain.registry.offers import Offer


class NoSource(InvalidMessage):
    """Lines that no active supplier offers."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__("no supplier offers " + ", ".join(sorted(set(skus))))
        self.skus = tuple(skus)


def plan_first(key: OrderKey, unrouted: Unrouted, offers: Mapping[str, Sequence[Offer]]) -> list[PlannedPurchaseOrder]:
    """Like `plan`, for an order that has no purchase order yet, from the input of the workflow.

    The input may be out of date. That does no harm: a purchase order is claimed only if the order still has the fence
    that it was planned with.
    """
    return _plan(unrouted.lines, lambda supplier: PurchaseOrderId(key, supplier, 1, 1), offers)


def plan(order: Order, offers: Mapping[str, Sequence[Offer]]) -> list[PlannedPurchaseOrder]:
    """Give every unrouted unit to the supplier with the best rank, one purchase order per supplier.

    `offers` maps SKU to offers. The same order in the same state always yields the same plan and ids.

    Raises:
        NoSource: a line with unrouted units has no offer; then nothing is planned.
    """
    return _plan(unrouted_lines(order), order.next_purchase_order_id, offers)


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
