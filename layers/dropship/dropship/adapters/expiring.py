"""A cache in the memory of the process: what was read is used again for a while."""

from collections.abc import Callable
from time import monotonic

LARGEST = 10_000


class Expiring[Value]:
    """Values by name, each kept for its own number of seconds. When it is full, everything is dropped."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, float, Value]] = {}

    def keep(self, name: str, value: Value, seconds: float) -> None:
        """Keep a value for that many seconds."""
        if len(self._kept) >= LARGEST:
            self._kept.clear()
        now = self._clock()
        self._kept[name] = (now, now + seconds, value)

    def get(self, name: str, newer_than_s: float | None = None) -> Value | None:
        """The value, unless it has expired or was kept longer than `newer_than_s` seconds ago."""
        read_at, expires_at, value = self._kept.get(name, (0.0, 0.0, None))
        now = self._clock()
        if value is None or now >= expires_at or (newer_than_s is not None and now - read_at > newer_than_s):
            return None
        return value
