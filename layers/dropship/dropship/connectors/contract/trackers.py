"""Capabilities of a tracking service's connector. `code` is its own code for the carrier.

`phone` is the last four digits of the buyer's phone, for carriers that `NeedsPhone` names. It is empty for all other
carriers, and if the buyer gave no phone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .receiving import Receives

if TYPE_CHECKING:  # so the front door can verify signatures without loading the models
    from collections.abc import Sequence

    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.tracking import TrackingReport
    from dropship.domain.registry.connections import Tracker
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access, NextRequest, RawRequest

    type Subscribed = Refused | Busy | Unknown | None
    type ParcelAnswer = TrackingReport | Absent | Refused
    type QueryAnswer = ParcelAnswer | Busy | Unknown
    type ManyAnswers = Sequence[ParcelAnswer] | Refused | Busy | Unknown


class AskedParcel(NamedTuple):
    """A parcel whose scans are asked for."""

    code: str
    number: str
    phone: str = ""


class Queries(Protocol):
    """Can be asked for the scans of one parcel."""

    def query(self, parcel: AskedParcel, access: Access) -> HttpRequest:
        """Ask for a parcel's scans."""

    def read_query(self, response: HttpResponse) -> QueryAnswer | NextRequest[QueryAnswer]:
        """The answer to `query`; Absent if the tracker knows nothing about the parcel yet."""


class QueriesMany(Protocol):
    """Can be asked for many parcels in one request."""

    most_at_once: int
    """How many parcels one request may name."""

    def query_many(self, parcels: Sequence[AskedParcel], access: Access) -> HttpRequest:
        """Ask for the scans of at most that many parcels."""

    def read_query_many(
        self, response: HttpResponse, parcels: Sequence[AskedParcel]
    ) -> ManyAnswers | NextRequest[ManyAnswers]:
        """An answer for each of the parcels, in their order; or one for the whole request."""


class NeedsPhone(Protocol):
    """Some carriers show a parcel's scans only if the request has the recipient's phone."""

    def needs_phone(self, code: str) -> bool:
        """Whether the carrier is one of them."""


class Subscribes(Protocol):
    """Can be asked to push what happens to a parcel. To ask twice does no harm."""

    def subscribe(self, parcel: AskedParcel, callback_url: str, access: Access) -> HttpRequest:
        """Ask for pushes about a parcel."""

    def read_subscribe(self, response: HttpResponse) -> Subscribed | NextRequest[Subscribed]:
        """The answer to `subscribe`; None if the parcel is subscribed now, or was before."""


class ReceivesReports(Receives, Protocol):
    """Scans are pushed to us."""

    def read_events(self, request: RawRequest, tracker: Tracker) -> Sequence[TrackingReport]:
        """The pushed reports; empty if the push has no news.

        Raises:
            InvalidMessage: the push breaks its contract.
        """
