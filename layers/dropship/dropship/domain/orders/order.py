"""The order: one aggregate that changes in one conditional write, so that its parts always agree.

The module `snapshots` has how it begins and follows the marketplace; `fulfilment` what suppliers do to it; `delivery`
what carriers tell; `withdrawal` refunds and cancellations; `clocks` when it is looked at again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from dropship.domain.attention import Attention, Reason
from dropship.domain.deadlines import Moment
from dropship.domain.errors import InvariantBroken, UnknownPurchaseOrder
from dropship.domain.identity import OrderKey, PurchaseOrderId
from dropship.domain.part import Part
from dropship.domain.quantities import LineQuantities

from .attention import URGENCY, WORDS, Hold, HoldReason, Task, TaskKind, hold_kind, task_kind
from .events import HoldEvent, TaskEvent
from .history import History, second_of
from .ledger import Remedy
from .lifecycles import ORDER, OrderStatus, OrderStep
from .origin import Origin
from .parcel import Parcel
from .purchase_order import PurchaseOrder

Wait = Literal["", "WRITEBACK", "HOLD", "DISPATCH", "COMPLETION", "REMINDER"]
"""What the order's own clock is set for; empty if it does not run."""


class OrderLine(Part):
    """One line that has to be shipped, and where its units are."""

    id: str
    sku: str
    units: LineQuantities


