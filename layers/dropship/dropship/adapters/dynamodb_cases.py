"""After-sales cases in DynamoDB: `pk = C#shop#case id`, `sk = STATE`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dropship.domain.remedies.case import Case
from dropship.ports import Loaded

from .dynamodb_items import Item, ItemTable, readable, state_item
from .stamps import instant


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
            return Loaded(Case.model_validate_json(item["body"]["S"]), int(item["version"]["N"]))

    def save(self, case: Case, version: int) -> int:
        """One conditional write."""
        body = case.model_dump_json(exclude_defaults=True)
        return self._table.write_version(state_item(_pk(case.shop, case.id), case, body), version)

    def due(self, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        """(shop, case id) of cases of one shard whose clock has run out, the most overdue first."""
        for item in self._table.due(f"D#{shard}", now):
            yield _name_of(item)

    def needing_attention(self, kind: str, limit: int) -> Sequence[tuple[str, str, datetime]]:
        """(shop, case id, since) of cases that need a person for that reason, the longest waiting first."""
        found = self._table.needing_attention(kind, limit)
        return [(*_name_of(item), instant(item["attention_since"]["S"])) for item in found]


def _pk(shop: str, case: str) -> str:
    return f"C#{shop}#{case}"


def _name_of(item: Item) -> tuple[str, str]:
    _, shop, case = item["pk"]["S"].split("#", 2)
    return shop, case
