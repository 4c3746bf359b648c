"""Receiving: what the front door asks of the connector of a partner that sends us something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .requests import RawRequest


class Receives(Protocol):
    """Takes what its partner sends. Its reader is in the protocol of its role: `ReceivesOrders` and the like."""

    kept_headers: tuple[str, ...]
    """Headers (lower case) that `read_events` needs and that travel with the body; never a signature."""
    accepted: bytes
    """The body of our 200 answer, as the partner expects it: a JSON object, or a plain word."""

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """Check the signature over the raw bytes against each secret (current, previous).

        Raises:
            BadSignature: for whatever is wrong or malformed with it.
        """


class KeepsQuery(Protocol):
    """Needs parameters of the query to read what was received."""

    kept_query: tuple[str, ...]
    """Parameters that `read_events` needs and that travel with the body; never a signature."""


class Greets(Protocol):
    """Answers a greeting or a challenge, by which a partner tries our address. It may come by GET, and unsigned."""

    def greet(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> bytes | None:
        """The body of our 200 answer; None where the request is no greeting. Nothing is kept of a greeting.

        Raises:
            BadSignature: it is a greeting that has to be signed, and is not.
        """
