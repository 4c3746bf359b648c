"""Items of the tables with their body, which is stored compressed, as text; and back."""

import base64
from collections.abc import Mapping
from typing import Any

from dropship.adapters.stored_format import pack, unpack

Item = Mapping[str, Any]


def opened(item: Item) -> dict[str, Any]:
    """The item as the SDK returns it, but with its body as a text attribute.

    Raises:
        Unreadable: this version cannot read the body.
    """
    packed = "B" in item.get("body", {})
    return {**item, "body": {"S": unpack(item["body"]).decode()}} if packed else dict(item)


def packed_for_the_wire(item: Item) -> dict[str, Any]:
    """The opened item as in DynamoDB's JSON: its body packed, in base64."""
    return {**item, "body": {"B": base64.b64encode(pack(item["body"]["S"])["B"]).decode()}}
