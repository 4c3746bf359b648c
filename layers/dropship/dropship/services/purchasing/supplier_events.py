"""What suppliers tell us: acknowledged, rejected, shipped, cancelled. A repeat finds what is done and does the rest."""

from dataclasses import dataclass

from dropship.connectors import supplier as supplier_connector
from dropship.connectors.contract import ReceivesSupplierEvents, needed
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.suppliers import SupplierEvent
from dropship.domain.identity import OrderKey, PurchaseOrderId, Waybill
from dropship.domain.orders.attention import TaskKind
from dropship.domain.orders.fulfilment import accepts_shipment, supplier_says
from dropship.domain.orders.order import Order
from dropship.domain.orders.parcel import Parcel
from dropship.ports import Orders, Outbox, Registry
from dropship.services.changing import Moments, WorkingCopy, change_order, working_copy
from dropship.services.messages import CheckWithdrawals, TellMarketplace, WatchParcel, Webhook
from dropship.services.parcels.followed import tracker_of
from dropship.services.several import handle_each


@dataclass(frozen=True)
class SupplierEvents:
    """Takes in suppliers' events."""

    orders: Orders
    registry: Registry
    outbox: Outbox
    moments: Moments

    def handle(self, webhook: Webhook) -> None:
        """Handle one webhook of a supplier.

        An event that contradicts what was ordered becomes a task for a person, not an error.

        Raises:
            InvalidMessage: it is no event of the supplier's contract.
            Unavailable: the order is not known yet.
        """
        supplier = self.registry.supplier(webhook.connection)
        connector = needed(supplier_connector(supplier.channel), ReceivesSupplierEvents)
        handle_each(connector.read_events(webhook.request, supplier), self._event)

    def _event(self, event: SupplierEvent) -> None:
        key = PurchaseOrderId.parse(event.purchase_order).order
        copy = working_copy(self.orders, key, self.moments)
        if not self._owns_waybill(copy, key, event):
            return
        order = self._apply(copy, event)
        self._follow_up(order, event)

    def _owns_waybill(self, copy: WorkingCopy[Order], key: OrderKey, event: SupplierEvent) -> bool:
        """Tie the waybill to this order; False where it serves another order already.

        A tie is for ever, so an event that will be refused makes none: the number may turn up in the right one.
        """
        if event.shipment is None or not (accepts_shipment(copy.value, event) or accepts_shipment(copy.fresh, event)):
            return True
        waybill = Waybill(event.shipment.carrier, event.shipment.number)
        owner = self.orders.claim_waybill(waybill, key)
        if owner == key:
            return True
        words = f"waybill {waybill} of {event.purchase_order} belongs to another order"
        change_order(
            self.orders,
            key,
            self.moments,
            lambda order, moment: order.open_task(TaskKind.WAYBILL_REUSED, moment, words, waybill.number),
        )
        return False

    def _apply(self, copy: WorkingCopy[Order], event: SupplierEvent) -> Order:
        shipment = event.shipment
        followed = shipment is not None and tracker_of(self.registry, shipment.carrier) is not None

        def apply(order: Order) -> None:
            moment = self.moments.of(order.shop)
            try:
                supplier_says(order, event, moment, followed=followed)
            except InvalidMessage as contradiction:
                order.open_task(TaskKind.SUPPLIER_EVENT_REFUSED, moment, str(contradiction), event.purchase_order)

        copy.change(apply)
        return copy.value

    def _follow_up(self, order: Order, event: SupplierEvent) -> None:
        if event.shipment is not None:
            parcel = order.parcel(event.shipment.carrier, event.shipment.number)
            if parcel is not None and parcel.untold:
                tell = TellMarketplace.of(order.key, parcel.waybill)
                self.outbox.send("outbound", tell.model_dump_json())
            if parcel is not None and not parcel.finished and self._is_pushed(parcel):
                self.outbox.send("tracking", WatchParcel(waybill=str(parcel.waybill)).model_dump_json())
        if order.purchase_order(event.purchase_order).cancel or any(remedy.open for remedy in order.remedies):
            self.outbox.send("after-sales", CheckWithdrawals.of(order.key).model_dump_json())

    def _is_pushed(self, parcel: Parcel) -> bool:
        """Whether the parcel's tracker can be asked to push news of it."""
        found = tracker_of(self.registry, parcel.carrier)
        return found is not None and found[0].callback_url is not None
