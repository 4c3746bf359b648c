"""Orders and waybills in DynamoDB: `pk = O#shop#id`, `sk = STATE | DOC | RECIPIENT`; `pk = W#carrier#number`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.marketplace import MarketplaceOrder, Recipient
from dropship.domain.order import Order
from dropship.ports import Loaded, NotFound, WaybillEntry

from .dynamodb_items import Item, ItemTable, due_attributes, key, state_item, text
from .stamps import instant, stamp


class DynamoOrders:
    """Implements `ports.Orders`."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def load(self, key: OrderKey) -> Loaded[Order] | None:
        """The order's state and version."""
        item = self._table.read(_order_pk(key), "STATE")
        if item is None:
            return None
        return Loaded(Order.model_validate_json(item["body"]["S"]), int(item["version"]["N"]))

    def save(self, order: Order, version: int) -> int:
        """One conditional write; unchanged attributes of the `recent` index cost nothing."""
        received = stamp(order.created_at)
        item = state_item(_order_pk(order.key), order)
        item |= {"recent_shard": text(f"{order.shop}#{received[:10]}"), "created_at": text(received)}
        return self._table.write_version(item, version)

    def put_source(self, source: MarketplaceOrder, recipient: Recipient) -> None:
        """Two conditional writes; the address first, because nothing reads it before the order is saved."""
        pk, version = _order_pk(source.key), text(stamp(source.updated_at))
        for sk, document in (("RECIPIENT", recipient), ("DOC", source)):
            body = text(document.model_dump_json(exclude_defaults=True))
            self._table.put_if(
                key(pk, sk) | {"updated_at": version, "body": body},
                "attribute_not_exists(pk) OR updated_at <= :version",
                {":version": version},
            )

    def source(self, key: OrderKey) -> MarketplaceOrder:
        """The normalised marketplace order."""
        item = self._table.read(_order_pk(key), "DOC")
        if item is None:
            raise NotFound(f"order {key} has no source document")
        return MarketplaceOrder.model_validate_json(item["body"]["S"])

    def recipient(self, key: OrderKey) -> Recipient:
        """The buyer's address, or an empty one."""
        item = self._table.read(_order_pk(key), "RECIPIENT")
        return Recipient() if item is None else Recipient.model_validate_json(item["body"]["S"])

    def claim_waybill(self, waybill: Waybill, order: OrderKey, now: datetime) -> OrderKey:
        """Put if absent; from then on it is polled."""
        pk = _waybill_pk(waybill)
        item = key(pk, "WAYBILL") | {"order_key": text(str(order))} | due_attributes("P", pk, stamp(now))
        stored = self._table.put_if(item, "attribute_not_exists(pk)")
        return order if stored is None else _order_of(stored)

    def order_of(self, waybill: Waybill) -> OrderKey | None:
        """The order the waybill is tied to. It never changes, so only its absence needs the dearer read."""
        pk = _waybill_pk(waybill)
        item = self._table.read(pk, "WAYBILL", consistent=False) or self._table.read(pk, "WAYBILL")
        return None if item is None else _order_of(item)

    def touch_waybill(self, waybill: Waybill, now: datetime) -> None:
        """Start the poll clock again; a retired waybill stays retired."""
        self._table.update_if(
            _waybill_pk(waybill),
            "WAYBILL",
            "SET due_at = :now",
            "attribute_exists(due_shard)",
            {":now": text(stamp(now))},
        )

    def retire_waybill(self, waybill: Waybill) -> None:
        """Take the waybill out of the poll index."""
        self._table.update_if(
            _waybill_pk(waybill), "WAYBILL", "REMOVE due_shard, due_at", "attribute_exists(due_shard)"
        )

    def polled(self, shard: int) -> Iterable[WaybillEntry]:
        """Waybills of one shard that are still polled, the longest without news first."""
        for item in self._table.query("due", "due_shard = :shard", {":shard": f"P#{shard}"}):
            waybill = Waybill.parse(item["pk"]["S"].removeprefix("W#"))
            yield WaybillEntry(waybill, instant(item["due_at"]["S"]))

    def due(self, shard: int, now: datetime) -> Iterable[OrderKey]:
        """Orders of one shard whose clock has run out, the most overdue first."""
        for item in self._table.due(f"D#{shard}", now):
            yield _key_of(item)

    def needing_attention(self, kind: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        """Orders that need a person for that reason, the longest waiting first."""
        found = self._table.needing_attention(kind, limit)
        return [(_key_of(item), instant(item["attention_since"]["S"])) for item in found]

    def recent(self, shop: str, day: str, limit: int) -> Sequence[tuple[OrderKey, datetime]]:
        """Orders of a shop received on a UTC day, the newest first."""
        found = self._table.query("recent", "recent_shard = :day", {":day": f"{shop}#{day}"}, newest=True, limit=limit)
        return [(_key_of(item), instant(item["created_at"]["S"])) for item in found]


def _order_pk(key: OrderKey) -> str:
    return f"O#{key}"


def _waybill_pk(waybill: Waybill) -> str:
    return f"W#{waybill}"


def _key_of(item: Item) -> OrderKey:
    return OrderKey.parse(item["pk"]["S"].removeprefix("O#"))


def _order_of(item: Item) -> OrderKey:
    return OrderKey.parse(item["order_key"]["S"])
