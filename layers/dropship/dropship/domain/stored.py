"""How aggregates are kept: what they are called in storage, where each byte is written, and billed, at every change."""

from pydantic import BaseModel, ConfigDict

_SHORT = {
    "purchase_order": "o",
    "purchase_orders": "p",
    "parcels": "w",
    "lines": "l",
    "line": "l",
    "units": "u",
    "status": "s",
    "state": "s",
    "timeline": "t",
    "number": "n",
    "carrier": "c",
    "quantity": "q",
    "sku": "k",
    "created_at": "c",
    "claimed_at": "c",
    "shipped_at": "a",
    "last_event_at": "e",
    "last_stage": "g",
    "source_version": "v",
    "recipient_digest": "r",
    "supplier_reference": "r",
    "supplier_sku": "k",
    "unit_cost": "m",
    "minor": "m",
    "currency": "c",
    "fulfilment": "f",
    "followed": "y",
    "due_at": "d",
    "writeback": "b",
    "writeback_at": "z",
    "shipped": "h",
    "ordered": "o",
    "delivered": "d",
    "in_transit": "i",
    "at_supplier": "a",
    "id": "i",
}


BRIEF = {
    "received": "rcv",
    "claimed": "clm",
    "placed": "plc",
    "acknowledged": "ack",
    "shipped": "shp",
    "all shipped": "all",
    "written back": "told",
    "parcel PICKED_UP": "p-up",
    "parcel IN_TRANSIT": "p-tr",
    "parcel OUT_FOR_DELIVERY": "p-of",
    "parcel DELIVERED": "p-dl",
    "delivered": "dlv",
}
"""What nearly every order's timeline says, and what storage has for it. Other words are kept as they are."""
IN_FULL = {brief: words for words, brief in BRIEF.items()}


def short(name: str) -> str:
    """The name of a field in storage; fields that are seldom there keep theirs."""
    return _SHORT.get(name, name)


class Stored(BaseModel):
    """A part of an aggregate. Storage has short names and times in seconds; whoever asks for no alias sees neither.

    An item is billed for each kilobyte at each write, and an order is written some eight times: with its full names it
    takes two or three units each time, so it takes one.
    """

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=short,
        validate_by_name=True,
        validate_by_alias=True,
        ser_json_temporal="seconds",
    )
