"""What carriers tell of a parcel, in our words."""

from datetime import datetime
from enum import StrEnum

from dropship.domain.fact import Fact


class TrackingStage(StrEnum):
    """Where a parcel is, in words that hold for every carrier; in order of progress."""

    INFO_RECEIVED = "INFO_RECEIVED"
    PICKED_UP = "PICKED_UP"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    AVAILABLE_FOR_PICKUP = "AVAILABLE_FOR_PICKUP"
    FAILED_ATTEMPT = "FAILED_ATTEMPT"
    EXCEPTION = "EXCEPTION"
    EXPIRED = "EXPIRED"
    DELIVERED = "DELIVERED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"


class TrackingEvent(Fact):
    """One scan. `stage` is None for a code nobody knows; `code` is the carrier's own, `raw_time` its own text."""

    at: datetime
    raw_time: str
    stage: TrackingStage | None
    code: str


class TrackingReport(Fact):
    """What a carrier says of one parcel: all scans it knows, in any order.

    `carrier` is the tracker's own code for the carrier (快递100: `yuantong`).
    """

    carrier: str
    number: str
    events: tuple[TrackingEvent, ...]
