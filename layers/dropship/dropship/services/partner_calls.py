"""Calls to partners: one call sends all the requests that it needs and returns one answer in the domain's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from dropship.connectors import find
from dropship.connectors.contract import Access, NextRequest, RefreshesTokens, able
from dropship.domain.exchange.outcomes import Busy, Unknown
from dropship.domain.registry.connections import Shop, Supplier, Tracker
from dropship.ports import Clock, Http, HttpRequest, HttpResponse, NoAnswer, Secrets

Connection = Shop | Supplier | Tracker
MOST_REQUESTS = 20
_KEY_REFUSED = 401  # 401 says that our key is wrong, not that the order is: decision 46
_ROTATED_WITHIN_S = 10.0
_renewing = Lock()
"""Several threads may find at the same time that a token has run out; only one of them renews it."""


@dataclass(frozen=True)
class PartnerCalls:
    """Sends requests to shops, suppliers and trackers."""

    http: Http
    secrets: Secrets
    clock: Clock

    def access(self, connection: Connection, *, newer_than_s: float | None = None) -> Access:
        """The secret that requests to the connection are signed with, and the time.

        The secret is cached for a while. It is read again if the cached one is older than `newer_than_s` seconds.

        Raises:
            NotFound, Unavailable: the secret cannot be read.
        """
        return Access(self.secrets.get(_secret_of(connection), newer_than_s=newer_than_s), self.clock.now())

    def call[Answer](
        self,
        connection: Connection,
        build: Callable[[Access], HttpRequest],
        read: Callable[[HttpResponse], Answer | NextRequest[Answer]],
    ) -> Answer | Busy | Unknown:
        """Send a request, then each further request that an answer asks for, one after the other.

        Returns `Busy` if the first request certainly did not arrive, and `Unknown` if it may have arrived, or if a
        further request has no answer.

        If the partner refuses the key, the key may have been rotated since it was read; a token may have run out. Then
        the request is sent once more with the new key or token.

        Raises:
            NotFound, Unavailable: the credentials cannot be read, or new ones cannot be kept. The request at hand did
                nothing; earlier requests of the same call may have taken effect.
        """
        following, access = NextRequest(build, read), self.access(connection)
        for number in range(MOST_REQUESTS):
            try:
                response, access = self._send(connection, following.build, access)
            except NoAnswer as silence:
                return Unknown(why=str(silence)) if silence.sent or number else Busy()
            answer = following.read(response)
            if not isinstance(answer, NextRequest):
                return answer
            following = answer
        return Unknown(why=f"it was not done after {MOST_REQUESTS} requests")

    def _send(
        self, connection: Connection, build: Callable[[Access], HttpRequest], access: Access
    ) -> tuple[HttpResponse, Access]:
        response = self.http.send(connection.base_url, build(access))
        renewer = able(find(connection.channel).connector, RefreshesTokens)
        has_run_out = renewer is not None and renewer.token_has_run_out(response)
        if not has_run_out and response.status != _KEY_REFUSED:
            return response, access
        with _renewing:
            newer = self.access(connection, newer_than_s=_ROTATED_WITHIN_S)
            if newer.secret == access.secret and renewer is not None and has_run_out:
                newer = self._renewed(connection, renewer, newer)
        if newer.secret == access.secret:
            return response, access
        return self.http.send(connection.base_url, build(newer)), newer

    def _renewed(self, connection: Connection, renewer: RefreshesTokens, access: Access) -> Access:
        """Access with a new token, which is also kept; if we get none, with the one another worker may have kept."""
        try:
            new = renewer.read_refresh(self.http.send(connection.base_url, renewer.ask_refresh(access)))
        except NoAnswer:
            new = Busy()
        if not isinstance(new, Mapping):
            return self.access(connection, newer_than_s=0)
        secret = {**access.secret, **new}
        self.secrets.put(_secret_of(connection), secret)
        return Access(secret, access.now)


def _secret_of(connection: Connection) -> str:
    return f"api/{connection.channel}/{connection.id}"
