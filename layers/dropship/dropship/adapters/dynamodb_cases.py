"""After-sales cases in DynamoDB: `pk = C#shop#case id`, `sk = STATE`."""

from collections.abc import Iterable
from datetime import datetime

from dropship.domain.attention import AttentionPage, AttentionQuery, Entry
from dropship.domain.identity import OrderKey
from dropship.domain.remedies.case import Case
from dropship.ports import Loaded

from .attention_index import attention_attributes, attention_of, attention_page
from .dynamodb_items import Item, ItemTable, readable, state_item, text
from .stored_format import unpack


class DynamoCases:
    """Implements `ports.Cases`."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def load(self, shop: str, case: str) -> Loaded[Case] | None:
        """The case and its version."""
        item = self._table.read(_pk(shop, case), "STATE")
        if item is None:
            return None
        with readable(_pk(shop, case)):
            return Loaded(Case.model_validate_json(unpack(item["body"])), int(item["version"]["N"]))

    def save(self, case: Case, version: int) -> int:
        """One conditional write."""
        item = state_item(_pk(case.shop, case.id), case, case.model_dump_json(exclude_defaults=True))
        item |= attention_attributes(case.attention, case.shop) | {"order_id": text(case.order)}
        return self._table.write_version(item, version)

    def due(self, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        """(shop, case id) of cases of one shard whose clock has run out, the most overdue first."""
        for item in self._table.due(f"D#{shard}", now):
            yield _name_of(item)

    def needing_attention(self, query: AttentionQuery) -> AttentionPage:
        """Cases that need a person, each with its order; one query."""
        found, following = attention_page(self._table, "C#", query)
        return AttentionPage([_entry_of(item) for item in found], following)


def _pk(shop: str, case: str) -> str:
    return f"C#{shop}#{case}"


def _name_of(item: Item) -> tuple[str, str]:
    _, shop, case = item["pk"]["S"].split("#", 2)
    return shop, case


def _entry_of(item: Item) -> Entry:
    shop, case = _name_of(item)
    return Entry(f"{shop}#{case}", OrderKey(shop, item["order_id"]["S"]), attention_of(item))
