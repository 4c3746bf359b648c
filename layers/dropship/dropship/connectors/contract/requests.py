"""What a connector is given and what it raises: a partner's request, our secret and the time, a further request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the front door verifies signatures without paying for the models
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dropship.ports import HttpRequest, HttpResponse


class UnknownChannel(Exception):
    """There is no connector of that name."""


class Incapable(Exception):
    """The connector of the channel lacks the capability that was asked of it."""


class BadSignature(Exception):
    """The request is not signed with any of the connection's secrets: answer 401, keep nothing."""


class RawRequest(NamedTuple):
    """A request as it came: header names in lower case, the body's exact bytes, the decoded query."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    query: Mapping[str, str] = {}


class Access(NamedTuple):
    """What a request of ours is signed with: the connection's API secret, and the time."""

    secret: Mapping[str, object]
    now: datetime


class Step[Answer](NamedTuple):
    """A further request that an answer leads to. Whatever reads an answer may give one instead of a result.

    `build` is called with the connection's access, again if its key was renewed meanwhile.
    """

    build: Callable[[Access], HttpRequest]
    read: Callable[[HttpResponse], Answer | Step[Answer]]
