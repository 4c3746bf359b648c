"""Order intake: a marketplace event in, one stored order and one started workflow out."""

from dataclasses import dataclass

from dropship.connectors import marketplace
from dropship.domain.exchange.marketplace import AfterSalesRequested, OrderChanged, Recipient
from dropship.domain.identity import OrderKey
from dropship.domain.orders.lateness import overdue
from dropship.domain.orders.order import Order
from dropship.domain.orders.snapshots import Snapshot, receive, revise
from dropship.domain.orders.unrouted import Unrouted
from dropship.domain.orders.withdrawal import cancel, to_ask
from dropship.ports import Clock, Conflict, Orders, Queues, Registry, Unavailable, Workflows
from dropship.services.changing import ATTEMPTS, Moments, change_order, save_order
from dropship.services.messages import (
    CancelOrder,
    CheckWithdrawals,
    CloseTask,
    DispatchAgain,
    InboxMessage,
    OpenCase,
    OrderDue,
    ReleaseHold,
    TellMarketplace,
    Webhook,
)


@dataclass(frozen=True)
class Inbox:
    """Takes in what the inbox holds. Every message may come again; each time what is missing is done."""

    orders: Orders
    registry: Registry
    queues: Queues
    workflows: Workflows
    clock: Clock

    @property
    def moments(self) -> Moments:
        """Now, in a shop."""
        return Moments(self.registry, self.clock)

    def handle(self, message: InboxMessage) -> None:
        """Handle one message of the inbox queue."""
        match message:
            case Webhook():
                self._webhook(message)
            case OrderDue():
                self._due(OrderKey.parse(message.order))
            case ReleaseHold():
                self._release(message)
            case CloseTask():
                self._close_task(message)
            case DispatchAgain():
                key = OrderKey.parse(message.order)
                loaded = self.orders.load(key, fresh=True)
                if loaded is None:
                    raise Unavailable(f"order {key} is not known yet")
                self._start(loaded.value, f"again-{self._minute()}")

    def _webhook(self, webhook: Webhook) -> None:
        shop = self.registry.shop(webhook.connection)
        event = marketplace(webhook.channel).read_event(webhook.request, shop)
        if isinstance(event, AfterSalesRequested):
            self.queues.send("after-sales", OpenCase(request=event).model_dump_json())
        elif isinstance(event, OrderChanged):
            self._order_changed(event)

    def _order_changed(self, event: OrderChanged) -> None:
        worth_keeping = event.order.paid or event.order.off
        expect_none = event.likely_new and worth_keeping
        for _ in range(ATTEMPTS):
            loaded = None if expect_none else self.orders.load(event.order.key, fresh=True)
            expect_none = False
            if loaded is None and not worth_keeping:
                return
            try:
                order = self._merge(event, loaded.value if loaded else None, loaded.version if loaded else 0)
            except Conflict:
                continue
            if event.order.cancelled_at is not None and not order.finished:
                self.queues.send("after-sales", CancelOrder(order=str(order.key)).model_dump_json())
            self._start(order, "received")
            return
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

    def _due(self, key: OrderKey) -> None:
        order, _ = change_order(self.orders, key, self.moments, overdue)
        for parcel in order.parcels:
            if parcel.untold:
                tell = TellMarketplace(order=str(key), carrier=parcel.carrier, number=parcel.number)
                self.queues.send("outbound", tell.model_dump_json())
        if to_ask(order):
            self.queues.send("after-sales", CheckWithdrawals(order=str(key)).model_dump_json())
        self._start(order, f"due-{self._minute()}")

    def _release(self, message: ReleaseHold) -> None:
        key = OrderKey.parse(message.order)
        order, _ = change_order(
            self.orders, key, self.moments, lambda order, moment: order.release(message.reason, moment, message.since)
        )
        self._start(order, "released")

    def _close_task(self, message: CloseTask) -> None:
        key = OrderKey.parse(message.order)
        change_order(
            self.orders,
            key,
            self.moments,
            lambda order, moment: order.close_tasks(message.task, moment, message.by, message.since),
        )

    def _start(self, order: Order, reason: str) -> None:
        if order.needs_dispatch:
            name = f"{order.shop}-{order.external_id}-{order.fence}-{reason}"
            self.workflows.start_fulfilment(order.key, name, reason, Unrouted.of(order))

    def _minute(self) -> str:
        return self.clock.now().strftime("%Y%m%dT%H%M")