class Order(History):
    """Everything about an order that changes. It does not hold the buyer's data.

    `fence` grows with every change that makes an older plan wrong. A purchase order is claimed only if the order still
    has the fence that it was planned with.
    """

    shop: str
    external_id: str
    number: str
    origin: Origin = Origin.MARKETPLACE
    status: OrderStatus = ORDER.initial
    fence: int = 0
    created_at: datetime
    source_version: datetime
    recipient_digest: str = ""
    lines: list[OrderLine]
    holds: list[Hold] = []
    tasks: list[Task] = []
    purchase_orders: list[PurchaseOrder] = []
    parcels: list[Parcel] = []
    remedies: list[Remedy] = []
    due_at: datetime | None = None
    due_for: Wait = ""

    def __eq__(self, other: object) -> bool:
        """Whether the stored fields of both are the same."""
        return isinstance(other, Order) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment] # an order changes, so it is no key; `object` has a method here

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
        """Whether any unit is, or may be, at a supplier or shipped: then a supplier has to agree to a cancellation."""
        return any(line.units.at_supplier or line.units.shipped for line in self.lines)

    @property
    def has_unrouted_units(self) -> bool:
        """Whether any unit has no purchase order yet."""
        return any(line.units.unrouted for line in self.lines)

    @property
    def needs_dispatch(self) -> bool:
        """Whether the fulfilment workflow has something to do.

        A hold stops new purchase orders. A purchase order whose dispatch has begun is finished even on hold.
        """
        if any(po.in_dispatch for po in self.purchase_orders):
            return True
        if self.holds or self.finished or self.status == "RECEIVED":
            return False
        return self.has_unrouted_units

    @property
    def due(self) -> datetime | None:
        """The earliest of its own clock and the clocks of its purchase orders and parcels.

        None if look-backs or polls look at all that it waits for (`clocks`), and once it is finished.
        """
        clocks = [self.due_at, *(po.due_at for po in self.purchase_orders), *(p.due_at for p in self.parcels)]
        return min((clock for clock in clocks if clock), default=None)

    @property
    def polled_since(self) -> datetime | None:
        """When its oldest followed parcel that is not finished was shipped; None if it has no such parcel."""
        if self.finished:
            return None
        followed = (parcel.shipped_at for parcel in self.parcels if parcel.followed and not parcel.finished)
        return min(followed, default=None)

    @property
    def attention(self) -> Attention | None:
        """Why a person is needed: all its holds and tasks; None if there are none."""
        return Attention.of(
            [
                *(Reason(hold_kind(hold.kind), URGENCY[hold.kind], hold.since) for hold in self.holds),
                *(Reason(task_kind(task.kind), URGENCY[task.kind], task.since) for task in self.tasks),
            ]
        )

    def run_clock(self, wait: Wait, due_at: datetime) -> None:
        """Run its own clock for `wait`. If it runs for the same wait already, it keeps its time."""
        if self.due_for != wait or self.due_at is None:
            self.due_for, self.due_at = wait, due_at

    def stop_clock(self) -> None:
        """Stop its own clock."""
        self.due_for, self.due_at = "", None

    def step(self, step: OrderStep) -> None:
        """Take one step of the lifecycle; raises IllegalTransition if the table does not have it."""
        self.status = ORDER.next(self.status, step)

    def step_if_possible(self, step: OrderStep) -> None:
        """Take one step of the lifecycle if the table has it."""
        if ORDER.allows(self.status, step):
            self.step(step)

    # ---- Its parts

    def line(self, line_id: str) -> OrderLine | None:
        """The line of that id, if the order ships it."""
        return next((line for line in self.lines if line.id == line_id), None)

    def owned_line(self, line_id: str) -> OrderLine:
        """The line of that id, for a purchase order or parcel that has units of it.

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

    def next_purchase_order_id(self, supplier: str) -> PurchaseOrderId:
        """The id of the next purchase order to `supplier`; the same until one is claimed."""
        earlier = [existing for existing in self.purchase_orders if existing.supplier == supplier]
        return PurchaseOrderId(self.key, supplier, 1, 1 + len(earlier))

    def parcel(self, carrier: str, number: str) -> Parcel | None:
        """The parcel with that waybill, or None."""
        return next((p for p in self.parcels if (p.carrier, p.number) == (carrier, number)), None)

    def remedy(self, case: str) -> Remedy | None:
        """The remedy of that case, or None."""
        return next((remedy for remedy in self.remedies if remedy.case == case), None)

    def add_lines(self, lines: Iterable[OrderLine]) -> None:
        """The marketplace has added lines that have to be shipped."""
        self.lines += lines

    def add_purchase_order(self, purchase_order: PurchaseOrder) -> None:
        """Units of it are committed to a purchase order: the order is in fulfilment."""
        self.purchase_orders.append(purchase_order)
        self.step_if_possible("routed")
        self.step_if_possible("po_claimed")

    def add_parcel(self, parcel: Parcel) -> None:
        """Units of it are in a parcel."""
        self.parcels.append(parcel)

    def add_remedy(self, remedy: Remedy) -> None:
        """Write a remedy into its ledger."""
        self.remedies.append(remedy)

    def follow_to(self, version: datetime) -> None:
        """The marketplace's snapshot of that version was taken in."""
        self.source_version = version

    def fence_off(self) -> None:
        """Make every plan that was made before now invalid."""
        self.fence += 1

    def take_address(self, digest: str) -> None:
        """The address has changed."""
        self.recipient_digest = digest
        self.fence_off()

    # ---- Holds and tasks

    def hold(self, reason: HoldReason, moment: Moment, detail: str = "") -> None:
        """Stop the dispatch until a person releases the hold. Adding the same hold again only updates its words.

        A finished order gets no hold, because it has no dispatch left.
        """
        if self.finished:
            return
        existing = next((hold for hold in self.holds if hold.kind == reason), None)
        if existing is not None:
            existing.reword(detail)
            return
        self.holds.append(Hold(kind=reason, since=moment.now, detail=detail[:WORDS]))
        self.step_if_possible("hold_added")
        self.fence_off()
        self.add(HoldEvent(at=second_of(moment), kind="held", reason=reason))

    def release(self, reason: HoldReason, moment: Moment, since: datetime | None = None) -> bool:
        """Remove a hold. Returns whether there was one that, if `since` is given, began at `since`.

        When the last hold is removed, the order is free for dispatch.
        """
        held = next((hold for hold in self.holds if hold.kind == reason and since in {None, hold.since}), None)
        if held is None:
            return False
        self.holds = [hold for hold in self.holds if hold is not held]
        self.fence_off()
        self.add(HoldEvent(at=second_of(moment), kind="hold_released", reason=held.kind))
        if not self.holds and self.status == "ON_HOLD":
            self.step("last_hold_released")
        return True

    def check_address(self, missing: list[str], moment: Moment) -> None:
        """Hold the order if fields of the address are missing."""
        if missing:
            self.hold(HoldReason.ADDRESS_MISSING, moment, "missing: " + ", ".join(missing))

    def open_task(self, kind: TaskKind, moment: Moment, detail: str = "", about: str = "") -> None:
        """Ask for a person. A task that is open already is not added again."""
        if not any((task.kind, task.about) == (kind, about) for task in self.tasks):
            self.tasks.append(Task(kind=kind, since=moment.now, detail=detail[:WORDS], about=about))
            self.add(TaskEvent(at=second_of(moment), kind="task_opened", task=kind, about=about))

    def close_tasks(self, kind: TaskKind, moment: Moment, by: str, until: datetime | None = None) -> None:
        """A person has dealt with all tasks of a kind, except those that began after `until`."""
        closed = [task for task in self.tasks if task.kind == kind and (until is None or task.since <= until)]
        if closed:
            self.tasks = [task for task in self.tasks if task not in closed]
            self.add(TaskEvent(at=second_of(moment), kind="task_closed", task=kind, by=by))

    def end_task(self, kind: TaskKind, about: str = "") -> None:
        """The task is no longer needed."""
        self.tasks = [task for task in self.tasks if (task.kind, task.about) != (kind, about)]

    def close_as_cancelled(self, moment: Moment) -> None:
        """Nothing of it is left to ship: end it. Only allowed if no purchase order is open.

        Its tasks end too, except those about goods that a supplier may have sent anyway.
        """
        if self.status == "IN_FULFILMENT":
            self.step("cancel_confirmed")
        elif self.status == "SHIPPED":
            self.step("all_parcels_returned")
        else:
            self.step("cancel")
        self.holds = []
        self.tasks = [task for task in self.tasks if task.kind == TaskKind.SUPPLIER_EVENT_REFUSED]
        self.fence_off()
        self.record("cancelled", moment)

    def check(self) -> None:
        """Check the invariants of quantities; raises InvariantBroken if one fails."""
        for line in self.lines:
            line.units.check()
