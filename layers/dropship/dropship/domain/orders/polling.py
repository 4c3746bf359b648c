"""When an order's parcels are polled: often at first, ever less often as they get old, and when one is given up.

Orders are polled, not waybills (decision 21), in rounds (decision 11).
"""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from dropship.domain.identity import OrderKey

# One round of the poll schedule. 快递100 asks for no more than one query of a number in 30 minutes (spec B1).
ROUND = timedelta(minutes=30)
SLOTS = 48
"""Each order has one of so many slots, so that the orders spread over the rounds of a day."""
# (age up to which, rounds between two polls); each number of rounds divides the one after it, and the last is SLOTS.
_PACE = ((timedelta(days=1), 4), (timedelta(days=3), 8), (timedelta(days=10), 16))
_FOLLOWED = timedelta(days=60)


def slot_of(order: OrderKey) -> int:
    """The order's slot, the same in every process and for ever."""
    return zlib.crc32(str(order).encode()) % SLOTS


def turns(now: datetime) -> Iterator[tuple[int, datetime | None]]:
    """The slots whose turn it is in the round that `now` is nearest to, each with how far back it goes.

    In a slot it is the turn of the orders with a parcel shipped after that moment; of all of them where it is None.
    The turn follows from the order's key alone, so that nothing is written when a poll brings no news. A round begins
    on the full or half hour. The nearest one is taken, for a schedule fires a little early or late: rounded down, one
    round would be left out and another run twice.
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
    """Whether the last news is so old, sixty days, that the parcel is asked for no more."""
    return now - news_at >= _FOLLOWED
