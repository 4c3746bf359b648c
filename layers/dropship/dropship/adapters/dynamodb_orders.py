"""Orders and waybills in DynamoDB: `pk = O#shop#id`, `sk = STATE | SOURCE`; `pk = W#carrier#number`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from zlib import crc32

from dropship.domain.attention import AttentionPage, AttentionQuery, Entry
from dropship.domain.exchange.marketplace import MarketplaceOrder, Recipient
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.events import Event
from dropship.domain.orders.order import Order
from dropship.domain.orders.polling import slot_of
from dropship.ports import RECENT_SHARDS, Loaded, NotFound, Sourced, Unavailable

from .attention_index import attention_attributes, attention_of, attention_page
from .dynamodb_items import Item, ItemTable, key, readable, state_item, text
from .stamps import instant, stamp
from .stored_format import pack, unpack

Hear = Callable[[OrderKey, Sequence[Event]], None]


def _nobody_hears(_order: OrderKey, _events: Sequence[Event]) -> None:
    """Ignore the events."""


class DynamoOrders:
    """Implements `ports.Orders`. After each save, `hear` gets the events of the order since the save before."""

    def __init__(self, table: ItemTable, hear: Hear = _nobody_hears) -> None:
        self._table = table
        self._hear = hear

    def load(self, key: OrderKey, *, fresh: bool = False) -> Loaded[Order] | None:
        """The order's state and version. Costs half a read unit, or one if `fresh`."""
        item = self._table.read(_order_pk(key), "STATE", consistent=fresh)
        return None if item is None else _loaded(key, item)

    def load_all(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Loaded[Order]]:
        """Many orders. Costs half a read unit each; one request reads up to a hundred."""
        wanted = {_order_pk(key): key for key in keys}
        found = {}
        for pk, item in self._table.read_many(wanted, "STATE", consistent=False).items():
            with suppress(Unavailable):
                found[wanted[pk]] = _loaded(wanted[pk], item)
        return found

    def load_with_source(self, key: OrderKey) -> Sourced | None:
        """One query. If an item is missing, or the address is not the one the order knows, all is read again, fresh."""
        items = self._table.read_all(_order_pk(key), ("SOURCE", "STATE"))
        if len(items) == 2:
            loaded, (source, recipient) = _loaded(key, items["STATE"]), _source_of(items["SOURCE"])
            if recipient.digest == loaded.value.recipient_digest:
                return Sourced(loaded, source, recipient)
        fresh = self.load(key, fresh=True)
        return None if fresh is None else Sourced(fresh, self.source(key), self.recipient(key))

    def save(self, order: Order, version: int) -> int:
        """One conditional write; an index whose attributes do not change costs nothing."""
        received = stamp(order.created_at)
        shard = crc32(order.external_id.encode()) % RECENT_SHARDS
        item = state_item(_order_pk(order.key), order, order.model_dump_json(exclude_defaults=True))
        item |= attention_attributes(order.attention, order.shop)
        item |= {"recent_shard": text(f"{order.shop}#{received[:10]}#{shard}"), "created_at": text(received)}
        if order.polled_since is not None:
            item |= {"poll_shard": text(f"P#{slot_of(order.key)}"), "shipped_at": text(stamp(order.polled_since))}
        saved = self._table.write_version(item, version)
        self._hear(order.key, order.pop_unsaved_events())
        return saved

    def put_source(self, source: MarketplaceOrder, recipient: Recipient) -> None:
        """One conditional write. The address has its own attribute, so that it can be erased separately."""
        version = text(stamp(source.updated_at))
        item = key(_order_pk(source.key), "SOURCE") | {
            "updated_at": version,
            "body": pack(source.model_dump_json(exclude_defaults=True)),
            "recipient": text(recipient.model_dump_json(exclude_defaults=True)),
        }
        self._table.put_if(item, "attribute_not_exists(pk) OR updated_at <= :version", {":version": version})

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """The normalised marketplace order."""
        item = self._table.read(_order_pk(key), "SOURCE")
        if item is None:
            raise NotFound(f"order {key} has no source document")
        return _source_of(item)[0]

    def recipient(self, key: OrderKey) -> Recipient:
        """The buyer's address, or an empty one."""
        item = self._table.read(_order_pk(key), "SOURCE")
        return Recipient() if item is None else _source_of(item)[1]

    def claim_waybill(self, waybill: Waybill, order: OrderKey) -> OrderKey:
        """Write the waybill if it is absent; it is never written again and is in no index."""
        item = key(_waybill_pk(waybill), "WAYBILL") | {"order_key": text(str(order))}
        stored = self._table.put_if(item, "attribute_not_exists(pk)")
        return order if stored is None else _order_of(stored)

    def order_of(self, waybill: Waybill) -> OrderKey | None:
        """The order the waybill is tied to. It never changes, so only a missing one needs the more expensive read."""
        pk = _waybill_pk(waybill)
        item = self._table.read(pk, "WAYBILL", consistent=False) or self._table.read(pk, "WAYBILL")
        return None if item is None else _order_of(item)

    def polled(self, slot: int, since: datetime | None) -> Iterable[OrderKey]:
        """Orders of one slot with a parcel that is followed; entries shipped before `since` are not read."""
        condition, values = "poll_shard = :shard", {":shard": f"P#{slot}"}
        if since is not None:
            condition, values = f"{condition} AND shipped_at > :since", values | {":since": stamp(since)}
        for item in self._table.query("polls", condition, values):
            yield _key_of(item)

    def due(self, shard: int, now: datetime) -> Iterable[OrderKey]:
        """Orders of one shard whose clock has run out, the most overdue first."""
        for item in self._table.due(f"D#{shard}", now):
            yield _key_of(item)

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Orders that need a person; one query."""
        found, following = attention_page(self._table, "O#", query)
        keys = ((_key_of(entry), attention_of(entry)) for entry in found)
        return AttentionPage([Entry(str(key), key, attention) for key, attention in keys], following)

    def recent(self, shop: str, day: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        """Orders of a shop received on a UTC day, the newest of all shards first."""
        shards = [
            self._table.query("recent", "recent_shard = :shard", {":shard": shard}, newest=True, limit=limit)
            for shard in _recent_shards(shop, day)
        ]
        newest = merge(*shards, key=lambda item: str(item["created_at"]["S"]), reverse=True)
        return [(_key_of(item), instant(item["created_at"]["S"])) for item in islice(newest, limit)]

    def received(self, shop: str, since: datetime, before: datetime) -> Iterable[OrderKey]:
        """Orders of a shop received from `since` on and before `before`.

        `BETWEEN` includes both ends, so an order received exactly at `before` is left out here.
        """
        last = stamp(before)
        for day in range((before.astimezone(UTC).date() - since.astimezone(UTC).date()).days + 1):
            for shard in _recent_shards(shop, stamp(since + timedelta(days=day))[:10]):
                values = {":shard": shard, ":since": stamp(since), ":last": last}
                for item in self._table.query(
                    "recent", "recent_shard = :shard AND created_at BETWEEN :since AND :last", values
                ):
                    if item["created_at"]["S"] < last:
                        yield _key_of(item)


def _order_pk(key: OrderKey) -> str:
    return f"O#{key}"


def _loaded(key: OrderKey, item: Item) -> Loaded[Order]:
    with readable(_order_pk(key)):
        return Loaded(Order.model_validate_json(unpack(item["body"])), int(item["version"]["N"]))


def _source_of(item: Item) -> tuple[MarketplaceOrder, Recipient]:
    kept = item["recipient"]["S"] if "recipient" in item else "{}"  # no address if it was erased
    with readable(item["pk"]["S"]):
        return MarketplaceOrder.model_validate_json(unpack(item["body"])), Recipient.model_validate_json(kept)


def _recent_shards(shop: str, day: str) -> list[str]:
    return [f"{shop}#{day}#{shard}" for shard in range(RECENT_SHARDS)]


def _waybill_pk(waybill: Waybill) -> str:
    return f"W#{waybill}"


def _key_of(item: Item) -> OrderKey:
    return OrderKey.parse(item["pk"]["S"].removeprefix("O#"))


def _order_of(item: Item) -> OrderKey:
    return OrderKey.parse(item["order_key"]["S"])
