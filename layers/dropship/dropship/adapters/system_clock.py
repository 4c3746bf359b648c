"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The time of this machine, in UTC."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)
