"""What a connector is given and what it raises: a partner's request, our access, a further request, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # so the front door can verify signatures without loading the models
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dropship.ports import HttpRequest, HttpResponse


class UnknownChannel(Exception):
    """There is no connector of that name."""


class Incapable(Exception):
    """The connector of the channel lacks a capability that is needed."""


class BadSignature(Exception):
    """The request is not signed with any of the connection's secrets: answer 401, keep nothing."""


class RawRequest(NamedTuple):
    """A request as it came: header names in lower case, the body's exact bytes, the decoded query."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    query: Mapping[str, str] = {}


class Access(NamedTuple):
    """What we sign a request with: the connection's API secret, and the time."""

    secret: Mapping[str, object]
    now: datetime


class NextRequest[Answer](NamedTuple):
    """A further request that is needed after an answer. A method that reads an answer may return it as its result.

    `build` is called with the connection's access, and called again if the key was renewed meanwhile.
    """

    build: Callable[[Access], HttpRequest]
    read: Callable[[HttpResponse], Answer | NextRequest[Answer]]
