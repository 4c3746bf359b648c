"""Tokens that run out and can be renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # so the front door can verify signatures without loading the models
    from collections.abc import Mapping

    from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access


class RefreshesTokens(Protocol):
    """The API secret holds a token that runs out, and what is needed to get a new one.

    When an answer says that the token has run out, the caller (`PartnerCalls`) gets a new one, stores it in the
    secret, and sends the request again.
    """

    def token_has_run_out(self, response: HttpResponse) -> bool:
        """Whether the answer to any request says that our token has run out; then the request had no effect."""

    def ask_refresh(self, access: Access) -> HttpRequest:
        """Ask for a new token."""

    def read_refresh(self, response: HttpResponse) -> Mapping[str, str] | Refused | Busy | Unknown:
        """The fields of the API secret that are new."""
