"""Order intake: marketplace events become one stored order, even if they come twice or in the wrong order."""

from dataclasses import dataclass

from dropship.domain.exchange.marketplace import OrderChanged, Recipient
from dropship.domain.orders.order import Order
from dropship.domain.orders.snapshots import Snapshot, receive, revise
from dropship.domain.orders.withdrawal import cancel
from dropship.ports import Conflict, Orders, Queues, Unavailable
from dropship.services.changing import ATTEMPTS, Moments, save_order
from dropship.services.messages import CancelOrder


@dataclass(frozen=True)
class Intake:
    """Takes in what marketplaces tell us about orders. Every event may come again."""

    orders: Orders
    queues: Queues
    moments: Moments

    def take_in(self, event: OrderChanged) -> Order | None:
        """Store what is new about the order, and return the order; None if it is not kept yet.

        An unpaid order is not kept until it is paid or called off. A cancellation of an order that is not finished (for
        example, because a purchase order was claimed) goes to after-sales, each time it comes.

        Raises:
            Unavailable: the order changes too fast.
        """
        worth_keeping = event.order.paid or event.order.off
        expect_none = event.likely_new and worth_keeping
        for _ in range(ATTEMPTS):
            loaded = None if expect_none else self.orders.load(event.order.key, fresh=True)
            expect_none = False
            if loaded is None and not worth_keeping:
                return None
            try:
                order = self._merge(event, loaded.value if loaded else None, loaded.version if loaded else 0)
            except Conflict:
                continue
            if event.order.cancelled_at is not None and not order.finished:
                self.queues.send("after-sales", CancelOrder(order=str(order.key)).model_dump_json())
            return order
        raise Unavailable(f"order {event.order.key} changes too fast")

    def _merge(self, event: OrderChanged, order: Order | None, version: int) -> Order:
        source, recipient = event.order, event.recipient or Recipient()
        moment = self.moments.of(source.shop)
        snapshot = Snapshot(source, recipient.digest, recipient.missing)
        if order is None:
            order, changed = receive(snapshot, moment), True
        else:
            changed = revise(order, snapshot, moment)
        if source.off and not order.claimed and not order.finished:
            cancel(order, moment)
            changed = True
        if changed:
            self.orders.put_source(source, recipient)
            save_order(self.orders, order, version, moment)
        return order
