"""Calls to partners: the connection's address and credentials, the requests it takes, one answer in our words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from dropship.connectors import find
from dropship.connectors.contract import Access, RefreshesTokens, Step, able
from dropship.domain.exchange.outcomes import Busy, Unknown
from dropship.domain.registry.connections import Shop, Supplier, Tracker
from dropship.ports import Clock, Http, HttpRequest, HttpResponse, NoAnswer, Secrets

Connection = Shop | Supplier | Tracker
MOST_STEPS = 20
_KEY_REFUSED = 401  # about us, not about the order: decision 46
_ROTATED_WITHIN_S = 10.0
_renewing = Lock()
"""Several threads may find at once that a token has run out; one of them renews it."""


@dataclass(frozen=True)
class PartnerCalls:
    """The way out to shops, suppliers and trackers."""

    http: Http
    secrets: Secrets
    clock: Clock

    def access(self, connection: Connection, *, newer_than_s: float | None = None) -> Access:
        """What requests to the connection are signed with; read at most once in a while, or if older than that.

        Raises:
            NotFound, Unavailable: it cannot be read.
        """
        return Access(self.secrets.get(_secret_of(connection), newer_than_s=newer_than_s), self.clock.now())

    def call[Answer](
        self,
        connection: Connection,
        build: Callable[[Access], HttpRequest],
        read: Callable[[HttpResponse], Answer | Step[Answer]],
    ) -> Answer | Busy | Unknown:
        """Send a request, and those that its answer leads to, each once the one before is answered.

        `Busy` where one provably did not arrive, `Unknown` where it may have.

        A key that is refused may have been rotated since it was read, and a token may have run out: then the request is
        sent with the new one.

        Raises:
            NotFound, Unavailable: the credentials cannot be read, or new ones cannot be kept; nothing was done.
        """
        step, access = Step(build, read), self.access(connection)
        for _ in range(MOST_STEPS):
            try:
                response, access = self._send(connection, step.build, access)
            except NoAnswer as silence:
                return Unknown(why=str(silence)) if silence.sent else Busy()
            answer = step.read(response)
            if not isinstance(answer, Step):
                return answer
            step = answer
        return Unknown(why=f"it was not done after {MOST_STEPS} requests")

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
        """With the new token, which is kept; with what another worker kept meanwhile, where we get none."""
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
