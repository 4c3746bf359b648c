"""When a parcel is polled: often while there is news, ever less often while there is none, and at last never."""

import zlib
from datetime import datetime, timedelta

from .identity import Waybill

# One round of the poll schedule. 快递100 asks for no more than one query of a number in 30 minutes (spec B1).
ROUND = timedelta(minutes=30)
# (age of the last news, rounds between two polls)
_PACE = ((timedelta(days=1), 4), (timedelta(days=3), 8), (timedelta(days=10), 16), (timedelta(days=60), 48))


def is_due(waybill: Waybill, news_at: datetime, now: datetime) -> bool:
    """Whether the parcel is polled in the round that `now` falls into.

    The turn follows from the waybill itself, so that parcels spread over the rounds and nothing is written
    when a poll brings no news.
    """
    age = now - news_at
    every = next((rounds for limit, rounds in _PACE if age < limit), None)
    if every is None:
        return False
    current_round = int(now.timestamp() // ROUND.total_seconds())
    return (current_round + zlib.crc32(str(waybill).encode())) % every == 0
