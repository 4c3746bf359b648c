"""What stops an order, and what needs a person: holds and tasks, and what is lost while nobody looks at them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self

from dropship.domain.attention import AttentionKind, Urgency
from dropship.domain.part import Part

WORDS = 300
"""Partners' words are kept up to this length: the order is one item of limited size."""


class HoldReason(StrEnum):
    """Why an order must not be dispatched now. Holds stack; the last one released frees the order."""

    ADDRESS_MISSING = "ADDRESS_MISSING"
    NO_SOURCE = "NO_SOURCE"
    SUPPLIER_REFUSED = "SUPPLIER_REFUSED"
    SUPPLIER_CONTRADICTS = "SUPPLIER_CONTRADICTS"
    DISPATCH_FAILED = "DISPATCH_FAILED"


class Stake(StrEnum):
    """What a task costs while nobody sees to it.

    - MONEY: goods may be sent twice, after a refund or not at all, or nobody is told of a parcel.
    - TIME: a deadline has passed.
    - PLACING: it is not known whether a purchase order is, or will be, at its supplier.
    - NOTHING: somebody should look, and nothing is lost by then.
    """

    MONEY = "MONEY"
    TIME = "TIME"
    PLACING = "PLACING"
    NOTHING = "NOTHING"


class TaskKind(StrEnum):
    """What needs a person though it does not block the dispatch, each with what is at stake."""

    stake: Stake

    def __new__(cls, name: str, stake: Stake) -> Self:
        """A kind is its name; `stake` is kept beside it."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.stake = stake
        return kind

    DISPATCH_UNKNOWN = "DISPATCH_UNKNOWN", Stake.PLACING
    SUPPLIER_BUSY = "SUPPLIER_BUSY", Stake.PLACING
    ACKNOWLEDGE_LATE = "ACKNOWLEDGE_LATE", Stake.TIME
    SHIP_LATE = "SHIP_LATE", Stake.TIME
    CANCEL_REFUSED = "CANCEL_REFUSED", Stake.MONEY
    CANCEL_LATE = "CANCEL_LATE", Stake.TIME
    REFUNDED_ON_THE_WAY = "REFUNDED_ON_THE_WAY", Stake.MONEY
    ADDRESS_CHANGED = "ADDRESS_CHANGED", Stake.NOTHING
    QUANTITY_CHANGED = "QUANTITY_CHANGED", Stake.MONEY
    WAYBILL_REUSED = "WAYBILL_REUSED", Stake.MONEY
    SUPPLIER_EVENT_REFUSED = "SUPPLIER_EVENT_REFUSED", Stake.MONEY
    WRITEBACK_REFUSED = "WRITEBACK_REFUSED", Stake.MONEY
    PARCEL_STALLED = "PARCEL_STALLED", Stake.TIME
    PARCEL_EXCEPTION = "PARCEL_EXCEPTION", Stake.NOTHING


class Hold(Part):
    """A hold: why, since when, and in which words."""

    kind: HoldReason
    since: datetime
    detail: str = ""
    about: str = ""

    def reword(self, detail: str) -> None:
        """The same hold, for a reason in other words."""
        self.detail = detail[:WORDS]


class Task(Part):
    """A task: what, since when, and in which words; `about` names the purchase order, parcel or case."""

    kind: TaskKind
    since: datetime
    detail: str = ""
    about: str = ""


def hold_kind(reason: HoldReason) -> AttentionKind:
    """What a hold for that reason is listed as."""
    return AttentionKind(f"HOLD_{reason}")


def task_kind(kind: TaskKind) -> AttentionKind:
    """What a task of that kind is listed as."""
    return AttentionKind(kind.value)


URGENCY: Mapping[HoldReason | TaskKind, Urgency] = {
    HoldReason.ADDRESS_MISSING: Urgency.GOODS,
    HoldReason.NO_SOURCE: Urgency.GOODS,
    HoldReason.SUPPLIER_REFUSED: Urgency.GOODS,
    HoldReason.SUPPLIER_CONTRADICTS: Urgency.MONEY,
    HoldReason.DISPATCH_FAILED: Urgency.GOODS,
    TaskKind.DISPATCH_UNKNOWN: Urgency.GOODS,
    TaskKind.SUPPLIER_BUSY: Urgency.GOODS,
    TaskKind.ACKNOWLEDGE_LATE: Urgency.DEADLINE,
    TaskKind.SHIP_LATE: Urgency.DEADLINE,
    TaskKind.CANCEL_REFUSED: Urgency.MONEY,
    TaskKind.CANCEL_LATE: Urgency.MONEY,
    TaskKind.REFUNDED_ON_THE_WAY: Urgency.MONEY,
    TaskKind.ADDRESS_CHANGED: Urgency.GOODS,
    TaskKind.QUANTITY_CHANGED: Urgency.MONEY,
    TaskKind.WAYBILL_REUSED: Urgency.MONEY,
    TaskKind.SUPPLIER_EVENT_REFUSED: Urgency.MONEY,
    TaskKind.WRITEBACK_REFUSED: Urgency.MONEY,
    TaskKind.PARCEL_STALLED: Urgency.DEADLINE,
    TaskKind.PARCEL_EXCEPTION: Urgency.OTHER,
}
"""How soon a person has to look. What is at stake says which alarm counts a task, this where it stands in the list."""
ORDER_KINDS = (*map(hold_kind, HoldReason), *map(task_kind, TaskKind))
"""All that an order can be listed as."""
