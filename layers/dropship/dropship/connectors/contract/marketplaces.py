"""Capabilities of a marketplace's connector: receive, download, list, write back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .receiving import Receives

if TYPE_CHECKING:  # so the front door can verify signatures without loading the models
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.domain.exchange.marketplace import ChangedOrders, MarketplaceEvent
    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.writeback import FulfilmentState, ParcelShipped, WritebackResult
    from dropship.domain.registry.connections import Shop
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access, NextRequest, RawRequest

    type OrderAnswer = Sequence[MarketplaceEvent] | Absent | Refused | Busy | Unknown
    type ChangedAnswer = ChangedOrders | Refused | Busy | Unknown
    type FulfilmentAnswer = FulfilmentState | Refused | Busy | Unknown


class ReceivesOrders(Receives, Protocol):
    """Orders, refunds and returns are pushed to us."""

    def read_events(self, request: RawRequest, shop: Shop) -> Sequence[MarketplaceEvent]:
        """The events in the request, in the domain's terms; empty if its topic is not for us.

        If the request only names an order, the event is an `OrderHint`; then the connector also needs `Downloads`.

        Raises:
            InvalidMessage: the request breaks its contract.
        """


class Downloads(Protocol):
    """A single order can be read from the marketplace, because a hint or a list of changed orders named it."""

    def ask_order(self, order: str, access: Access) -> HttpRequest:
        """Ask for an order, by the marketplace's id."""

    def read_order(self, response: HttpResponse, shop: Shop) -> OrderAnswer | NextRequest[OrderAnswer]:
        """The order as if it had been pushed, and its refunds; Absent if the marketplace has no such order."""


class Lists(Protocol):
    """Orders that changed can be listed, so that an order is not missed if its push was lost."""

    def ask_changed(self, since: datetime, cursor: str, access: Access) -> HttpRequest:
        """Ask for orders that changed after `since`: the first page, or the one that `cursor` names."""

    def read_changed(
        self, response: HttpResponse, cursor: str, shop: Shop
    ) -> ChangedAnswer | NextRequest[ChangedAnswer]:
        """The page that `cursor` names, and the cursor of the next page.

        If the page has an order only in part, or an order that cannot be read, that order is an `OrderHint`.
        """


class WritesBack(Protocol):
    """The marketplace can be told about parcels (发货回传)."""

    def ask_fulfilment(self, order: str, access: Access) -> HttpRequest:
        """Ask which units of an order still have to be sent, and which tracking numbers the marketplace knows."""

    def read_fulfilment(self, response: HttpResponse) -> FulfilmentAnswer | NextRequest[FulfilmentAnswer]:
        """The answer to `ask_fulfilment`. All its requests may only read, not change anything."""

    def writeback(self, parcel: ParcelShipped, state: FulfilmentState, access: Access) -> HttpRequest:
        """Tell the marketplace about a parcel. Raises InvalidMessage if none of its units is open in `state`."""

    def read_writeback(
        self, response: HttpResponse, parcel: ParcelShipped, state: FulfilmentState
    ) -> WritebackResult | NextRequest[WritebackResult]:
        """The answer to `writeback`, or the next request that is needed.

        The process may end between two requests. Then all starts again with `ask_fulfilment`. So only the last request
        may make the marketplace know the number, and the requests before it have to be safe to repeat.
        """
