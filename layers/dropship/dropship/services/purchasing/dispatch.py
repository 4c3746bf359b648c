"""Dispatch: every planned purchase order is placed exactly once.

First the claim (the intent) is stored, then the request is sent, then the outcome is stored. Our id is the idempotency
key of the request, so it can be repeated. Each write is conditional, so a repeat finds what is done already. A worker
that did not make the claim itself looks the purchase order up by our reference before sending it again. It does neither
while another worker may be sending it.
"""

from dataclasses import dataclass
from typing import Literal

from dropship.domain.deadlines import Moment
from dropship.domain.errors import Stale
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import Placed, PlaceResult, PurchaseOrderRequest
from dropship.domain.identity import OrderKey
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.fulfilment import claim, record_acknowledged, record_placed, record_refused, record_unknown
from dropship.domain.orders.lifecycles import OrderStatus, PurchaseOrderStatus
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder, PurchaseOrder
from dropship.domain.registry.connections import Supplier
from dropship.ports import Orders, Queues, Registry, Sourced, Suppliers, Unavailable
from dropship.services.changing import Moments, WorkingCopy, change_order, working_copy
from dropship.services.messages import CheckWithdrawals, DispatchAgain

STALE_DELAY_S = 2
Claimed = Literal["NOW", "BEFORE", "BY_OTHERS"]
DispatchStatus = Literal["STALE"] | OrderStatus | PurchaseOrderStatus
"""How far a dispatch got: the status of the purchase order, or of the order if there is none (ON_HOLD, say).

STALE: it was not claimed, because the order changed since the plan was made.
"""


class SupplierBusy(Exception):
    """The supplier cannot take the purchase order now; nothing happened. The workflow tries again after a delay."""


class OutcomeUnknown(Exception):
    """It is not known whether the supplier has the purchase order. The workflow tries again; that looks it up first."""


