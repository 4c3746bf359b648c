"""Tokens that run out and can be renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the front door verifies signatures without paying for the models
    from collections.abc import Mapping

    from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access


class RefreshesTokens(Protocol):
    """The API secret holds a token that runs out, and what a new one is got with.

    Whoever calls the partner renews it when an answer says that it has run out, keeps what is new in the secret, and
    sends the request again.
    """

    def token_has_run_out(self, response: HttpResponse) -> bool:
        """Whether the answer, to whichever request, says that our token has run out; then it had no effect."""

    def ask_refresh(self, access: Access) -> HttpRequest:
        """Ask for a new token."""

    def read_refresh(self, response: HttpResponse) -> Mapping[str, str] | Refused | Busy | Unknown:
        """Those fields of the API secret that are new."""
