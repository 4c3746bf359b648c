"""Reads and checks the parameters of back-office calls. A refusal says what is wrong without quoting the input."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

from dropship.domain.attention import AttentionKind, AttentionQuery, Position, Urgency
from dropship.domain.errors import InvalidMessage
from dropship.domain.identity import CONNECTION_ID, EXTERNAL_ID

MOST, USUAL = 100, "50"
"""How many entries a list may have at most, and how many it has if the call does not say."""
_POSITION = re.compile(rf"([1-4])\.([0-9]{{13}})\.({CONNECTION_ID.pattern})\.([A-Za-z0-9_-]{{1,80}})")
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def check_shop(shop: str) -> None:
    """Raise InvalidMessage if the text cannot be the id of a shop."""
    if not CONNECTION_ID.fullmatch(shop):
        raise InvalidMessage("not a shop's id: it has 1 to 32 lower-case letters, digits and hyphens")


def check_ids(what: str, shop: str, name: str) -> None:
    """Raise InvalidMessage if shop and name cannot be a key; this is checked before any table is read."""
    check_shop(shop)
    if not EXTERNAL_ID.fullmatch(name):
        raise InvalidMessage(f"no id of {what}: it has 1 to 64 letters, digits, hyphens and underscores")


def check_day(text: str) -> None:
    """Raise InvalidMessage if the text is not a day in the form that the index of recent orders uses."""
    try:
        plain = date.fromisoformat(text).isoformat() == text  # our index does not use other ISO 8601 forms
    except ValueError:
        plain = False
    if not plain:
        raise InvalidMessage("day has to be a UTC day such as 2026-11-21")


def read_limit(text: str, others: Mapping[str, str]) -> int:
    """How many entries are wanted; `others` are unknown parameters, and any of them is refused."""
    if others:
        raise InvalidMessage("unknown parameters: " + ", ".join(sorted(name[:40] for name in others)))
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise InvalidMessage(f"limit has to be a whole number from 1 to {MOST}")
    return int(text)


def read_attention_query(
    kinds: Collection[AttentionKind], kind: str | None, shop: str | None, after: str | None, limit: int
) -> AttentionQuery:
    """Which part of a list is wanted: `kind` has to be one of `kinds`, `after` the `next` of an earlier page."""
    if kind is not None and kind not in kinds:
        raise InvalidMessage("kind has to be one of " + ", ".join(kinds))
    if shop is not None:
        check_shop(shop)
    return AttentionQuery(
        limit, None if kind is None else AttentionKind(kind), shop, None if after is None else _read_position(after)
    )


def write_position(position: Position) -> str:
    """The position as `after` takes it: urgency, milliseconds since 1970, shop and id."""
    shop, _, name = position.name.partition("#")
    return f"{position.urgency:d}.{(position.since - _EPOCH) // _MILLISECOND:013d}.{shop}.{name}"


def _read_position(text: str) -> Position:
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidMessage("after has to be the `next` of another page, as it was given")
    urgency, milliseconds, shop, name = found.groups()
    return Position(Urgency(int(urgency)), _EPOCH + int(milliseconds) * _MILLISECOND, f"{shop}#{name}")
