"""What a tracking service's connector may be able to do. `code` is its own code for the carrier.

`phone` is the last four digits of the buyer's phone where `NeedsPhone` says so, and empty for all other carriers, or
where the buyer gave none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .receiving import Receives

if TYPE_CHECKING:  # the front door verifies signatures without paying for the models
    from collections.abc import Sequence

    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.tracking import TrackingReport
    from dropship.domain.registry.connections import Tracker
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access, RawRequest, Step

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

    def read_query(self, response: HttpResponse) -> QueryAnswer | Step[QueryAnswer]:
        """The answer to `query`; Absent where it knows nothing of the parcel yet."""


class QueriesMany(Protocol):
    """Can be asked for many parcels in one request."""

    most_at_once: int
    """How many parcels one request may name."""

    def query_many(self, parcels: Sequence[AskedParcel], access: Access) -> HttpRequest:
        """Ask for the scans of at most that many parcels."""

    def read_query_many(
        self, response: HttpResponse, parcels: Sequence[AskedParcel]
    ) -> ManyAnswers | Step[ManyAnswers]:
        """An answer for each of the parcels, in their order; or one for the whole request."""


class NeedsPhone(Protocol):
    """Some carriers show a parcel's scans only to those who know its recipient's phone."""

    def needs_phone(self, code: str) -> bool:
        """Whether the carrier is one of them."""


class Subscribes(Protocol):
    """Can be asked to push what happens to a parcel. To ask twice is harmless."""

    def subscribe(self, parcel: AskedParcel, callback_url: str, access: Access) -> HttpRequest:
        """Ask for pushes about a parcel."""

    def read_subscribe(self, response: HttpResponse) -> Subscribed | Step[Subscribed]:
        """The answer to `subscribe`; None where it is, or was already, subscribed."""


class ReceivesReports(Receives, Protocol):
    """Scans are pushed to us."""

    def read_events(self, request: RawRequest, tracker: Tracker) -> Sequence[TrackingReport]:
        """The pushed reports; none where there is no news in it. InvalidMessage where it makes no sense."""
