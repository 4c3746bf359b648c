"""Other orders in the table: copies of real items as they were at each stage of their life, put there directly."""

import json
import re
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.happy_path import SHOP
from tools.local.stack import Stack
from tools.stored_items import opened, packed_for_the_wire

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ORDER = re.compile(rf"{SHOP}[#.](\d{{19}})")
_PARCEL = re.compile(r"YT\d{19,}")
_ids = count(10**18)


@dataclass
class Crowd:
    """Copies orders. `models` are the orders to copy, by stage; of each order the items that are in an index, unpacked.

    Items in no index are only read by their key, so more of them would change nothing.
    """

    stack: Stack
    models: dict[str, list[list[str]]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Do not use the orders that are in the table now as models."""
        self.known |= {_ORDER.search(json.dumps(item))[0] for item in self._items()}

    def learn(self, stage: str) -> None:
        """Remember the orders that are in the table now as models of this stage."""
        orders: dict[str, list[str]] = {}
        for item in self._items():
            text = json.dumps(item)
            order = _ORDER.search(text)[0]
            if order not in self.known:
                orders.setdefault(order, []).append(text)
        self.models[stage] = list(orders.values())

    def _items(self) -> Iterator[dict[str, Any]]:
        dynamodb = self.stack.client("dynamodb")
        indexes = dynamodb.describe_table(TableName=self.table)["Table"]["GlobalSecondaryIndexes"]
        keys = [{key["AttributeName"] for key in index["KeySchema"]} for index in indexes]
        for page in dynamodb.get_paginator("scan").paginate(TableName=self.table):
            yield from (opened(item) for item in page["Items"] if any(key <= item.keys() for key in keys))

    @property
    def table(self) -> str:
        """The orders table."""
        return self.stack.tables["OrdersTable"]

    def fill(self, wanted: int, stages: Iterable[str]) -> int:
        """Put copies of `wanted` orders into the table, in these stages in turn. Returns how many items were added.

        They were received between two and twenty hours ago, so no clock of a day or longer has run out.
        """
        models = [model for stage in stages for model in self.models[stage]]
        file = Path(self.stack.directory) / "crowd.jsonl"
        with file.open("w") as lines:
            for place in range(wanted):
                ago = timedelta(hours=2) + timedelta(hours=18) * place / wanted
                for line in _copies(models[place % len(models)], ago):
                    lines.write(json.dumps(packed_for_the_wire(json.loads(line))) + "\n")
        loaded = self._load(file)
        file.unlink()
        return loaded

    def _load(self, file: Path) -> int:
        """Load the items into the emulator's memory by a call that `call_record` adds; single writes take minutes."""
        body = json.dumps({"TableName": self.table, "File": str(file)}).encode()
        headers = {"X-Amz-Target": "DynamoDB_20120810.LoadItems", "Content-Type": "application/x-amz-json-1.0"}
        request = urllib.request.Request(self.stack.endpoint, body, headers)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return int(json.load(answer)["Count"])


def _copies(model: list[str], ago: timedelta) -> Iterator[str]:
    """The same items for another order, which was received earlier."""
    order, parcel = f"{next(_ids):019}", f"YT{next(_ids):020}"
    known = _ORDER.search(model[0])[1]
    for text in model:
        text = _PARCEL.sub(parcel, text).replace(known, order)  # noqa: PLW2901
        yield _MOMENT.sub(lambda found: (datetime.fromisoformat(found[0]) - ago).isoformat(), text)
