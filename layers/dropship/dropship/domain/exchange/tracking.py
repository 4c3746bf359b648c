"""What carriers tell about a parcel, in the domain's terms."""

from datetime import datetime
from enum import StrEnum

from dropship.domain.fact import Fact


class TrackingStage(StrEnum):
    """Where a parcel is, in the same terms for every carrier; in order of progress."""

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
    """One scan. `stage` is None for an unknown code; `code` is the carrier's own, `raw_time` its text of the time."""

    at: datetime
    raw_time: str
    stage: TrackingStage | None
    code: str


class TrackingReport(Fact):
    """What a carrier says about one parcel: all scans it knows, in any order.

    `carrier` is the tracker's own code for the carrier (快递100: `yuantong`).
    """

    carrier: str
    number: str
    events: tuple[TrackingEvent, ...]
