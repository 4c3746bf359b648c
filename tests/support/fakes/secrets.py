"""Secrets in memory."""

from collections.abc import Mapping

from dropship.ports import NotFound, Unavailable


class FakeSecrets:
    """`ports.Secrets` by name, e.g. `webhook/shopify/main-shop`. It caches nothing, so a change is seen at once."""

    def __init__(self, secrets: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self.known: dict[str, Mapping[str, object]] = dict(secrets or {})
        self.down = False
        """While this is true, no secret can be read."""
        self.reads: list[tuple[str, float | None]] = []
        """Every (name, newer_than_s) asked for."""

    def get(self, name: str, *, newer_than_s: float | None = None) -> Mapping[str, object]:
        self.reads.append((name, newer_than_s))
        if self.down:
            raise Unavailable(f"cannot read the secret {name} now")
        if name not in self.known:
            raise NotFound(f"there is no secret {name}")
        return self.known[name]

    def put(self, name: str, fields: Mapping[str, object]) -> None:
        if self.down:
            raise Unavailable(f"cannot keep the secret {name} now")
        self.known[name] = fields
