"""The messages on the queues between the functions.

They carry keys and decisions. Only two of them may hold a buyer's data: `Webhook`, which carries the partner's own
request, and `OpenCase`, whose reason may be the buyer's words.
"""

import base64
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dropship.connectors.contract import RawRequest
from dropship.domain.exchange.marketplace import AfterSalesRequested
from dropship.domain.fact import ExternalId
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.remedies.case import Decision, ReportedStep


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Webhook(_Message):
    """A verified request of a partner, its body exactly as it came.

    The body is text in `body`, or base64 in `body_base64` if it is not UTF-8 or too long as JSON text. Of the headers
    and the query it holds only what its reader needs.
    """

    kind: Literal["webhook"] = "webhook"
    channel: str
    connection: str
    headers: dict[str, str]
    query: dict[str, str] = {}
    body: str | None = None
    body_base64: str | None = None

    @property
    def request(self) -> RawRequest:
        """The verified request, with the headers and query fields that were kept."""
        body = base64.b64decode(self.body_base64 or "") if self.body is None else self.body.encode()
        return RawRequest(self.headers, body, query=self.query)


class OrderDue(_Message):
    """A clock of the order has run out."""

    kind: Literal["order-due"] = "order-due"
    order: str


class ReleaseHold(_Message):
    """A person releases the hold that began at `since`; a hold that began later stays, because they did not see it."""

    kind: Literal["release-hold"] = "release-hold"
    order: str
    reason: HoldReason
    by: str
    since: datetime | None = None


class CloseTask(_Message):
    """A person has dealt with the tasks of one kind; the last task they saw began at `since`."""

    kind: Literal["close-task"] = "close-task"
    order: str
    task: TaskKind
    by: str
    since: datetime | None = None


class DispatchAgain(_Message):
    """A person, or a change elsewhere, wants the order dispatched."""

    kind: Literal["dispatch-again"] = "dispatch-again"
    order: str
    by: str


class FetchOrder(_Message):
    """Read an order from the marketplace: only its id there is known. `deleted` as in `OrderHint`."""

    kind: Literal["fetch-order"] = "fetch-order"
    shop: str
    order: ExternalId
    deleted: bool = False


class DownloadOrders(_Message):
    """Read the orders of a shop that changed after `since`; `cursor` names the page, empty for the first one."""

    kind: Literal["download-orders"] = "download-orders"
    shop: str
    since: datetime
    cursor: str = ""


class PollParcels(_Message):
    """Ask the trackers for news of the parcels under way of these orders (each `shop#order id`)."""

    kind: Literal["poll-parcels"] = "poll-parcels"
    orders: list[str]


class WatchParcel(_Message):
    """A new parcel: ask its tracker to push news of it."""

    kind: Literal["watch-parcel"] = "watch-parcel"
    waybill: str


class TellMarketplace(_Message):
    """A parcel of the order may have to be told to the marketplace."""

    kind: Literal["tell-marketplace"] = "tell-marketplace"
    order: str
    carrier: str
    number: str

    @classmethod
    def of(cls, order: OrderKey, parcel: Waybill) -> Self:
        """The message about one parcel of the order."""
        return cls(order=str(order), carrier=parcel.carrier, number=parcel.number)


class OpenCase(_Message):
    """A refund was made or a return was asked for."""

    kind: Literal["open-case"] = "open-case"
    request: AfterSalesRequested


class CancelOrder(_Message):
    """The marketplace cancelled the order."""

    kind: Literal["cancel-order"] = "cancel-order"
    order: str


class CheckWithdrawals(_Message):
    """Something happened to an order that has cancellations or cases under way: check what has to be done now."""

    kind: Literal["check-withdrawals"] = "check-withdrawals"
    order: str

    @classmethod
    def of(cls, order: OrderKey) -> Self:
        """The message about the order."""
        return cls(order=str(order))


class CaseDue(_Message):
    """The clock of a case (`shop#case id`) has run out."""

    kind: Literal["case-due"] = "case-due"
    case: str


class DecideCase(_Message):
    """A person approves or refuses a case.

    `steps` is how many lines the case's history had when they saw it. If it has another number of lines now, the
    decision is ignored.
    """

    kind: Literal["decide-case"] = "decide-case"
    case: str
    decision: Decision
    by: str
    words: str = ""
    steps: int | None = None


class TellCase(_Message):
    """A person reports what happened with the goods, the buyer or the platform (`remedies.case.ReportedStep`).

    `steps` as in `DecideCase`.
    """

    kind: Literal["tell-case"] = "tell-case"
    case: str
    event: ReportedStep
    by: str
    steps: int | None = None


InboxMessage = Annotated[
    Webhook | OrderDue | ReleaseHold | CloseTask | DispatchAgain | FetchOrder | DownloadOrders,
    Field(discriminator="kind"),
]
TrackingMessage = Annotated[Webhook | PollParcels | WatchParcel, Field(discriminator="kind")]
AfterSalesMessage = Annotated[
    OpenCase | CancelOrder | CheckWithdrawals | CaseDue | DecideCase | TellCase, Field(discriminator="kind")
]
INBOX: TypeAdapter[InboxMessage] = TypeAdapter(InboxMessage)
TRACKING: TypeAdapter[TrackingMessage] = TypeAdapter(TrackingMessage)
AFTER_SALES: TypeAdapter[AfterSalesMessage] = TypeAdapter(AfterSalesMessage)
_ASK_MARKETPLACES = ('"kind":"fetch-order"', '"kind":"download-orders"')


def asks_a_marketplace(body: str) -> bool:
    """Whether a message of the inbox, in the JSON form that we write, makes its worker wait for a marketplace."""
    return any(kind in body for kind in _ASK_MARKETPLACES)
