"""Cancellation: an order is taken back, and the suppliers of its purchase orders are asked not to ship them.

First the intent is stored, then the supplier is asked, then the outcome is stored. To ask twice does no harm, so a
supplier that gives no clear answer is asked again.
"""

from dataclasses import dataclass

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import CancelAccepted, CancelPending
from dropship.domain.identity import OrderKey
from dropship.domain.orders.attention import TaskKind
from dropship.domain.orders.fulfilment import (
    record_cancel_refused,
    record_cancelled_by_supplier,
)
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PurchaseOrder
from dropship.domain.orders.withdrawal import ask, cancel, to_ask
from dropship.ports import Orders, Registry, Suppliers, Unavailable
from dropship.services.changing import Moments, change_order
from dropship.services.several import handle_each

ASK_AGAIN_S = 5


@dataclass(frozen=True)
class Cancellation:
    """Takes back orders, and purchase orders from their suppliers. Every step may be repeated."""

    orders: Orders
    registry: Registry
    suppliers: Suppliers
    moments: Moments

    def cancel(self, key: OrderKey) -> None:
        """The marketplace cancelled an order: take back as much as possible; a person deals with the rest.

        Raises:
            Unavailable: the order is not known yet, or a supplier gave no clear answer; try again later.
        """

        def take_back(order: Order, moment: Moment) -> None:
            if order.finished:
                return  # such as an old order that the shop deletes
            if cancel(order, moment) == "SHIPPED" or any(line.units.shipped for line in order.lines):
                words = "the marketplace cancelled an order that is already with a supplier or under way"
                order.open_task(TaskKind.CANCEL_REFUSED, moment, words)

        order, _ = change_order(self.orders, key, self.moments, take_back)
        self.ask_suppliers(order)

    def check(self, key: OrderKey) -> Order:
        """Ask the suppliers that have to be asked, or asked again, and return the order as it was before that.

        Raises:
            Unavailable: the order is not known yet, or a supplier gave no clear answer; try again later.
        """
        loaded = self.orders.load(key, fresh=True)
        if loaded is None:
            raise Unavailable(f"order {key} is not known yet")
        self.ask_suppliers(loaded.value)
        return loaded.value

    def ask_suppliers(self, order: Order) -> None:
        """Ask each supplier of the order that has to be asked, or asked again, to cancel.

        Raises:
            Unavailable: a supplier gave no clear answer; the others were asked too. Try again later.
        """
        handle_each(to_ask(order), lambda purchase_order: self._ask(order.key, purchase_order))

    def _ask(self, key: OrderKey, purchase_order: PurchaseOrder) -> None:
        change_order(
            self.orders,
            key,
            self.moments,
            lambda order, moment: ask(order, order.purchase_order(purchase_order.id), moment),
        )
        supplier = self.registry.supplier(purchase_order.supplier)
        answer = self.suppliers.cancel(supplier, purchase_order.id)
        if isinstance(answer, Busy | Unknown):
            why = isinstance(answer, Busy) and answer.why
            raise Unavailable(why or f"supplier {supplier.id} gave no answer to a cancellation", ASK_AGAIN_S)
        change_order(
            self.orders, key, self.moments, lambda order, moment: _record(order, purchase_order.id, answer, moment)
        )


def _record(order: Order, po_id: str, answer: CancelAccepted | CancelPending | Refused, moment: Moment) -> None:
    purchase_order = order.purchase_order(po_id)
    match answer:
        case CancelAccepted():
            record_cancelled_by_supplier(order, purchase_order, "as we asked", moment)
        case Refused(words=words):
            record_cancel_refused(order, purchase_order, words, moment)
        case CancelPending():
            purchase_order.promise_answer(moment)
