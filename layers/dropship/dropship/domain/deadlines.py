"""Lengths of the clocks. Each shop has its own in the registry; the defaults are for a new shop."""

from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field

from .fact import Fact

SWEEP = timedelta(minutes=5)
"""The period of the deadline sweep. A clock that has run out is noticed at most this much later."""

Length = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=365))]


class Deadlines(Fact):
    """How long each step may take before something has to happen.

    In the seed file: seconds as a number, or an ISO 8601 duration such as `PT48H`.
    """

    resume: Length = Field(timedelta(minutes=10), description="an order that is ready is dispatched")
    dispatch_lease: Length = Field(
        timedelta(seconds=45), description="one worker places a purchase order; after that the worker counts as dead"
    )
    acknowledge: Length = Field(timedelta(hours=24), description="the supplier confirms a purchase order")
    ship: Length = Field(timedelta(hours=48), description="the supplier ships a purchase order")
    cancel: Length = Field(timedelta(hours=12), description="the supplier answers a cancellation")
    writeback: Length = Field(timedelta(minutes=15), description="the marketplace is told of a parcel")
    writeback_lease: Length = Field(
        timedelta(seconds=90), description="a writeback that has begun ends; after that its worker counts as dead"
    )
    pickup: Length = Field(timedelta(hours=24), description="the first scan after the supplier shipped")
    stall: Length = Field(timedelta(days=5), description="news of a parcel")
    after_sales: Length = Field(timedelta(hours=48), description="our answer to a refund or return request")
    buyer_return: Length = Field(timedelta(days=7), description="the buyer sends the goods back")
    appeal: Length = Field(timedelta(hours=72), description="the buyer objects to a refusal")
    completion: Length = Field(timedelta(days=15), description="after-sales window after delivery")
    remind: Length = Field(timedelta(hours=24), description="an open task is looked at again")


class Moment(NamedTuple):
    """Now, in UTC, and how long each step may take: all that a rule has to know about time."""

    now: datetime
    deadlines: Deadlines

    def after(self, length: timedelta) -> datetime:
        """The time `length` from now."""
        return self.now + length
