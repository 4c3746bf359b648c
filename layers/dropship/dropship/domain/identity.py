"""Keys: how an order, its purchase orders and its parcels are named, by us and by partners."""

import re
from typing import NamedTuple, Self

from .errors import InvalidMessage

CONNECTION_ID = re.compile(r"[a-z0-9-]{1,32}")
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


class OrderKey(NamedTuple):
    """One order of one shop. Its text form is `{shop}#{external id}`."""

    shop: str
    external_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            InvalidMessage: the text is not `{shop}#{external id}`.
        """
        shop, separator, external_id = text.partition("#")
        if not (separator and CONNECTION_ID.fullmatch(shop) and EXTERNAL_ID.fullmatch(external_id)):
            raise InvalidMessage(f"not an order key: {text[:100]!r}; expected 'shop#order id'")
        return cls(shop, external_id)

    def __str__(self) -> str:
        return f"{self.shop}#{self.external_id}"


class PurchaseOrderId(NamedTuple):
    """The id of a purchase order. It is built from its parts, so that a repeat of the same work has the same id.

    The supplier gets it as reference and as idempotency key:
    `{shop}.{external id}.{supplier}.{split}.{attempt}`.
    """

    order: OrderKey
    supplier: str
    split: int
    attempt: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            InvalidMessage: the text is not one of our purchase order ids.
        """
        parts = text.split(".")
        if len(parts) == 5 and CONNECTION_ID.fullmatch(parts[2]) and all(map(_COUNT.fullmatch, parts[3:])):
            return cls(OrderKey.parse(f"{parts[0]}#{parts[1]}"), parts[2], int(parts[3]), int(parts[4]))
        raise InvalidMessage(f"not a purchase order id of ours: {text[:100]!r}")

    def __str__(self) -> str:
        return f"{self.order.shop}.{self.order.external_id}.{self.supplier}.{self.split}.{self.attempt}"


class Waybill(NamedTuple):
    """A carrier's number for one parcel. Its text form is `{carrier}#{number}`."""

    carrier: str
    number: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            InvalidMessage: the text is not `{carrier}#{number}`.
        """
        carrier, separator, number = text.partition("#")
        if not (separator and CONNECTION_ID.fullmatch(carrier) and EXTERNAL_ID.fullmatch(number)):
            raise InvalidMessage(f"not a waybill: {text[:100]!r}; expected 'carrier#number'")
        return cls(carrier, number)

    def __str__(self) -> str:
        return f"{self.carrier}#{self.number}"
