"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """`ports.Clock`."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def advance(self, **lengths: float) -> datetime:
        """Move the clock on, e.g. by `minutes=10`; returns the new time."""
        self.time += timedelta(**lengths)
        return self.time
