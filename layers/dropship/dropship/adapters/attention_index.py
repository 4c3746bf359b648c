"""The index `attention`: one entry for each item that needs a person, all in one partition, in list order.

A page is one query. The sort key is urgency and time, read backwards. An entry also holds what the list shows and the
kinds and the shop that it can be filtered by, so that nothing else is read. It is written only when the reasons change.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dropship.domain.attention import Attention, AttentionKind, AttentionQuery, Position, Urgency

from .dynamodb_items import Item, ItemTable, key, text
from .stamps import instant, stamp

OPEN = text("OPEN")
"""The one partition. Decision 51 says how much load it can take."""
LOOKED_THROUGH = 1000
"""How many entries a filtered page reads at most, about 150 bytes each."""


def attention_attributes(attention: Attention | None, shop: str) -> dict[str, Any]:
    """The attributes that put an item into the index; empty if it needs no person."""
    if attention is None:
        return {}
    return {
        "attention": OPEN,
        "attention_at": text(_sort_key(attention)),
        "kinds": {"L": [text(kind) for kind in attention.kinds]},
        "shop": text(shop),
    }


def attention_of(entry: Item) -> Attention:
    """Why the item of that entry needs a person."""
    kinds = tuple(AttentionKind(kind["S"]) for kind in entry["kinds"]["L"])
    return Attention(kinds, *_urgency_and_time(entry))


def attention_page(table: ItemTable, prefix: str, query: AttentionQuery) -> tuple[Sequence[Item], Position | None]:
    """The entries of one page, and the position after which the next page begins; None if this is the last page.

    `prefix` is what each `pk` begins with. A query for a kind or a shop reads up to `LOOKED_THROUGH` entries to fill
    the page.
    """
    where, values = [], {":open": OPEN["S"]}
    if query.kind is not None:
        where.append("contains(kinds, :kind)")
        values[":kind"] = query.kind
    if query.shop is not None:
        where.append("shop = :shop")
        values[":shop"] = query.shop
    found, last = table.query_page(
        "attention",
        "attention = :open",
        values,
        where=" AND ".join(where),
        newest=True,
        limit=max(query.limit, LOOKED_THROUGH) if where else query.limit,
        start=_start(prefix, query.after),
    )
    if len(found) > query.limit:
        found, last = found[: query.limit], found[query.limit - 1]
    return found, None if last is None else _position(prefix, last)


def _start(prefix: str, after: Position | None) -> Item | None:
    """The key after which a query begins; its entry need not exist any more."""
    if after is None:
        return None
    return key(f"{prefix}{after.name}", "STATE") | {"attention": OPEN, "attention_at": text(_sort_key(after))}


def _position(prefix: str, entry: Item) -> Position:
    urgency, since = _urgency_and_time(entry)
    return Position(urgency, since, entry["pk"]["S"].removeprefix(prefix))


def _urgency_and_time(entry: Item) -> tuple[Urgency, datetime]:
    urgency, _, since = entry["attention_at"]["S"].partition("#")
    return Urgency(int(urgency)), instant(since)


def _sort_key(position: Attention | Position) -> str:
    return f"{position.urgency:d}#{stamp(position.since)}"
