"""When a parcel is polled: often while there is news, ever less often while there is none, and when it is given up."""

import zlib
from datetime import datetime, timedelta

from .identity import Waybill

# One round of the poll schedule. 快递100 asks for no more than one query of a number in 30 minutes (spec B1).
ROUND = timedelta(minutes=30)
# (age of the last news, rounds between two polls)
_PACE = ((timedelta(days=1), 4), (timedelta(days=3), 8), (timedelta(days=10), 16))
_SLOWEST = 48
_FOLLOWED = timedelta(days=60)


def is_due(waybill: Waybill, news_at: datetime, now: datetime) -> bool:
    """Whether the parcel's turn is in the round that `now` is nearest to.

    The turn follows from the waybill itself, so that parcels spread over the rounds and nothing is written
    when a poll brings no news. A round begins on the full or half hour. The nearest one is taken, for a schedule
    fires a little early or late: rounded down, one round would be left out and another run twice.

    A parcel that `is_given_up` has its turns too, because the round only finds parcels: whoever polls retires it.
    """
    age = now - news_at
    every = next((rounds for limit, rounds in _PACE if age < limit), _SLOWEST)
    nearest = int((now.timestamp() + ROUND.total_seconds() / 2) // ROUND.total_seconds())
    return (nearest + zlib.crc32(str(waybill).encode())) % every == 0


def is_given_up(news_at: datetime, now: datetime) -> bool:
    """Whether the last news is so old, sixty days, that the parcel is asked for no more."""
    return now - news_at >= _FOLLOWED
