"""The example webhooks with new ids and dates, so that each run has a new order."""

import copy
import itertools
import json
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[3] / "events" / "webhook"
SHOP_ZONE = timezone(timedelta(hours=-4))

_ids = itertools.count(time.time_ns())


def paid_order() -> dict[str, Any]:
    """The payload of `orders/paid` for a new order."""
    order = payload("orders_paid")
    number = next(_ids)
    order |= {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "name": f"#{number // 1000 % 10**5:05}",
    }
    for line in order["line_items"]:
        line["id"] = next(_ids)
        line["admin_graphql_api_id"] = f"gid://shopify/LineItem/{line['id']}"
    return dated(order, "created_at", "processed_at", "updated_at")


def changed(order: dict[str, Any], **fields: object) -> dict[str, Any]:
    """A later version of an order, for `orders/updated`."""
    return copy.deepcopy(order) | {"updated_at": _later(order)} | fields


def cancelled(order: dict[str, Any]) -> dict[str, Any]:
    """The payload of `orders/cancelled`: nothing of the order may be sent any more."""
    lines = [line | {"fulfillable_quantity": 0} for line in order["line_items"]]
    return changed(order, cancel_reason="customer", cancelled_at=_later(order), line_items=lines)


def refund(order: dict[str, Any], units: dict[int, int]) -> dict[str, Any]:
    """The payload of `refunds/create`: `units` by order line id, at the price at which they were sold."""
    made = payload("refunds_create")
    prices = {line["id"]: Decimal(line["price"]) for line in order["line_items"]}
    row, amount = made["refund_line_items"][0], sum(prices[line] * count for line, count in units.items())
    rows = [
        row | {"id": next(_ids), "line_item_id": line, "quantity": count, "subtotal": float(prices[line] * count)}
        for line, count in units.items()
    ]
    transactions = [made["transactions"][0] | {"id": next(_ids), "amount": f"{amount:.2f}"}]
    made |= {"id": next(_ids), "order_id": order["id"], "refund_line_items": rows, "transactions": transactions}
    return dated(made, "created_at", "processed_at")


def payload(name: str) -> dict[str, Any]:
    """The body of `events/webhook/{name}.json`."""
    return dict(json.loads(_event(name)["body"]))


def dated(document: dict[str, Any], *fields: str) -> dict[str, Any]:
    """`document` with those fields set to the current time, in Shopify's format."""
    return document | dict.fromkeys(fields, datetime.now(SHOP_ZONE).isoformat(timespec="seconds"))


def _later(order: dict[str, Any]) -> str:
    return (datetime.fromisoformat(order["updated_at"]) + timedelta(seconds=1)).isoformat()


@cache
def _event(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / f"{name}.json").read_text()))
