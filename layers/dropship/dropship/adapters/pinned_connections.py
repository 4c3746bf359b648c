"""Connections that go to an address which was checked just before, so that DNS cannot change in between.

TLS still verifies the host's name, and the Host header still carries it.
"""

import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from dropship.ports import NoAnswer

from .addresses import RefusedAddress

# A connection that lay idle longer may be dead without our knowing, as after a function was frozen; a request
# into a dead connection leaves us not knowing whether it arrived.
IDLE_LIMIT_S = 15.0

Addresses = Callable[[str, int], Sequence[str]]


class PinnedHttp(HTTPConnection):
    """Connects only to what `addresses` answers for its host. Whatever fails before that, nothing was sent."""

    def __init__(self, *args: Any, addresses: Addresses, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        super().__init__(*args, **options)
        self._addresses = addresses
        self._idle_since = monotonic()

    def connect(self) -> None:
        """Connect, TLS handshake included.

        Raises:
            NoAnswer: there is no connection; `sent` is False.
        """
        try:
            super().connect()
        except RefusedAddress as error:
            raise NoAnswer(str(error), sent=False) from None
        except (HTTPError, OSError, ValueError) as error:
            why = type(error).__name__
            raise NoAnswer(f"no connection to {self.host}: {why}", sent=False) from None

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use it again."""
        return super().is_connected and monotonic() - self._idle_since < IDLE_LIMIT_S

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's own
        """The response to the request that was sent."""
        self._idle_since = monotonic()
        return super().getresponse()

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port or self.default_port
        failure: OSError = OSError("the host has no address")
        for address in self._addresses(host, port):
            try:
                return create_connection((address, port), self.timeout, socket_options=self.socket_options)
            except OSError as error:
                failure = error
        raise failure


class PinnedHttps(PinnedHttp, HTTPSConnection):
    """The same over TLS."""


class PinnedHttpPool(HTTPConnectionPool):
    """A pool of pinned connections to one host."""

    ConnectionCls = PinnedHttp


class PinnedHttpsPool(HTTPSConnectionPool):
    """A pool of pinned TLS connections to one host; certificates are verified."""

    ConnectionCls = PinnedHttps
