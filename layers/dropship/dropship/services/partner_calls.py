"""Calls to partners: the connection's address and credentials, one request, one answer in our words."""

from collections.abc import Callable
from dataclasses import dataclass

from dropship.connectors.contract import Credentials
from dropship.domain.exchange.outcomes import Busy, Unknown
from dropship.domain.registry.connections import Shop, Supplier, Tracker
from dropship.ports import Http, HttpRequest, HttpResponse, NoAnswer, Secrets

_KEY_REFUSED = 401  # about us, not about the order: decision 46
_ROTATED_WITHIN_S = 10.0


@dataclass(frozen=True)
class PartnerCalls:
    """The way out to shops, suppliers and trackers."""

    http: Http
    secrets: Secrets

    def credentials(self, connection: Shop | Supplier | Tracker, *, newer_than_s: float | None = None) -> Credentials:
        """The connection's credentials; read at most once in a while, or if they were read longer ago than that.

        Raises:
            NotFound, Unavailable: they cannot be read.
        """
        return self.secrets.get(f"api/{connection.channel}/{connection.id}", newer_than_s=newer_than_s)

    def call[Answer](
        self,
        connection: Shop | Supplier | Tracker,
        build: Callable[[Credentials], HttpRequest],
        read: Callable[[HttpResponse], Answer],
    ) -> Answer | Busy | Unknown:
        """Send one request. `Busy` where it provably did not arrive, `Unknown` where it may have.

        A key that is refused may have been rotated since it was read: then the request is sent with the new one.

        Raises:
            NotFound, Unavailable: the credentials cannot be read; nothing was sent.
        """
        credentials = self.credentials(connection)
        try:
            response = self.http.send(connection.base_url, build(credentials))
            if response.status == _KEY_REFUSED:
                newer = self.credentials(connection, newer_than_s=_ROTATED_WITHIN_S)
                if newer != credentials:
                    response = self.http.send(connection.base_url, build(newer))
        except NoAnswer as silence:
            return Unknown(why=str(silence)) if silence.sent else Busy()
        return read(response)
