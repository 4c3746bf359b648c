"""Orders, waybills and cases in memory. They are kept as JSON, so that nobody changes what is stored by accident."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dropship.adapters.stamps import instant, shard_of, stamp, stamp_due
from dropship.domain.attention import AttentionPage, AttentionQuery, Entry
from dropship.domain.exchange.marketplace import MarketplaceOrder, Recipient
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.events import Event
from dropship.domain.orders.order import Order
from dropship.domain.orders.polling import slot_of
from dropship.domain.remedies.case import Case
from dropship.ports import Conflict, Loaded, NotFound, Sourced


class Stored(NamedTuple):
    """One aggregate: its JSON, its version and its index entries."""

    body: str
    version: int
    due: str | None
    attention: Entry | None


class Versions[Name: OrderKey | tuple[str, str]]:
    """Aggregates by name, each with its version. A save that names another version is refused."""

    def __init__(self, family: str) -> None:
        self._family = family
        self.stored: dict[Name, Stored] = {}
        self.earlier: dict[Name, Stored] = {}
        """Each aggregate as it was before its last save."""

    def save(self, name: Name, aggregate: Order | Case, version: int) -> int:
        known = self.stored[name].version if name in self.stored else 0
        if known != version:
            raise Conflict(f"{'#'.join(name)}: expected version {version}, stored is {known}")
        due = aggregate.due
        if name in self.stored:
            self.earlier[name] = self.stored[name]
        self.stored[name] = Stored(
            aggregate.model_dump_json(exclude_defaults=True),
            version + 1,
            None if due is None else stamp_due(due),
            _entry("#".join(name), aggregate),
        )
        return version + 1

    def due(self, shard: int, now: datetime) -> list[Name]:
        found = [
            (stored.due, name)
            for name, stored in self.stored.items()
            if stored.due and stored.due <= stamp(now) and shard_of("#".join((self._family, *name))) == shard
        ]
        return [name for _, name in sorted(found)]

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        entries = [stored.attention for stored in self.stored.values() if stored.attention]
        wanted = [
            entry
            for entry in sorted(entries, key=lambda entry: entry.position, reverse=True)
            if (query.after is None or entry.position < query.after)
            and query.kind in {None, *entry.attention.kinds}
            and query.shop in {None, entry.order.shop}
        ]
        page = wanted[: query.limit]
        return AttentionPage(page, page[-1].position if len(wanted) > len(page) else None)


def _entry(name: str, aggregate: Order | Case) -> Entry | None:
    attention = aggregate.attention
    if attention is None:
        return None
    order = aggregate.key if isinstance(aggregate, Order) else OrderKey(aggregate.shop, aggregate.order)
    return Entry(name, order, attention._replace(since=instant(stamp(attention.since))))


class FakeOrders:
    """`ports.Orders`."""

    def __init__(self, hear: Callable[[OrderKey, Sequence[Event]], None] = lambda *_: None) -> None:
        self.hear = hear
        """Called after each save with what has happened to the order since the save before."""
        self.states: Versions[OrderKey] = Versions("O")
        self.lagging = False
        """Whether reads that are not fresh show each order as it was before its last save."""
        self.sources: dict[OrderKey, MarketplaceOrder] = {}
        self.recipients: dict[OrderKey, tuple[datetime, Recipient]] = {}
        self.waybills: dict[Waybill, OrderKey] = {}

    def load(self, key: OrderKey, *, fresh: bool = False) -> Loaded[Order] | None:
        stored = self.states.stored.get(key) if fresh or not self.lagging else self.states.earlier.get(key)
        return stored and Loaded(Order.model_validate_json(stored.body), stored.version)

    def load_all(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Loaded[Order]]:
        return {key: loaded for key in keys if (loaded := self.load(key)) is not None}

    def load_with_source(self, key: OrderKey) -> Sourced | None:
        loaded = self.load(key)
        if loaded is None or self.recipient(key).digest != loaded.value.recipient_digest:
            loaded = self.load(key, fresh=True)
        return loaded and Sourced(loaded, self.source(key), self.recipient(key))

    def save(self, order: Order, version: int) -> int:
        saved = self.states.save(order.key, order, version)
        self.hear(order.key, order.pop_unsaved_events())
        return saved

    def put_source(self, source: MarketplaceOrder, recipient: Recipient) -> None:
        key, version = source.key, source.updated_at
        if key not in self.sources or self.sources[key].updated_at <= version:
            self.sources[key] = source
        if key not in self.recipients or self.recipients[key][0] <= version:
            self.recipients[key] = (version, recipient)

    def source(self, key: OrderKey) -> MarketplaceOrder:
        if key not in self.sources:
            raise NotFound(f"order {key} has no source document")
        return self.sources[key]

    def recipient(self, key: OrderKey) -> Recipient:
        return self.recipients[key][1] if key in self.recipients else Recipient()

    def claim_waybill(self, waybill: Waybill, order: OrderKey) -> OrderKey:
        return self.waybills.setdefault(waybill, order)

    def order_of(self, waybill: Waybill) -> OrderKey | None:
        return self.waybills.get(waybill)

    def polled(self, slot: int, since: datetime | None) -> Iterable[OrderKey]:
        entries = sorted((stamp(order.polled_since), order.key) for order in self.all() if order.polled_since)
        return [key for at, key in entries if slot_of(key) == slot and (since is None or at > stamp(since))]

    def due(self, shard: int, now: datetime) -> Iterable[OrderKey]:
        return self.states.due(shard, now)

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        return self.states.needing_attention(query)

    def recent(self, shop: str, day: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        received = sorted(((stamp(order.created_at), order.key) for order in self.all()), reverse=True)
        found = [(key, instant(at)) for at, key in received if key.shop == shop and at.startswith(day)]
        return found[:limit]

    def received(self, shop: str, since: datetime, before: datetime) -> Iterable[OrderKey]:
        times = ((stamp(order.created_at), order.key) for order in self.all() if order.shop == shop)
        return [key for at, key in sorted(times) if stamp(since) <= at < stamp(before)]

    def all(self) -> Iterator[Order]:
        """Every order as it is stored."""
        return (Order.model_validate_json(stored.body) for stored in self.states.stored.values())


class FakeCases:
    """`ports.Cases`."""

    def __init__(self) -> None:
        self.states: Versions[tuple[str, str]] = Versions("C")

    def load(self, shop: str, case: str) -> Loaded[Case] | None:
        stored = self.states.stored.get((shop, case))
        return stored and Loaded(Case.model_validate_json(stored.body), stored.version)

    def save(self, case: Case, version: int) -> int:
        return self.states.save((case.shop, case.id), case, version)

    def due(self, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        return self.states.due(shard, now)

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        return self.states.needing_attention(query)

    def all(self) -> Iterator[Case]:
        """Every case as it is stored."""
        return (Case.model_validate_json(stored.body) for stored in self.states.stored.values())
