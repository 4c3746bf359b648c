"""Orders, events and times for tests: short to write, and with the shape of real ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.exchange.marketplace import MarketplaceLine, MarketplaceOrder
from dropship.domain.exchange.suppliers import Shipment, ShippedLine, SupplierEvent
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.money import Money
from dropship.domain.orders import snapshots
from dropship.domain.orders.clocks import arm
from dropship.domain.orders.fulfilment import claim, record_placed
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder, PurchaseOrder
from dropship.domain.orders.snapshots import Snapshot
from dropship.domain.registry.offers import Offer
from dropship.domain.routing.planning import plan

START = datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC)
DEADLINES = Deadlines()
EUR = "EUR"


def at(hours: float = 0) -> datetime:
    """The time this many hours after the start."""
    return START + timedelta(hours=hours)


def moment(hours: float = 0) -> Moment:
    """The moment this many hours after the start, with the deadlines of a new shop."""
    return Moment(at(hours), DEADLINES)


def line(line_id: str = "L1", units: int = 1, *, sku: str = "", shipping: bool = True, sold: int = 0):
    return MarketplaceLine(
        id=line_id,
        sku=sku or f"SKU-{line_id}",
        title="A thing",
        quantity=max(units, sold),
        fulfillable=units,
        unit_price=Money(minor=1990, currency=EUR),
        requires_shipping=shipping,
    )


def snapshot(
    *lines: MarketplaceLine, hours: float = 0, refunds: Sequence[str] = (), paid: bool = True
) -> MarketplaceOrder:
    return MarketplaceOrder(
        shop="main-shop",
        external_id="820982911946154508",
        number="#1001",
        updated_at=at(hours),
        placed_at=START,
        paid=paid,
        total=Money(minor=1990, currency=EUR),
        lines=lines or (line(),),
        refunds=tuple(refunds),
    )


def received(*lines: MarketplaceLine, missing: Sequence[str] = (), refunds: Sequence[str] = ()) -> Order:
    order = snapshots.receive(Snapshot(snapshot(*lines, refunds=refunds), "digest-1", list(missing)), moment())
    arm(order, moment())
    return order


def revise(order: Order, *lines: MarketplaceLine, hours: float = 1, **other) -> bool:
    digest, missing = other.pop("digest", order.recipient_digest), list(other.pop("missing", ()))
    return snapshots.revise(
        order, Snapshot(snapshot(*lines, hours=hours, **other), digest, list(missing)), moment(hours)
    )


def offer(supplier: str = "north", rank: int = 1) -> Offer:
    cost = Money(minor=700, currency=EUR)
    return Offer(supplier=supplier, supplier_sku=f"{supplier}-sku", unit_cost=cost, rank=rank)


def offers(order: Order, **suppliers: str) -> dict[str, list[Offer]]:
    """One offer for each SKU, from the supplier north; `L2="south"` names another supplier for a line."""
    return {each.sku: [offer(suppliers.get(each.id, "north"))] for each in order.lines}


def planned(order: Order, **suppliers: str) -> list[PlannedPurchaseOrder]:
    return plan(order, offers(order, **suppliers))


def claimed(order: Order, hours: float = 0, **suppliers: str) -> list[PurchaseOrder]:
    """Plan and claim everything that is unrouted."""
    fence = order.fence
    purchase_orders = [claim(order, each, moment(hours), fence=fence) for each in planned(order, **suppliers)]
    arm(order, moment(hours))
    return purchase_orders


def dispatched(order: Order, hours: float = 0, **suppliers: str) -> list[PurchaseOrder]:
    """Plan, claim and place everything that is unrouted."""
    purchase_orders = claimed(order, hours, **suppliers)
    for each in purchase_orders:
        record_placed(order, each, f"REF-{each.supplier}", moment(hours))
    arm(order, moment(hours))
    return purchase_orders


Said = Literal["acknowledged", "rejected", "shipped", "cancelled", "cancel_rejected"]


def says(kind: Said, purchase_order: PurchaseOrder, number: str = "", **units: int) -> SupplierEvent:
    """A supplier's event. `number` is the waybill's number; `L1=2` says that two units of line L1 are in the parcel."""
    shipment = None
    if number:
        lines = tuple(ShippedLine(line=line_id, quantity=count) for line_id, count in units.items())
        shipment = Shipment(carrier="yto", number=number, lines=lines)
    return SupplierEvent(
        kind=kind, purchase_order=purchase_order.id, occurred_at=START, reason="their words", shipment=shipment
    )


def scan(stage: TrackingStage | None, hours: float) -> TrackingEvent:
    return TrackingEvent(at=at(hours), raw_time=str(hours), stage=stage, code="code")
