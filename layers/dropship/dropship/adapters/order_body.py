"""An order as the text of its item: short names, and nothing that its key says already."""

from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order

_PREFIX = "\x1f"
"""Stands for what every purchase order id of the order begins with. JSON text never has a control character itself."""


def pack(order: Order) -> str:
    """The text that `unpack` reads."""
    body = order.model_dump_json(by_alias=True, exclude_defaults=True)
    return body.removeprefix(_head(order.key)).replace(_ids(order.key), _PREFIX)


def unpack(key: OrderKey, text: str) -> Order:
    """The order."""
    return Order.model_validate_json(_head(key) + text.replace(_PREFIX, _ids(key)))


def _head(key: OrderKey) -> str:
    return f'{{"shop":"{key.shop}","external_id":"{key.external_id}",'


def _ids(key: OrderKey) -> str:
    return f"{key.shop}.{key.external_id}."
