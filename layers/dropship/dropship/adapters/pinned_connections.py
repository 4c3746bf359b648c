"""Connections to an address that was checked just before, so that DNS cannot change it in between.

TLS still verifies the host's name, and the Host header still has it.
"""

import socket
from collections.abc import Callable, Sequence
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from dropship.ports import NoAnswer

from .addresses import RefusedAddress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# A connection that was idle for longer may be dead without a sign, for example after the function was frozen. If a
# request is sent on a dead connection, nobody knows whether it arrived.
IDLE_LIMIT_S = 15.0

Addresses = Callable[[str, int], Sequence[str]]


class _InTime(RawIOBase):
    """Limits the total time of all reads to the socket's timeout, which would otherwise count for each read alone."""

    def __init__(self, raw: RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        self._until = monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _AnswerInTime(HTTPResponse):
    """Headers and body together have to arrive within one read timeout."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - http.client's own
        super().__init__(sock, *args, **options)
        self.fp = BufferedReader(_InTime(self.fp.detach(), sock))


class PinnedHttp(HTTPConnection):
    """Connects only to the addresses that `addresses` returns for its host. If that fails, nothing was sent."""

    response_class = _AnswerInTime

    def __init__(self, *args: Any, addresses: Addresses, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        super().__init__(*args, **options)
        self._addresses = addresses
        self._idle_since = monotonic()

    def connect(self) -> None:
        """Connect, including the TLS handshake.

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
        until = monotonic() + (self.timeout or 0.0)
        for address in self._addresses(host, port):
            if (left := until - monotonic()) <= 0:
                raise TimeoutError("no address answered in time")
            try:
                return create_connection((address, port), left, socket_options=self.socket_options)
            except OSError as error:
                failure = error
        raise failure


class PinnedHttps(PinnedHttp, HTTPSConnection):
    """A pinned connection over TLS."""


class PinnedHttpPool(HTTPConnectionPool):
    """A pool of pinned connections to one host."""

    ConnectionCls = PinnedHttp


class PinnedHttpsPool(HTTPSConnectionPool):
    """A pool of pinned TLS connections to one host; certificates are verified."""

    ConnectionCls = PinnedHttps
