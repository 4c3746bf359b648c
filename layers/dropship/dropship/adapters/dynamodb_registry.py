"""The registry in DynamoDB, cached in memory: connections change rarely and are read with every message."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter

from dropship.domain.registry.connections import Carrier, Shop, Supplier, Tracker
from dropship.domain.registry.offers import Offer
from dropship.ports import NotFound

from . import session
from .dynamodb_items import ItemTable, key
from .expiring import Expiring
from .session import unavailable_if_passing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KNOWN_FOR_S = 60.0
UNKNOWN_FOR_S = 5.0

OFFERS: TypeAdapter[tuple[Offer, ...]] = TypeAdapter(tuple[Offer, ...])
SHOPS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
SHOPS_PK = "SHOPS"
"""The partition key of the one item that lists the ids of all shops."""


class DynamoRegistry:
    """Implements `ports.Registry`. A new entry is seen after 5 s at most, a change or a new shop of `shops` in 60."""

    def __init__(
        self,
        table: str,
        dynamodb: "Callable[[], DynamoDBClient]" = session.dynamodb,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._items = ItemTable(table, dynamodb)
        self._entries: Expiring[BaseModel | NotFound] = Expiring(clock)
        self._offers: Expiring[tuple[Offer, ...]] = Expiring(clock)
        self._shops: Expiring[tuple[str, ...]] = Expiring(clock)

    def shops(self) -> Sequence[str]:
        """The ids of all shops."""
        found = self._shops.get(SHOPS_PK)
        if found is None:
            body = self._read_config(SHOPS_PK)
            if body is None:
                raise NotFound("the registry has no list of shops; write the seed again")
            found = SHOPS.validate_json(body)
            self._shops.keep(SHOPS_PK, found, KNOWN_FOR_S)
        return found

    def shop(self, shop: str) -> Shop:
        """A shop."""
        return self._entry(Shop, shop)

    def supplier(self, supplier: str) -> Supplier:
        """A supplier."""
        return self._entry(Supplier, supplier)

    def carrier(self, carrier: str) -> Carrier:
        """A carrier."""
        return self._entry(Carrier, carrier)

    def tracker(self, tracker: str) -> Tracker:
        """A tracking service."""
        return self._entry(Tracker, tracker)

    def offers(self, shop: str, skus: Iterable[str]) -> Mapping[str, Sequence[Offer]]:
        """Offers by SKU; all that are not cached are read together."""
        wanted = list(dict.fromkeys(sku for sku in skus if sku))
        unknown = [sku for sku in wanted if self._offers.get(offers_pk(shop, sku)) is None]
        found = {sku: self._offers.get(offers_pk(shop, sku)) or () for sku in wanted}
        items = self._items.read_many([offers_pk(shop, sku) for sku in unknown], "OFFERS", consistent=False)
        for sku in unknown:
            pk = offers_pk(shop, sku)
            found[sku] = OFFERS.validate_json(items[pk]["body"]["S"]) if pk in items else ()
            self._offers.keep(pk, found[sku], KNOWN_FOR_S if found[sku] else UNKNOWN_FOR_S)
        return {sku: offers for sku, offers in found.items() if offers}

    def _entry[Entry: BaseModel](self, kind: type[Entry], name: str) -> Entry:
        pk = entry_pk(kind, name)
        entry = self._entries.get(pk)
        if entry is None:
            entry = self._read(kind, pk)
            self._entries.keep(pk, entry, UNKNOWN_FOR_S if isinstance(entry, NotFound) else KNOWN_FOR_S)
        if isinstance(entry, kind):
            return entry
        raise NotFound(f"the registry has no {kind.__name__.lower()} {name[:40]!r}")

    def _read[Entry: BaseModel](self, kind: type[Entry], pk: str) -> Entry | NotFound:
        body = self._read_config(pk)
        return NotFound(pk) if body is None else kind.model_validate_json(body)

    def _read_config(self, pk: str) -> str | None:
        with unavailable_if_passing(f"read from {self._table}"):
            answer = self._dynamodb().get_item(TableName=self._table, Key=key(pk, "CONFIG"))
        return answer["Item"]["body"]["S"] if "Item" in answer else None


def entry_pk(kind: type[BaseModel], name: str) -> str:
    """The partition key of a connection, e.g. `SHOP#main-shop`."""
    return f"{kind.__name__.upper()}#{name}"


def offers_pk(shop: str, sku: str) -> str:
    """The partition key of the offers for a SKU of a shop."""
    return f"SKU#{shop}#{sku}"
