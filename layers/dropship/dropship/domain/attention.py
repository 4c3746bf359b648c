"""What needs a person: all reasons, how urgent they are, and since when; the same for orders and cases, and as a list.

The list has the most urgent first and, of those that are equally urgent, the newest first.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, NewType, Self

from .identity import OrderKey

AttentionKind = NewType("AttentionKind", str)
"""What a reason is listed as: `HOLD_` and the hold's reason, a task's kind, or `CASE_` and the case's status."""


class Urgency(IntEnum):
    """How soon a person has to look; the greater, the sooner.

    - MONEY: money is lost or owed, or goods go out that nobody wants, while nobody acts.
    - GOODS: goods do not go out, or go to the wrong place.
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
    """Why a person is needed: each kind once, the most urgent first, of equal urgency the newest first.

    `urgency` and `since` are those of the first kind. They stay as they are while lesser reasons come and go.
    """

    kinds: tuple[AttentionKind, ...]
    urgency: Urgency
    since: datetime

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> Self | None:
        """All of these reasons together; None where there is none."""
        ordered = sorted(reasons, key=lambda reason: (reason.urgency, reason.since), reverse=True)
        if not ordered:
            return None
        kinds = tuple(dict.fromkeys(reason.kind for reason in ordered))
        return cls(kinds, ordered[0].urgency, ordered[0].since)


class Place(NamedTuple):
    """A place in the list: right after the entry of that urgency, time and name."""

    urgency: Urgency
    since: datetime
    name: str


class Entry(NamedTuple):
    """One order of the list, or one case and the order it is about; `name` is the shop and its id: `shop#id`."""

    name: str
    order: OrderKey
    attention: Attention

    @property
    def place(self) -> Place:
        """Where the entry stands."""
        return Place(self.attention.urgency, self.attention.since, self.name)


class AttentionQuery(NamedTuple):
    """Which entries are wanted: at most `limit`, with that kind among theirs, of that shop, from that place on."""

    limit: int
    kind: AttentionKind | None = None
    shop: str | None = None
    after: Place | None = None


class AttentionPage(NamedTuple):
    """Some entries in the order of the list, and where the next page begins; None: there is no more.

    A page may be short, or empty, though there are more: what does not fit the query is passed over.
    """

    entries: Sequence[Entry]
    next: Place | None
