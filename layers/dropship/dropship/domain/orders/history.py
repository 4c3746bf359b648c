"""The record of what happened to an order: the timeline, and the events that are not saved yet."""

from datetime import datetime
from typing import Literal

from pydantic import PrivateAttr

from dropship.domain.deadlines import Moment
from dropship.domain.part import Part

from .events import (
    CaseEnded,
    Event,
    OrderEvent,
    OrderEventKind,
    ParcelEvent,
    ParcelMoved,
    PurchaseOrderEvent,
    PurchaseOrderEventKind,
)
from .ledger import RemedyOutcome
from .parcel import Parcel
from .purchase_order import PurchaseOrder

TIMELINE_LENGTH = 40


class History(Part):
    """The part of an order that records what happened to it."""

    timeline: list[Event] = []
    _unsaved_events: list[Event] = PrivateAttr([])  # pydantic copies it; a factory costs 200 µs a read

    def record(self, kind: OrderEventKind, moment: Moment) -> None:
        """Record what happened to the order as a whole."""
        self.add(OrderEvent(at=second_of(moment), kind=kind))

    def record_of_purchase_order(
        self, kind: PurchaseOrderEventKind, purchase_order: PurchaseOrder, moment: Moment
    ) -> None:
        """Record what happened to one of its purchase orders."""
        self.add(PurchaseOrderEvent(at=second_of(moment), kind=kind, purchase_order=purchase_order.id))

    def record_of_parcel(self, kind: Literal["shipped", "written_back"], parcel: Parcel, moment: Moment) -> None:
        """Record what happened to one of its parcels."""
        self.add(ParcelEvent(at=second_of(moment), kind=kind, carrier=parcel.carrier, number=parcel.number))

    def record_move(self, parcel: Parcel, moment: Moment) -> None:
        """Record the new status of one of its parcels."""
        self.add(
            ParcelMoved(
                at=second_of(moment),
                kind="parcel_moved",
                carrier=parcel.carrier,
                number=parcel.number,
                status=parcel.state,
            )
        )

    def record_end_of_case(self, case: str, outcome: RemedyOutcome, moment: Moment) -> None:
        """Record how one of its after-sales cases ended."""
        self.add(CaseEnded(at=second_of(moment), kind="case_ended", case=case, outcome=outcome))

    def add(self, event: Event) -> None:
        """Add to the timeline. If it gets too long, the oldest event after the first is removed."""
        self._unsaved_events.append(event)
        self.timeline.append(event)
        if len(self.timeline) > TIMELINE_LENGTH:
            del self.timeline[1]

    def pop_unsaved_events(self) -> list[Event]:
        """The events since the order was read or saved; from now on they count as saved."""
        events, self._unsaved_events = self._unsaved_events, []
        return events


def second_of(moment: Moment) -> datetime:
    """The time of an event: to the second."""
    return moment.now.replace(microsecond=0)
