"""The order: one aggregate that changes by one conditional write, so that nothing in it can disagree.

How it begins and follows the marketplace is in `snapshots`, what suppliers and carriers do to it in `fulfilment`,
refunds and cancellations in `withdrawal`.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import SerializationInfo, ValidationInfo, field_serializer, field_validator

from dropship.domain.deadlines import Deadlines
from dropship.domain.errors import InvariantBroken, UnknownPurchaseOrder
from dropship.domain.identity import OrderKey, PurchaseOrderId
from dropship.domain.lifecycle import ORDER
from dropship.domain.quantities import LineQuantities
from dropship.domain.stored import BRIEF, IN_FULL, Stored

from .ledger import Remedy
from .parcel import Parcel
from .purchase_order import IN_DISPATCH, WORDS, PurchaseOrder
from .watching import watched

TIMELINE_LENGTH = 40
TO_BE_STORED = timedelta(minutes=1)
"""What a save may take, with clocks that differ a little."""


class HoldReason(StrEnum):
    """Why an order must not be dispatched now. Holds stack; the last one released frees the order."""

    ADDRESS_MISSING = "ADDRESS_MISSING"
    NO_SOURCE = "NO_SOURCE"
    SUPPLIER_REFUSED = "SUPPLIER_REFUSED"
    SUPPLIER_CONTRADICTS = "SUPPLIER_CONTRADICTS"
    DISPATCH_FAILED = "DISPATCH_FAILED"


class TaskKind(StrEnum):
    """What needs a person though it does not block the dispatch."""

    DISPATCH_UNKNOWN = "DISPATCH_UNKNOWN"
    SUPPLIER_BUSY = "SUPPLIER_BUSY"
    ACKNOWLEDGE_LATE = "ACKNOWLEDGE_LATE"
    SHIP_LATE = "SHIP_LATE"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCEL_LATE = "CANCEL_LATE"
    REFUNDED_ON_THE_WAY = "REFUNDED_ON_THE_WAY"
    ADDRESS_CHANGED = "ADDRESS_CHANGED"
    QUANTITY_CHANGED = "QUANTITY_CHANGED"
    WAYBILL_REUSED = "WAYBILL_REUSED"
    SUPPLIER_EVENT_REFUSED = "SUPPLIER_EVENT_REFUSED"
    WRITEBACK_REFUSED = "WRITEBACK_REFUSED"
    PARCEL_STALLED = "PARCEL_STALLED"
    PARCEL_EXCEPTION = "PARCEL_EXCEPTION"


class Notice(Stored):
    """A hold or a task: what, since when, and in which words; `about` names the purchase order or parcel."""

    kind: str
    since: datetime
    detail: str = ""
    about: str = ""


class TimelineEntry(Stored):
    """One line of the order's history, for people."""

    at: datetime
    what: str
    about: str = ""


class OrderLine(Stored):
    """One line that has to be shipped, and where its units are."""

    id: str
    sku: str
    units: LineQuantities