@dataclass(frozen=True)
class Submission:
    """Places purchase orders."""

    orders: Orders
    registry: Registry
    suppliers: Suppliers
    queues: Queues
    moments: Moments

    def submit(self, key: OrderKey, fence: int, planned: PlannedPurchaseOrder, worker: str) -> DispatchStatus:
        """Place one purchase order, and return its status; `STALE` or `ON_HOLD` if it was not claimed.

        `worker` names the workflow execution; all tries of one execution have the same name. While one worker's request
        may be under way, no other worker looks the purchase order up or places it, because a look-up might not see it
        yet.

        Raises:
            SupplierBusy: the supplier cannot take it now, or another worker is placing it; try again later.
            OutcomeUnknown: it is not known whether the supplier has it; try again: the repeat looks it up first.
            Unavailable: the order is not known yet.
        """
        found = self.orders.load_with_source(key)
        if found is None:
            raise Unavailable(f"order {key} is not known yet")
        copy = working_copy(self.orders, key, self.moments, found.order)
        try:
            claimed = self._claim(copy, fence, planned, worker, found)
        except Stale:
            again = DispatchAgain(order=str(key), by="a change during dispatch")
            self.queues.send("inbox", again.model_dump_json(), STALE_DELAY_S)
            return "STALE"
        order = copy.value
        purchase_order = order.find_purchase_order(planned.id)
        if purchase_order is None:
            return "ON_HOLD"
        if not purchase_order.in_dispatch:
            return self._follow_up(order, purchase_order.id)
        if claimed == "BY_OTHERS":
            raise SupplierBusy(f"another worker is placing {purchase_order.id}")
        outcome = self._find_or_place(order, purchase_order, found, claimed_now=claimed == "NOW")
        return self._record(copy, purchase_order.id, outcome)

    def _find_or_place(
        self, order: Order, purchase_order: PurchaseOrder, found: Sourced, *, claimed_now: bool
    ) -> PlaceResult:
        """Place the purchase order; if it was claimed before, look it up first and place it only if it is absent."""
        supplier = self.registry.supplier(purchase_order.supplier)
        outcome: PlaceResult | Absent = Absent() if claimed_now else self.suppliers.find(supplier, purchase_order.id)
        if isinstance(outcome, Absent):
            outcome = self._place(order, supplier, purchase_order, self._bought(order, found))
        if isinstance(outcome, Placed) and outcome.purchase_order != purchase_order.id:
            outcome = Unknown(why=f"the supplier's answer is about {outcome.purchase_order[:100]}")
        return outcome

    def _claim(
        self,
        copy: WorkingCopy[Order],
        fence: int,
        planned: PlannedPurchaseOrder,
        worker: str,
        found: Sourced,
    ) -> Claimed:
        """Claim the purchase order, unless the order is on hold.

        Returns `NOW` if this call claimed it, `BY_OTHERS` if another worker may be placing it now, and `BEFORE`
        otherwise. Raises Stale if the order's fence is no longer `fence`.
        """

        def claim_it(order: Order) -> Claimed:
            moment = self.moments.of(order.shop)
            existing = order.find_purchase_order(planned.id)
            if existing is not None:
                free = not existing.in_dispatch or existing.lease_to(worker, moment)
                return "BEFORE" if free else "BY_OTHERS"
            order.check_address(self._bought(order, found).recipient.missing, moment)
            if order.holds:
                return "BEFORE"
            claim(order, planned, moment, fence=fence).lease_to(worker, moment)
            return "NOW"

        return copy.change(claim_it)

    def _bought(self, order: Order, found: Sourced) -> Sourced:
        """What was bought and where it goes, read again if the first read was older than the order."""
        if found.source.updated_at >= order.source_version and found.recipient.digest == order.recipient_digest:
            return found
        return Sourced(found.order, self.orders.source(order.key), self.orders.recipient(order.key))

    def _place(
        self,
        order: Order,
        supplier: Supplier,
        purchase_order: PurchaseOrder,
        bought: Sourced,
    ) -> PlaceResult:
        if purchase_order.cancel == "WANTED":
            return Refused(words="taken back before it was placed")
        request = PurchaseOrderRequest(
            id=purchase_order.id,
            order_number=order.number,
            lines=tuple(purchase_order.lines),
            recipient=bought.recipient,
            shipping_method=bought.source.chosen_shipping,
            packing_note=supplier.packing_note,
            ship_by=purchase_order.claimed_at + self.moments.of(order.shop).deadlines.ship,
        )
        return self.suppliers.place(supplier, request)

    def _record(
        self,
        copy: WorkingCopy[Order],
        po_id: str,
        outcome: PlaceResult,
    ) -> PurchaseOrderStatus:
        def record(order: Order) -> None:
            moment = self.moments.of(order.shop)
            purchase_order = order.purchase_order(po_id)
            match outcome:
                case Placed(supplier_reference=reference):
                    record_placed(order, purchase_order, reference, moment)
                    if outcome.acknowledged:
                        record_acknowledged(order, purchase_order, moment)
                case Refused(words=words):
                    record_refused(order, purchase_order, words, moment)
                case Unknown(why=why):
                    record_unknown(order, purchase_order, why, moment)
                case _:  # busy: it was not placed by this try
                    purchase_order.end_lease()

        copy.change(record)
        if isinstance(outcome, Busy):
            raise SupplierBusy(outcome.why or f"the supplier of {po_id} is busy")
        if isinstance(outcome, Unknown):
            raise OutcomeUnknown(f"it is unknown whether the supplier has {po_id}")
        return self._follow_up(copy.value, po_id)

    def _follow_up(self, order: Order, po_id: str) -> PurchaseOrderStatus:
        purchase_order = order.purchase_order(po_id)
        if purchase_order.cancel == "WANTED":
            self.queues.send("after-sales", CheckWithdrawals.of(order.key).model_dump_json())
        return purchase_order.status

    def give_up(self, key: OrderKey, po_id: str, error: str) -> DispatchStatus:
        """All tries of the workflow failed: ask a person; the order's clock tries again later. Returns the status.

        `po_id` is empty if the planning failed. Then the order is held if units are still to be claimed, and else each
        purchase order in dispatch gets a task. If a purchase order was claimed, it gets a task.
        """

        def ask(order: Order, moment: Moment) -> DispatchStatus:
            purchase_order = order.find_purchase_order(po_id)
            if purchase_order is None and order.has_unrouted_units:
                order.hold(HoldReason.DISPATCH_FAILED, moment, error)
                return "ON_HOLD"
            for each in order.purchase_orders if purchase_order is None else [purchase_order]:
                if each.status == "DISPATCH_UNKNOWN":
                    order.open_task(TaskKind.DISPATCH_UNKNOWN, moment, error, each.id)
                elif each.in_dispatch:
                    order.open_task(TaskKind.SUPPLIER_BUSY, moment, error, each.id)
            return order.status if purchase_order is None else purchase_order.status

        return change_order(self.orders, key, self.moments, ask)[1]
