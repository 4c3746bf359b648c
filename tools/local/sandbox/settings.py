"""The address of our API and the secrets shared with the partners, read each time because the stack comes up later."""

import json
from pathlib import Path
from typing import Any


class NotReady(Exception):
    """The stack or its secrets are not there yet; the message says which file is missing."""


class Settings:
    """The stack's directory with `stack.json` and `secrets.json`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def api_url(self) -> str:
        """The base of our webhook addresses.

        Raises:
            NotReady: no stack runs in this directory yet.
        """
        return str(self._read("stack.json")["api_url"]).rstrip("/")

    def webhook_url(self, channel: str, connection: str) -> str:
        """The address for a partner's webhooks; raises NotReady like `api_url`."""
        return f"{self.api_url}/webhooks/{channel}/{connection}"

    def webhook_secret(self, channel: str, connection: str) -> str:
        """The secret that a partner signs its webhooks with.

        Raises:
            NotReady: nothing is seeded for this connection.
        """
        secrets = self._read("secrets.json")["webhook"].get(f"{channel}/{connection}")
        if not secrets:
            raise NotReady(f"{self.directory / 'secrets.json'} has no webhook secret of {channel}/{connection}")
        return str(secrets[0])

    def api_secrets(self, channel: str) -> dict[str, dict[str, str]]:
        """The API secrets that we use with the partners of a channel, by connection; empty while nothing is seeded."""
        try:
            known = self._read("secrets.json").get("api", {})
        except NotReady:
            return {}
        return {name.split("/")[1]: secret for name, secret in known.items() if name.startswith(f"{channel}/")}

    def _read(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        try:
            return dict(json.loads(path.read_text()))
        except FileNotFoundError:
            raise NotReady(f"There is no {path} yet: bring the stack up with `make up`.") from None
