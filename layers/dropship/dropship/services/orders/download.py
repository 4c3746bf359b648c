"""Read orders from their marketplace: one that a hint names, or all that changed, in case a push was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dropship.connectors import marketplace
from dropship.connectors.contract import Downloads, Lists, UnknownChannel, able, needed
from dropship.domain.exchange.marketplace import ChangedOrders, MarketplaceEvent, OrderChanged
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.registry.connections import Shop
from dropship.ports import Unavailable
from dropship.services.messages import DownloadOrders
from dropship.services.partner_calls import PartnerCalls

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)


@dataclass(frozen=True)
class Download:
    """Asks marketplaces for orders. Raises Unavailable if one gives no clear answer: the message comes again."""

    partners: PartnerCalls

    def order(self, shop: Shop, order: str) -> Sequence[MarketplaceEvent] | None:
        """The order as if it had been pushed, and its refunds; None if the marketplace has no such order."""
        connector = needed(marketplace(shop.channel), Downloads)
        answer = self.partners.call(
            shop,
            lambda access: connector.ask_order(order, access),
            lambda response: connector.read_order(response, shop),
        )
        if isinstance(answer, Absent):
            return None
        if isinstance(answer, Sequence):
            if any(_named(event) != order for event in answer):
                raise Unavailable(f"shop {shop.id} was asked for order {order} and answered with another")
            return answer
        raise _unavailable(f"shop {shop.id} did not give order {order}", answer)

    def page(self, shop: Shop, wanted: DownloadOrders) -> ChangedOrders:
        """One page of the orders that changed."""
        connector, cursor = needed(marketplace(shop.channel), Lists), wanted.cursor
        answer: ChangedOrders | Refused | Busy | Unknown = self.partners.call(
            shop,
            lambda access: connector.ask_changed(wanted.since, cursor, access),
            lambda response: connector.read_changed(response, cursor, shop),
        )
        if isinstance(answer, ChangedOrders):
            return answer
        raise _unavailable(f"shop {shop.id} did not list its changed orders", answer)


def _named(event: MarketplaceEvent) -> str:
    """The order that an event is about."""
    return event.order.external_id if isinstance(event, OrderChanged) else event.order


def _unavailable(what: str, answer: object) -> Unavailable:
    """The error for the log. It leaves out the partner's own words, because they may hold a buyer's data."""
    if isinstance(answer, Busy):
        return Unavailable(f"{what}: {answer.why}" if answer.why else what, answer.retry_after or 0)
    return Unavailable(f"{what}: it refused" if isinstance(answer, Refused) else f"{what}: its answer is unclear")


def due_download(shop: Shop, at: datetime, by_hand: timedelta | None = None) -> DownloadOrders | None:
    """The list of changed orders that a sweep at the time `at` has to download from a shop; None if there is none.

    It is needed because pushes may be lost, and some marketplaces send each push only once.

    - At each full quarter of an hour: what changed in the last half hour.
    - At midnight UTC: what changed in the last two days, because a marketplace may have been out of reach for hours.
    - With `by_hand`: what changed in that length of time before `at`, and nothing else.
    """
    if not _lists(shop):
        return None
    for every in (DAY, QUARTER):
        if by_hand is None and at.timestamp() % every.total_seconds() == 0:
            return DownloadOrders(shop=shop.id, since=at - 2 * every)
    return DownloadOrders(shop=shop.id, since=at - by_hand) if by_hand else None


def _lists(shop: Shop) -> bool:
    try:
        return able(marketplace(shop.channel), Lists) is not None
    except UnknownChannel:  # the next message of this shop will raise the error
        return False
