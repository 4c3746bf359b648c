"""Calls to partners: the connection's address and credentials, one request, one answer in our words."""

from collections.abc import Callable
from dataclasses import dataclass

from dropship.connectors.contract import Credentials
from dropship.domain.connections import Shop, Supplier, Tracker
from dropship.domain.partners import Busy, Unknown
from dropship.ports import Http, HttpRequest, HttpResponse, NoAnswer, Secrets


@dataclass(frozen=True)
class Partners:
    """The way out to shops, suppliers and trackers."""

    http: Http
    secrets: Secrets

    def credentials(self, connection: Shop | Supplier | Tracker) -> Credentials:
        """The connection's credentials; read at most once in a while.

        Raises:
            NotFound, Unavailable: they cannot be read.
        """
        return self.secrets.get(f"api/{connection.channel}/{connection.id}")

    def call[Answer](
        self,
        connection: Shop | Supplier | Tracker,
        build: Callable[[Credentials], HttpRequest],
        read: Callable[[HttpResponse], Answer],
    ) -> Answer | Busy | Unknown:
        """Send one request. `Busy` where it provably did not arrive, `Unknown` where it may have.

        Raises:
            NotFound, Unavailable: the credentials cannot be read; nothing was sent.
        """
        credentials = self.credentials(connection)
        try:
            response = self.http.send(connection.base_url, build(credentials))
        except NoAnswer as silence:
            return Unknown(why=str(silence)) if silence.sent else Busy()
        return read(response)