class Order(Stored):
    """Everything of an order that changes. The buyer's data is not in here.

    `fence` grows with every change that makes an older plan wrong; a purchase order is claimed only
    with the fence its plan was made at.
    """

    shop: str
    external_id: str
    number: str
    status: str = ORDER.initial
    fence: int = 0
    created_at: datetime
    source_version: datetime
    recipient_digest: str = ""
    lines: list[OrderLine]
    holds: list[Notice] = []
    tasks: list[Notice] = []
    purchase_orders: list[PurchaseOrder] = []
    parcels: list[Parcel] = []
    remedies: list[Remedy] = []
    due_at: datetime | None = None
    timeline: list[TimelineEntry] = []

    @field_serializer("timeline")
    def _shorten(self, timeline: list[TimelineEntry], info: SerializationInfo) -> list[TimelineEntry] | list[str]:
        """In storage each entry is a line of text: seconds since the order was created, what, and what it is about."""
        if not info.by_alias:
            return timeline
        began = int(self.created_at.timestamp())
        return [_line(began, entry) for entry in timeline]

    @field_validator("timeline", mode="before")
    @classmethod
    def _lengthen(cls, timeline: list[object], info: ValidationInfo) -> list[object]:
        began = int(info.data["created_at"].timestamp()) if "created_at" in info.data else 0
        return [_entry(began, kept) if isinstance(kept, str) else kept for kept in timeline]

    @property
    def key(self) -> OrderKey:
        """The order's key."""
        return OrderKey(self.shop, self.external_id)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ORDER.terminal

    @property
    def claimed(self) -> bool:
        """Whether any unit is, or may be, at a supplier: from then on a cancellation must be asked for."""
        return any(line.units.at_supplier or line.units.shipped for line in self.lines)

    @property
    def needs_dispatch(self) -> bool:
        """Whether the fulfilment workflow has something to do.

        A hold stops new purchase orders; one whose dispatch has begun is seen through all the same.
        """
        if any(po.status in IN_DISPATCH for po in self.purchase_orders):
            return True
        if self.holds or self.finished or self.status == "RECEIVED":
            return False
        return any(line.units.unrouted for line in self.lines)

    @property
    def due(self) -> datetime | None:
        """The earliest of its explicit clocks, its purchase orders' and its parcels'.

        None while all that is awaited is seen to by look-backs or polls (`watching`), and once it is finished.
        """
        clocks = [self.due_at, *(po.due_at for po in self.purchase_orders), *(p.due_at for p in self.parcels)]
        return min((clock for clock in clocks if clock), default=None)

    @property
    def polled_since(self) -> datetime | None:
        """When the oldest of its parcels under way that a tracker follows was shipped; None where there is none."""
        if self.finished:
            return None
        followed = (parcel.shipped_at for parcel in self.parcels if parcel.followed and not parcel.finished)
        return min(followed, default=None)

    def is_fresh(self, now: datetime, deadlines: Deadlines) -> bool:
        """Whether the look-back at `resume` lies ahead of it, and nothing had to take it up before.

        It has to be stored by then, which takes a moment, on a clock that may differ.
        """
        return self.due_at is None and now + TO_BE_STORED < self.created_at + deadlines.resume

    def arm(self, now: datetime, deadlines: Deadlines) -> None:
        """Set the order's own clock by what it waits for, apart from its purchase orders and parcels.

        It has none where look-backs and polls see to all of that.
        """
        fresh = self.is_fresh(now, deadlines)
        self.due_at = None
        if self.finished:
            return
        if self.polled_since is None and any(parcel.untold for parcel in self.parcels):
            self.due_at = now + deadlines.writeback
        elif self.holds:
            self.due_at = now + deadlines.remind
        elif any(line.units.unrouted for line in self.lines):
            self.due_at = None if fresh else now + deadlines.resume
        elif self.status == "DELIVERED":
            self.due_at = now + deadlines.completion
        if None in watched(self, now, deadlines).values():
            self.due_at = now + deadlines.remind

    def wake(self, now: datetime) -> None:
        """Have the order looked at now where its own clock does not run; `arm` then sets the proper one."""
        if not self.finished and self.due_at is None:
            self.due_at = now

    @property
    def attention(self) -> tuple[str, datetime] | None:
        """Why a person is needed, and since when; None where nobody is."""
        notices = self.holds or self.tasks
        if not notices:
            return None
        oldest = min(notices, key=lambda notice: notice.since)
        return (f"HOLD_{oldest.kind}" if self.holds else oldest.kind), oldest.since

    def apply(self, event: str) -> None:
        """Take one step of the lifecycle; IllegalTransition where the table has none."""
        self.status = ORDER.next(self.status, event)

    def note(self, now: datetime, what: str, about: str | Parcel = "") -> None:
        """Add a line to the timeline, to the second; the oldest but the first drop out when it grows long.

        A parcel of the order is noted as `#1`, `#2` and so on; `about` makes that a waybill again.
        """
        if isinstance(about, Parcel):
            about = f"#{1 + self.parcels.index(about)}"
        self.timeline.append(TimelineEntry(at=now.replace(microsecond=0), what=what, about=about))
        if len(self.timeline) > TIMELINE_LENGTH:
            del self.timeline[1]

    def about(self, entry: TimelineEntry) -> str:
        """What an entry of the timeline is about, in full."""
        ordinal = entry.about.removeprefix("#")
        if ordinal == entry.about or not ordinal.isdecimal() or not 0 < int(ordinal) <= len(self.parcels):
            return entry.about
        parcel = self.parcels[int(ordinal) - 1]
        return f"{parcel.carrier} {parcel.number}"

    def line(self, line_id: str) -> OrderLine | None:
        """The line of that id, if the order ships it."""
        return next((line for line in self.lines if line.id == line_id), None)

    def owned_line(self, line_id: str) -> OrderLine:
        """The line of that id, which a purchase order or parcel of ours holds units of.

        Raises:
            InvariantBroken: there is none.
        """
        found = self.line(line_id)
        if found is None:
            raise InvariantBroken(f"order {self.key} has no line {line_id}, yet units of it are under way")
        return found

    def purchase_order(self, po_id: str) -> PurchaseOrder:
        """The purchase order of that id.

        Raises:
            UnknownPurchaseOrder: there is none.
        """
        found = self.find_purchase_order(po_id)
        if found is None:
            raise UnknownPurchaseOrder(f"order {self.key} has no purchase order {po_id}")
        return found

    def find_purchase_order(self, po_id: str) -> PurchaseOrder | None:
        """The purchase order of that id, or None."""
        return next((po for po in self.purchase_orders if po.id == po_id), None)

    def parcel(self, carrier: str, number: str) -> Parcel | None:
        """The parcel with that waybill, or None."""
        return next((p for p in self.parcels if (p.carrier, p.number) == (carrier, number)), None)

    def remedy(self, case: str) -> Remedy | None:
        """The remedy of that case, or None."""
        return next((remedy for remedy in self.remedies if remedy.case == case), None)

    def hold(self, reason: HoldReason, now: datetime, detail: str = "") -> None:
        """Stop the dispatch until somebody releases the hold. Adding the same hold again only updates its words.

        A finished order has no dispatch left to stop.
        """
        if self.finished:
            return
        existing = next((notice for notice in self.holds if notice.kind == reason), None)
        if existing is not None:
            existing.detail = detail[:WORDS]
            return
        self.holds.append(Notice(kind=reason, since=now, detail=detail[:WORDS]))
        if ORDER.allows(self.status, "hold_added"):
            self.apply("hold_added")
        self.fence += 1
        self.note(now, "held", reason)
        self.wake(now)

    def release(self, reason: str, now: datetime, deadlines: Deadlines, since: datetime | None = None) -> bool:
        """Take a hold away; whether there was one, and it began at `since`, if that is given.

        The last one frees the order for dispatch.
        """
        remaining = [held for held in self.holds if held.kind != reason or since not in {None, held.since}]
        if len(remaining) == len(self.holds):
            return False
        self.holds = remaining
        self.fence += 1
        self.note(now, "hold released", reason)
        if not self.holds and self.status == "ON_HOLD":
            self.apply("last_hold_released")
        self.arm(now, deadlines)
        return True

    def check_address(self, missing: list[str], now: datetime) -> None:
        """Hold the order where the address cannot be used."""
        if missing:
            self.hold(HoldReason.ADDRESS_MISSING, now, "missing: " + ", ".join(missing))

    def need(self, kind: TaskKind, now: datetime, detail: str = "", about: str = "") -> None:
        """Ask for a person. The same task is asked for once."""
        if not any((task.kind, task.about) == (kind, about) for task in self.tasks):
            self.tasks.append(Notice(kind=kind, since=now, detail=detail[:WORDS], about=about))
            self.note(now, f"needs a person: {kind}", about)

    def close_tasks(self, kind: str, now: datetime, by: str, until: datetime | None = None) -> None:
        """A person has seen to all tasks of a kind, those that began after `until` excepted."""
        remaining = [task for task in self.tasks if task.kind != kind or (until is not None and task.since > until)]
        if len(remaining) < len(self.tasks):
            self.tasks = remaining
            self.note(now, f"task closed: {kind}", by)

    def done(self, kind: TaskKind, about: str = "") -> None:
        """The task is no longer needed."""
        self.tasks = [task for task in self.tasks if (task.kind, task.about) != (kind, about)]

    def close_as_cancelled(self, now: datetime) -> None:
        """Nothing of it is left to ship: end it. Only legal while no purchase order is open.

        Tasks end with it, but for goods that a supplier may have sent all the same.
        """
        how = {"IN_FULFILMENT": "cancel_confirmed", "SHIPPED": "all_parcels_returned"}
        self.apply(how.get(self.status, "cancel"))
        contradictions = [task for task in self.tasks if task.kind == TaskKind.SUPPLIER_EVENT_REFUSED]
        self.holds, self.tasks, self.due_at = [], contradictions, None
        self.fence += 1
        self.note(now, "cancelled")

    def next_purchase_order_id(self, supplier: str) -> PurchaseOrderId:
        """The id of the next purchase order to `supplier`; the same until one is claimed."""
        attempt = 1 + sum(existing.supplier == supplier for existing in self.purchase_orders)
        return PurchaseOrderId(self.key, supplier, 1, attempt)

    def check(self) -> None:
        """Assert the invariants of quantities; InvariantBroken where one fails."""
        for line in self.lines:
            line.units.check()


def _line(began: int, entry: TimelineEntry) -> str:
    about = f"|{entry.about}" if entry.about else ""
    return f"{int(entry.at.timestamp()) - began} {BRIEF.get(entry.what, entry.what)}{about}"


def _entry(began: int, kept: str) -> TimelineEntry:
    words, _, about = kept.partition("|")
    seconds, _, what = words.partition(" ")
    at = datetime.fromtimestamp(began + int(seconds), UTC)
    return TimelineEntry(at=at, what=IN_FULL.get(what, what), about=about)
