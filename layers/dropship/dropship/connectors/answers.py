"""The outcome of an answer that is no success, for partners that use the HTTP statuses as the standard says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import models
from .reading import ABOUT_US, cut, retry_after

if TYPE_CHECKING:
    from dropship.domain.errors import InvalidMessage

type Failure = models.Refused | models.Busy | models.Unknown


def not_answered(partner: str, response: models.HttpResponse, words: str = "") -> Failure:
    """The outcome for a request that has no effect: after a server error, ask again."""
    if response.status >= 500 or response.status in {408, 429}:
        return models.Busy(retry_after=retry_after(response))
    return not_done(partner, response, words)


def not_done(partner: str, response: models.HttpResponse, words: str = "") -> Failure:
    """The outcome for a request that may have an effect: after a server error it is `Unknown`.

    `words` are the partner's own reason for a refusal.
    """
    status = f"{partner} answered {response.status}"
    if response.status in {429, 503}:
        return models.Busy(retry_after=retry_after(response))
    if response.status in ABOUT_US:
        return models.Busy(why=status)
    if not 400 <= response.status < 500 or response.status == 408:
        return models.Unknown(why=status)
    return models.Refused(words=cut(f"{status}: {words}") if words else status)


def senseless(partner: str, why: InvalidMessage) -> models.Unknown:
    """The outcome for an answer that breaks the partner's contract."""
    return models.Unknown(why=f"{partner}'s answer makes no sense: {why}")
