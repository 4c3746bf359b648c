"""HTTP requests to partners: pooled, limited in time and size, and only to public addresses.

Errors name only the partner's host, because paths, queries, headers and bodies hold keys and buyers' data.
"""

import re
from functools import cached_property
from ssl import SSLContext
from threading import Lock
from typing import Any, NamedTuple

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from dropship.ports import HttpRequest, HttpResponse, NoAnswer

from .addresses import Resolve, public_only, resolve
from .pinned_connections import PinnedHttpPool, PinnedHttpsPool

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0  # of the whole answer: decision 13
"""Connecting has one limit for all addresses of a host together, reading one for the whole answer.

So a partner that answers very slowly cannot block a worker.
"""
LARGEST_ANSWER = 5 * 1024 * 1024
MOST_HOSTS = 100
KEPT_CONNECTIONS = 25  # to one host; as many requests as a worker sends to a tracker at once
USER_AGENT = "daifa"
_HEADER = re.compile(r"[A-Za-z0-9-]+: [\t\x20-\x7e\xa0-\xff]*")


class Base(NamedTuple):
    """The parts of a connection's base URL."""

    scheme: str
    host: str
    port: int
    path: str


class PartnerHttp:
    """Implements `ports.Http`; several threads may send at once.

    Private addresses and plain HTTP are for the local stage only.
    """

    def __init__(
        self,
        *,
        allow_private_addresses: bool = False,
        resolve: Resolve = resolve,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._private = allow_private_addresses
        self._resolve = resolve
        self._timeout = Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
        self._pools: dict[tuple[str, str, int], PinnedHttpPool | PinnedHttpsPool] = {}
        self._lock = Lock()

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        """Send once; no retry, no redirect."""
        base = read_base(base_url, plain_allowed=self._private)
        if not request.path.startswith("/") or request.path.startswith("//"):
            raise NoAnswer(f"the path for {base.host} does not begin with one slash", sent=False)
        if not all(_HEADER.fullmatch(f"{name}: {value}") for name, value in request.headers.items()):
            raise NoAnswer(f"the request to {base.host} has a header that cannot be sent", sent=False)
        try:
            response = self._pool(base).urlopen(
                request.method,
                base.path + request.path,
                body=request.body or None,
                headers={"user-agent": USER_AGENT} | dict(request.headers),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            return _read(base.host, response)
        except (HTTPError, OSError, ValueError) as error:
            raise NoAnswer(f"no answer from {base.host}: {type(error).__name__}", sent=True) from None

    def _pool(self, base: Base) -> PinnedHttpPool | PinnedHttpsPool:
        key = base[:3]
        with self._lock:
            if key not in self._pools:
                if len(self._pools) >= MOST_HOSTS:
                    self._pools.clear()
                self._pools[key] = self._new_pool(base)
            return self._pools[key]

    def _new_pool(self, base: Base) -> PinnedHttpPool | PinnedHttpsPool:
        options: dict[str, Any] = {"timeout": self._timeout, "addresses": self._addresses}
        options["maxsize"] = KEPT_CONNECTIONS
        if base.scheme == "https":
            return PinnedHttpsPool(base.host, base.port, **options, ssl_context=self._tls)
        return PinnedHttpPool(base.host, base.port, **options)

    @cached_property
    def _tls(self) -> SSLContext:
        """One TLS context for all pools, because reading the machine's certificates takes longer than a handshake."""
        context = create_urllib3_context()
        context.load_default_certs()
        return context

    def _addresses(self, host: str, port: int) -> list[str]:
        found = list(self._resolve(host, port))
        return found if self._private else list(public_only(host, found))


def read_base(base_url: str, *, plain_allowed: bool) -> Base:
    """The parts of a base URL.

    Raises:
        NoAnswer: it is not allowed: it is not HTTPS, has no host, or has a user name, a query or a fragment.
    """
    try:
        url = parse_url(base_url)
    except ValueError:
        raise NoAnswer("the connection's base URL cannot be read", sent=False) from None
    if not url.host or url.auth or url.query is not None or url.fragment is not None:
        raise NoAnswer("the connection's base URL must be scheme, host and path only", sent=False)
    if url.scheme != "https" and not (plain_allowed and url.scheme == "http"):
        raise NoAnswer(f"{url.host} is not called: its base URL is not https", sent=False)
    port = url.port or (443 if url.scheme == "https" else 80)
    return Base(url.scheme, url.host, port, (url.path or "").rstrip("/"))


def _read(host: str, response: BaseHTTPResponse) -> HttpResponse:
    """The whole answer, if it is not too large; the connection goes back to its pool, or is closed on an error."""
    whole = False
    try:
        body = response.read(LARGEST_ANSWER + 1, decode_content=True)
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer(f"the answer of {host} is larger than {LARGEST_ANSWER} bytes", sent=True)
        whole = True
    finally:
        if not whole:
            response.close()
        response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.itermerged()}
    return HttpResponse(response.status, headers, body)
