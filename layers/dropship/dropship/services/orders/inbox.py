"""The inbox: orders from marketplaces, clocks that ran out, requests of ops people; each may start a dispatch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dropship.connectors import marketplace
from dropship.connectors.contract import ReceivesOrders, needed
from dropship.domain.errors import DomainError
from dropship.domain.exchange.marketplace import AfterSalesRequested, MarketplaceEvent, OrderChanged, OrderHint
from dropship.domain.identity import OrderKey
from dropship.domain.orders.lateness import overdue
from dropship.domain.orders.order import Order
from dropship.domain.orders.unrouted import Unrouted
from dropship.domain.orders.withdrawal import to_ask
from dropship.domain.registry.connections import Shop
from dropship.ports import Conflict, Orders, Queues, Registry, Unavailable, Workflows
from dropship.services.changing import Moments, change_order
from dropship.services.messages import (
    CancelOrder,
    CheckWithdrawals,
    CloseTask,
    DispatchAgain,
    DownloadOrders,
    FetchOrder,
    InboxMessage,
    OpenCase,
    OrderDue,
    ReleaseHold,
    TellMarketplace,
    Webhook,
)
from dropship.services.orders.intake import Intake
from dropship.services.partner_calls import PartnerCalls
from dropship.services.several import handle_each

from .download import Download


@dataclass(frozen=True)
class Inbox:
    """Handles the messages of the inbox. Every message may come again: what is done already is not done twice."""

    orders: Orders
    registry: Registry
    partners: Callable[[], PartnerCalls]
    """Called only when a marketplace has to be asked, because few messages need that."""
    queues: Queues
    workflows: Workflows
    moments: Moments

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
                self._dispatch_again(OrderKey.parse(message.order))
            case FetchOrder():
                self._fetch(message)
            case DownloadOrders():
                self._download(message)

    def _webhook(self, webhook: Webhook) -> None:
        shop = self.registry.shop(webhook.connection)
        connector = needed(marketplace(webhook.channel), ReceivesOrders)
        self._events(shop, connector.read_events(webhook.request, shop))

    def _fetch(self, message: FetchOrder) -> None:
        """Read an order from the marketplace. An order that was deleted there counts as cancelled."""
        shop, key = self.registry.shop(message.shop), OrderKey(message.shop, message.order)
        events = Download(self.partners()).order(shop, message.order)
        if events is not None:
            self._events(shop, events)
        elif not message.deleted:
            raise Unavailable(f"shop {shop.id} does not know the order {key} that it named")
        elif self.orders.load(key, fresh=True) is not None:
            self.queues.send("after-sales", CancelOrder(order=str(key)).model_dump_json())

    def _download(self, message: DownloadOrders) -> None:
        """Take in one page of changed orders; the next page is another message.

        An order that cannot be taken in now gets its own message, so that it does not stop the others.
        """
        shop = self.registry.shop(message.shop)
        page = Download(self.partners()).page(shop, message)
        for event in page.events:
            try:
                self._event(shop, event)
            except (DomainError, Conflict, Unavailable):
                if not isinstance(event, OrderChanged):
                    raise
                self._event(shop, OrderHint(order=event.order.external_id))
        if page.next_cursor:
            following = message.model_copy(update={"cursor": page.next_cursor})
            self.queues.send("inbox", following.model_dump_json())

    def _events(self, shop: Shop, events: Sequence[MarketplaceEvent]) -> None:
        """Take in each event separately; several equal hints count as one."""
        hints = dict.fromkeys(event for event in events if isinstance(event, OrderHint))
        others = [event for event in events if not isinstance(event, OrderHint)]
        handle_each([*others, *hints], lambda event: self._event(shop, event))

    def _event(self, shop: Shop, event: MarketplaceEvent) -> None:
        match event:
            case OrderChanged():
                self._order_changed(event)
            case AfterSalesRequested():
                self.queues.send("after-sales", OpenCase(request=event).model_dump_json())
            case OrderHint(order=order, deleted=deleted):  # a message of its own: asking takes time and may fail
                fetch = FetchOrder(shop=shop.id, order=order, deleted=deleted)
                self.queues.send("inbox", fetch.model_dump_json())

    def _dispatch_again(self, key: OrderKey) -> None:
        loaded = self.orders.load(key, fresh=True)
        if loaded is None:
            raise Unavailable(f"order {key} is not known yet")
        self._start(loaded.value, f"again-{self._minute()}")

    def _order_changed(self, event: OrderChanged) -> None:
        order = Intake(self.orders, self.queues, self.moments).take_in(event)
        if order is not None:
            self._start(order, "received")

    def _due(self, key: OrderKey) -> None:
        order, _ = change_order(self.orders, key, self.moments, overdue)
        for parcel in order.parcels:
            if parcel.untold:
                tell = TellMarketplace.of(key, parcel.waybill)
                self.queues.send("outbound", tell.model_dump_json())
        if to_ask(order):
            self.queues.send("after-sales", CheckWithdrawals.of(key).model_dump_json())
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
        return self.moments.clock.now().strftime("%Y%m%dT%H%M")
