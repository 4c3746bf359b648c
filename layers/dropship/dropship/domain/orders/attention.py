"""Holds, which stop an order, and tasks, which need a person; what is at stake, and how urgent it is."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self

from dropship.domain.attention import AttentionKind, Urgency
from dropship.domain.part import Part

WORDS = 300
"""Partners' own words are cut to this length, because the order is one item of limited size."""


class HoldReason(StrEnum):
    """Why an order must not be dispatched now. It may have several holds; it is free when the last one is released."""

    ADDRESS_MISSING = "ADDRESS_MISSING"
    NO_SOURCE = "NO_SOURCE"
    SUPPLIER_REFUSED = "SUPPLIER_REFUSED"
    SUPPLIER_CONTRADICTS = "SUPPLIER_CONTRADICTS"
    DISPATCH_FAILED = "DISPATCH_FAILED"


class Stake(StrEnum):
    """What is at stake until a person deals with the task.

    - MONEY: goods may be sent twice, after a refund or not at all, or the marketplace is not told about a parcel.
    - TIME: a deadline has passed.
    - PLACING: it is not known whether a purchase order is, or will be, at its supplier.
    - NOTHING: a person should look, but nothing is lost until then.
    """

    MONEY = "MONEY"
    TIME = "TIME"
    PLACING = "PLACING"
    NOTHING = "NOTHING"


class TaskKind(StrEnum):
    """What needs a person but does not stop the dispatch; each kind has a stake."""

    stake: Stake

    def __new__(cls, name: str, stake: Stake) -> Self:
        """The value is the name alone; `stake` is an attribute."""
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
        """Keep the hold and change its words."""
        self.detail = detail[:WORDS]


class Task(Part):
    """A task: what, since when, and in which words; `about` names the purchase order, parcel or case."""

    kind: TaskKind
    since: datetime
    detail: str = ""
    about: str = ""


def hold_kind(reason: HoldReason) -> AttentionKind:
    """The name of a hold for that reason in the list of what needs a person."""
    return AttentionKind(f"HOLD_{reason}")


def task_kind(kind: TaskKind) -> AttentionKind:
    """The name of a task of that kind in that list."""
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
"""How soon a person has to look: it decides the position in the list. (The stake decides which alarm counts a task.)"""
ORDER_KINDS = (*map(hold_kind, HoldReason), *map(task_kind, TaskKind))
"""All names that an order can have in that list."""
