"""What a marketplace's connector may be able to do: receive, download, list, write back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .receiving import Receives

if TYPE_CHECKING:  # the front door verifies signatures without paying for the models
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.domain.exchange.marketplace import ChangedOrders, MarketplaceEvent
    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.writeback import FulfilmentState, ParcelShipped, WritebackResult
    from dropship.domain.registry.connections import Shop
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access, RawRequest, Step

    type OrderAnswer = Sequence[MarketplaceEvent] | Absent | Refused | Busy | Unknown
    type ChangedAnswer = ChangedOrders | Refused | Busy | Unknown
    type FulfilmentAnswer = FulfilmentState | Refused | Busy | Unknown


class ReceivesOrders(Receives, Protocol):
    """Orders, refunds and returns are pushed to us."""

    def read_events(self, request: RawRequest, shop: Shop) -> Sequence[MarketplaceEvent]:
        """What the request tells, in our words; nothing where its topic is not for us.

        An `OrderHint` where it only names an order: `Downloads` has to be there to follow it.

        Raises:
            InvalidMessage: it makes no sense.
        """


class Downloads(Protocol):
    """A single order can be read from the marketplace: where a hint named it, or a list of changed orders."""

    def ask_order(self, order: str, access: Access) -> HttpRequest:
        """Ask for an order, by the marketplace's id."""

    def read_order(self, response: HttpResponse, shop: Shop) -> OrderAnswer | Step[OrderAnswer]:
        """The order as if it had been pushed, and its refunds; Absent where the marketplace has no such order."""


class Lists(Protocol):
    """Orders that changed can be listed, so that none is missed whose push was lost."""

    def ask_changed(self, since: datetime, cursor: str, access: Access) -> HttpRequest:
        """Ask for orders that changed after `since`: the first page, or the one that `cursor` names."""

    def read_changed(self, response: HttpResponse, cursor: str, shop: Shop) -> ChangedAnswer | Step[ChangedAnswer]:
        """The page that `cursor` names, and the cursor of the next one.

        An order that is not in it as a whole, or cannot be read there, is an `OrderHint`.
        """


class WritesBack(Protocol):
    """The marketplace can be told of parcels (发货回传)."""

    def ask_fulfilment(self, order: str, access: Access) -> HttpRequest:
        """Ask what is still to be sent of an order and which tracking numbers are known."""

    def read_fulfilment(self, response: HttpResponse) -> FulfilmentAnswer | Step[FulfilmentAnswer]:
        """The answer to `ask_fulfilment`. Steps may only ask: nothing is changed by them."""

    def writeback(self, parcel: ParcelShipped, state: FulfilmentState, access: Access) -> HttpRequest:
        """Tell of a parcel. InvalidMessage where none of its units is open in `state`."""

    def read_writeback(
        self, response: HttpResponse, parcel: ParcelShipped, state: FulfilmentState
    ) -> WritebackResult | Step[WritebackResult]:
        """The answer to `writeback`, or the next request that it takes.

        A process may end between two of them. Then all is begun again with `ask_fulfilment`, so a number may count as
        told only by what the last request does, and the others have to be safe to repeat.
        """
