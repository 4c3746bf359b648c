"""Receiving: what the front door needs from the connector of a partner that sends webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .requests import RawRequest


class Receives(Protocol):
    """Accepts the partner's webhooks. The protocol of its role adds `read_events`: for example `ReceivesOrders`."""

    kept_headers: tuple[str, ...]
    """Headers (lower case) that `read_events` needs; they are kept with the body. Never a signature."""
    accepted: bytes
    """The body of our 200 answer, as the partner expects it: a JSON object, or a plain word."""

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """Check the signature over the raw bytes against each secret (current, previous).

        Raises:
            BadSignature: the signature is missing, malformed or wrong.
        """


class KeepsQuery(Protocol):
    """Needs parameters of the query to read the webhook."""

    kept_query: tuple[str, ...]
    """Parameters that `read_events` needs; they are kept with the body. Never a signature."""


class Greets(Protocol):
    """Answers a greeting: a request (sometimes called a challenge) with which a partner tests our address.

    It may come by GET, and it may be unsigned.
    """

    def greet(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> bytes | None:
        """The body of our 200 answer; None if the request is no greeting. A greeting is not stored.

        Raises:
            BadSignature: it is a greeting that has to be signed, but it is not signed correctly.
        """
