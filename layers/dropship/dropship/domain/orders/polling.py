"""When an order's parcels are polled (less often as they get older), and when a parcel is given up.

Orders are polled, not waybills (decision 21), in rounds (decision 11).
"""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from dropship.domain.identity import OrderKey

# One round of the poll schedule. 快递100 asks us to query a number at most once in 30 minutes.
ROUND = timedelta(minutes=30)
SLOTS = 48
"""The number of slots. Each order has one slot, so that the orders spread over the rounds of a day."""
# (age up to which, rounds between two polls); each number of rounds divides the one after it, and the last is SLOTS.
_PACE = ((timedelta(days=1), 4), (timedelta(days=3), 8), (timedelta(days=10), 16))
_FOLLOWED = timedelta(days=60)


def slot_of(order: OrderKey) -> int:
    """The order's slot, the same in every process and for ever."""
    return zlib.crc32(str(order).encode()) % SLOTS


def turns(now: datetime) -> Iterator[tuple[int, datetime | None]]:
    """The slots whose turn it is in the round that `now` is nearest to, each with how far back it goes.

    In each slot, the orders with a parcel shipped after that time are polled; all orders if the time is None. The turn
    depends only on the order's key, so nothing has to be written when a poll brings no news. A round begins on the full
    or half hour. A schedule fires a little early or late, so the nearest round is taken: if the time were rounded down,
    one round would be left out and another would run twice.
    """
    nearest = int((now.timestamp() + ROUND.total_seconds() / 2) // ROUND.total_seconds())
    for slot in range(SLOTS):
        if (nearest + slot) % SLOTS == 0:
            yield slot, None
            continue
        ages = [age for age, rounds in _PACE if (nearest + slot) % rounds == 0]
        if ages:
            yield slot, now - max(ages)


def is_given_up(news_at: datetime, now: datetime) -> bool:
    """Whether the last news is at least sixty days old, so that the parcel is no longer polled."""
    return now - news_at >= _FOLLOWED
