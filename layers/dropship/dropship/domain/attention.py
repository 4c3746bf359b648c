"""What needs a person: the reasons, how urgent they are, and since when, for orders and cases; and the list of them.

The list has the most urgent first; of equal urgency, the newest first.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, NewType, Self

from .identity import OrderKey

AttentionKind = NewType("AttentionKind", str)
"""The name of a reason in the list: `HOLD_` and the hold's reason, a task's kind, or `CASE_` and the case's status."""


class Urgency(IntEnum):
    """How soon a person has to look; a higher value is more urgent.

    - MONEY: until a person acts, money is lost or owed, or goods that nobody wants are sent.
    - GOODS: goods are not sent, or are sent to the wrong place.
    - DEADLINE: a deadline of a partner has passed, or one of ours is running.
    - OTHER: somebody should look.
    """

    OTHER = 1
    DEADLINE = 2
    GOODS = 3
    MONEY = 4


class Reason(NamedTuple):
    """One thing that needs a person."""

    kind: AttentionKind
    urgency: Urgency
    since: datetime


class Attention(NamedTuple):
    """Why a person is needed: each kind once, the most urgent first; of equal urgency, the newest first.

    `urgency` and `since` are those of the first kind. Less urgent reasons do not change them.
    """

    kinds: tuple[AttentionKind, ...]
    urgency: Urgency
    since: datetime

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> Self | None:
        """All of these reasons together; None if there are none."""
        ordered = sorted(reasons, key=lambda reason: (reason.urgency, reason.since), reverse=True)
        if not ordered:
            return None
        kinds = tuple(dict.fromkeys(reason.kind for reason in ordered))
        return cls(kinds, ordered[0].urgency, ordered[0].since)


class Position(NamedTuple):
    """A position in the list: right after the entry of that urgency, time and name."""

    urgency: Urgency
    since: datetime
    name: str


class Entry(NamedTuple):
    """One order of the list, or one case and its order; `name` is `shop#id` with the id of the order or case."""

    name: str
    order: OrderKey
    attention: Attention

    @property
    def position(self) -> Position:
        """The entry's position in the list."""
        return Position(self.attention.urgency, self.attention.since, self.name)


class AttentionQuery(NamedTuple):
    """Which entries are wanted: at most `limit`, that have `kind` among their kinds, of `shop`, after that position."""

    limit: int
    kind: AttentionKind | None = None
    shop: str | None = None
    after: Position | None = None


class AttentionPage(NamedTuple):
    """Some entries in the order of the list, and the position after which the next page begins; None on the last page.

    A page may be short or even empty although there are more pages, because entries that do not fit are left out.
    """

    entries: Sequence[Entry]
    next: Position | None
