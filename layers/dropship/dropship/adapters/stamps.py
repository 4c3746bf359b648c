"""Times as text that sorts (UTC, milliseconds, fixed width), and the shards of the index of clocks."""

from datetime import UTC, datetime, timedelta
from zlib import crc32

from dropship.ports import SHARDS


def stamp(instant: datetime) -> str:
    """The instant as `2026-11-21T08:15:30.123Z`; parts of a millisecond are cut off."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def stamp_due(instant: datetime) -> str:
    """The first stamp that is not before the instant, so that nothing is found as due too early."""
    return stamp(instant + timedelta(microseconds=999))


def instant(text: str) -> datetime:
    """The instant of a stamp."""
    return datetime.fromisoformat(text)


def shard_of(key: str) -> int:
    """The shard of an item, by its partition key; it is the same in every process."""
    return crc32(key.encode()) % SHARDS
