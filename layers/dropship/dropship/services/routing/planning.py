"""Planning: which purchase orders of an order have to be placed now."""

from contextlib import suppress
from dataclasses import dataclass

from dropship.domain.identity import OrderKey
from dropship.domain.orders.attention import HoldReason
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.domain.orders.unrouted import Unrouted
from dropship.domain.registry.offers import Offer
from dropship.domain.routing.planning import NoSource, plan, plan_first
from dropship.ports import NotFound, Orders, Registry, Unavailable
from dropship.services.changing import Moments, change_order


@dataclass(frozen=True)
class Planning:
    """Decides which purchase orders of an order have to be placed now."""

    orders: Orders
    registry: Registry
    moments: Moments

    def plan(self, key: OrderKey, unrouted: Unrouted | None = None) -> tuple[int, list[PlannedPurchaseOrder]]:
        """The order's fence and the purchase orders to place now; those that are being placed already come first.

        If nobody offers a line, the order is put on hold and nothing new is planned. With `unrouted` the plan is made
        without reading the order; if `unrouted` is out of date, the fence makes the claim fail.
        """
        if unrouted is not None:
            with suppress(NoSource):  # then the order itself is read, because it has to be held
                skus = {line.sku for line in unrouted.lines}
                return unrouted.fence, plan_first(key, unrouted, self._offers(key.shop, skus))
        loaded = self.orders.load(key, fresh=True)
        if loaded is None:
            raise Unavailable(f"order {key} is not known yet")
        order = loaded.value
        if not order.needs_dispatch:
            return order.fence, []
        try:
            planned = [] if order.holds else plan(order, self._offers(key.shop, _unrouted_skus(order)))
        except NoSource as nothing:
            words = str(nothing)
            change_order(
                self.orders, key, self.moments, lambda order, moment: order.hold(HoldReason.NO_SOURCE, moment, words)
            )
            planned = []
        under_way = [
            PlannedPurchaseOrder(id=po.id, lines=tuple(po.lines)) for po in order.purchase_orders if po.in_dispatch
        ]
        return order.fence, under_way + planned

    def _offers(self, shop: str, skus: set[str]) -> dict[str, list[Offer]]:
        found = self.registry.offers(shop, skus)
        return {sku: [offer for offer in offers if self._active(offer.supplier)] for sku, offers in found.items()}

    def _active(self, supplier: str) -> bool:
        try:
            return self.registry.supplier(supplier).active
        except NotFound:
            return False


def _unrouted_skus(order: Order) -> set[str]:
    return {line.sku for line in order.lines if line.units.unrouted}
