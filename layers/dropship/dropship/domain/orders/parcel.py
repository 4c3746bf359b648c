"""A parcel under way: scans move it forward in the order of their times, never back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.exchange.suppliers import ShippedLine
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.identity import Waybill
from dropship.domain.part import Part
from dropship.domain.quantities import Place

from .lifecycles import PARCEL, ParcelStatus, ParcelStep

SCANS: tuple[ParcelStep, ...] = (
    "picked_up",
    "scan_transit",
    "out_for_delivery",
    "delivered",
    "exception",
    "refused",
    "return_started",
    "return_received",
)

_STATE_OF_STAGE: dict[TrackingStage, ParcelStatus] = {
    TrackingStage.INFO_RECEIVED: "LABEL_CREATED",
    TrackingStage.PICKED_UP: "PICKED_UP",
    TrackingStage.IN_TRANSIT: "IN_TRANSIT",
    TrackingStage.OUT_FOR_DELIVERY: "OUT_FOR_DELIVERY",
    TrackingStage.AVAILABLE_FOR_PICKUP: "OUT_FOR_DELIVERY",
    TrackingStage.FAILED_ATTEMPT: "EXCEPTION",
    TrackingStage.EXCEPTION: "EXCEPTION",
    TrackingStage.EXPIRED: "EXCEPTION",
    TrackingStage.DELIVERED: "DELIVERED",
    TrackingStage.RETURNING: "RETURNING",
    TrackingStage.RETURNED: "RETURNED",
}
_PLACE_OF_STATE: dict[ParcelStatus, Place] = {
    "DELIVERED": "delivered",
    "DELIVERED_FINAL": "delivered",
    "RETURNING": "returning",
    "RETURNED": "returned",
    "LOST": "lost",
}
_PROGRESS = {stage: rank for rank, stage in enumerate(TrackingStage)}

WritebackState = Literal["DUE", "SENDING", "DONE", "REFUSED", "NOT_NEEDED"]
"""What the marketplace knows about a parcel. NOT_NEEDED: no marketplace knows the order, so none is told."""


class Parcel(Part):
    """One parcel of a purchase order, and whether the marketplace has been told about it."""

    purchase_order: str
    carrier: str
    number: str
    lines: list[ShippedLine]
    state: ParcelStatus = PARCEL.initial
    shipped_at: datetime
    last_event_at: datetime | None = None
    last_stage: TrackingStage | None = None
    followed: bool = Field(default=True, description="a tracker is asked for news of it")
    due_at: datetime | None = Field(default=None, description="explicit only where it is not followed")
    writeback: WritebackState = "DUE"
    writeback_at: datetime = Field(description="when the present writeback state began")
    fulfilment: str = ""

    @property
    def waybill(self) -> Waybill:
        """The carrier and its number."""
        return Waybill(self.carrier, self.number)

    @property
    def place(self) -> Place:
        """Where the parcel's units are, in the quantities of the order line."""
        return _PLACE_OF_STATE.get(self.state, "in_transit")

    @property
    def finished(self) -> bool:
        """Whether no more news from the carrier is expected."""
        return self.state == "DELIVERED" or self.state in PARCEL.terminal

    @property
    def untold(self) -> bool:
        """Whether the marketplace still has to be told about it."""
        return self.writeback in {"DUE", "SENDING"}

    def clock(self, deadlines: Deadlines) -> datetime | None:
        """When news of it is overdue; None once it is finished."""
        if self.finished or self.due_at is not None:
            return self.due_at
        if self.last_event_at is None:
            return self.shipped_at + deadlines.pickup
        return self.last_event_at + deadlines.stall

    def track(self, events: Iterable[TrackingEvent], deadlines: Deadlines) -> bool:
        """Take in scans, oldest first. Returns whether something changed that is worth a write.

        A scan changes nothing if it is older than the last one taken, or if the lifecycle does not allow it from the
        current state. Scans of the same time count in the order of their progress. Scans that only repeat the state are
        worth a write if they move the stall clock by more than a quarter of its length.
        """
        before, heard, clock = self.state, (self.last_event_at, self.last_stage), self.clock(deadlines)
        known = [event for event in events if event.stage is not None]
        for event in sorted(known, key=lambda scan: (scan.at, _PROGRESS[scan.stage or TrackingStage.INFO_RECEIVED])):
            self._apply_scan(event)
        due = None if self.finished else (self.last_event_at or self.shipped_at) + deadlines.stall
        if self.state == before and not self._is_news(clock, due, deadlines):
            self.last_event_at, self.last_stage = heard
            return False
        self.due_at = None if self.followed else due
        return True

    def _is_news(self, clock: datetime | None, due: datetime | None, deadlines: Deadlines) -> bool:
        if self.state == PARCEL.initial:
            return False  # there was no scan yet: the clock for the first scan goes on
        return due is not None and clock is not None and due - clock > deadlines.stall / 4

    def _apply_scan(self, event: TrackingEvent) -> None:
        if event.stage is None or not self._is_newer(event.at, event.stage):
            return
        goal = _STATE_OF_STAGE[event.stage]
        steps = PARCEL.path(self.state, goal, SCANS)
        if steps is None:
            return
        for step in steps:
            self.state = PARCEL.next(self.state, step)
        self.last_event_at, self.last_stage = event.at, event.stage

    def _is_newer(self, at: datetime, stage: TrackingStage) -> bool:
        if self.last_event_at is None or self.last_stage is None:
            return True
        return (at, _PROGRESS[stage]) > (self.last_event_at, _PROGRESS[self.last_stage])

    def follow_no_more(self, moment: Moment) -> None:
        """No tracker gives news of it any more: its own clock reminds a person to look."""
        self.followed = False
        self.remind_later(moment)

    def remind_later(self, moment: Moment) -> None:
        """Its clock has run out. A followed parcel is looked at again at its next poll; any other gets a new clock."""
        self.due_at = None if self.followed else moment.after(moment.deadlines.remind)

    def close_window(self) -> None:
        """Its after-sales window is over."""
        if self.state == "DELIVERED":
            self.state = PARCEL.next(self.state, "window_closed")

    def begin_writeback(self, moment: Moment) -> bool:
        """Give the writeback to this worker; False if nothing has to be told, or another worker is telling it."""
        if not self.untold:
            return False
        if self.writeback == "SENDING" and moment.now < self.writeback_at + moment.deadlines.writeback_lease:
            return False
        self.writeback, self.writeback_at = "SENDING", moment.now
        return True

    def end_writeback(self, outcome: Literal["DUE", "DONE", "REFUSED"], moment: Moment, fulfilment: str = "") -> None:
        """Record how the writeback ended; `DUE` gives it back to be tried again."""
        self.writeback, self.writeback_at, self.fulfilment = outcome, moment.now, fulfilment
