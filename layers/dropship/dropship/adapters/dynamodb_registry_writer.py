"""Write a seed into the registry table, and on request remove what the seed does not have."""

from collections.abc import Callable, Iterable, Iterator
from itertools import batched
from typing import TYPE_CHECKING, Any

from dropship.ports import Unavailable

from . import session
from .dynamodb_items import key, text
from .dynamodb_registry import OFFERS, SHOPS, SHOPS_PK, entry_pk, offers_pk
from .seed_file import Seed
from .session import unavailable_if_passing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 25
BATCH_ATTEMPTS = 8
FAMILIES = ("SHOP", "SUPPLIER", "TRACKER", "CARRIER", "SKU")


class RegistryWriter:
    """Writes to one registry table. Writing the same seed again changes nothing."""

    def __init__(self, table: str, dynamodb: "Callable[[], DynamoDBClient]" = session.dynamodb) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def put_all(self, seed: Seed, *, prune: bool = False) -> int:
        """Put every entry of the seed, and return how many entries were removed.

        `prune` removes connections and offers that the seed no longer has, after all others are written. The list of
        shops is written first, so that it names each shop before an order of the shop can be received.
        """
        shops = {shop.id for shop in seed.shops} | (set() if prune else set(self._shops()))
        items = [_shop_list(shops), *_connections(seed), *_offers(seed)]
        self._write([{"PutRequest": {"Item": item}} for item in items])
        if not prune:
            return 0
        kept = {item["pk"]["S"] for item in items}
        gone = [stored for stored in self._keys() if stored["pk"]["S"] not in kept]
        self._write([{"DeleteRequest": {"Key": stored}} for stored in gone])
        return len(gone)

    def _shops(self) -> Iterable[str]:
        with unavailable_if_passing(f"read from {self._table}"):
            answer = self._dynamodb().get_item(TableName=self._table, Key=key(SHOPS_PK, "CONFIG"), ConsistentRead=True)
        return SHOPS.validate_json(answer["Item"]["body"]["S"]) if "Item" in answer else ()

    def _keys(self) -> Iterator[Any]:
        pages = self._dynamodb().get_paginator("scan").paginate(TableName=self._table, ProjectionExpression="pk, sk")
        for page in pages:
            yield from (item for item in page["Items"] if item["pk"]["S"].partition("#")[0] in FAMILIES)

    def _write(self, requests: list[Any]) -> None:
        for chunk in batched(requests, BATCH, strict=False):
            asked: Any = {self._table: list(chunk)}
            for _ in range(BATCH_ATTEMPTS):
                with unavailable_if_passing(f"write to {self._table}"):
                    asked = self._dynamodb().batch_write_item(RequestItems=asked)["UnprocessedItems"]
                if not asked:
                    break
            else:
                raise Unavailable(f"cannot write to {self._table} now: some entries were not taken; repeat it")


def _shop_list(shops: Iterable[str]) -> dict[str, Any]:
    return key(SHOPS_PK, "CONFIG") | {"body": text(SHOPS.dump_json(tuple(sorted(shops))).decode())}


def _connections(seed: Seed) -> Iterator[dict[str, Any]]:
    for entry in (*seed.shops, *seed.suppliers, *seed.trackers, *seed.carriers):
        pk = entry_pk(type(entry), entry.id)
        yield key(pk, "CONFIG") | {"body": text(entry.model_dump_json(exclude_defaults=True))}


def _offers(seed: Seed) -> Iterator[dict[str, Any]]:
    for shop, by_sku in seed.offers.items():
        for sku, offers in by_sku.items():
            body = OFFERS.dump_json(offers, exclude_defaults=True).decode()
            yield key(offers_pk(shop, sku), "OFFERS") | {"body": text(body)}
