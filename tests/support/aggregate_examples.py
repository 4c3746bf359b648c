"""Orders and cases to store."""

from datetime import UTC, datetime, timedelta

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.marketplace import AfterSalesRequested, MarketplaceLine, MarketplaceOrder, RefundedUnits
from dropship.domain.exchange.suppliers import PurchaseLine, Shipment, SupplierEvent
from dropship.domain.identity import OrderKey
from dropship.domain.money import Money
from dropship.domain.orders.clocks import arm
from dropship.domain.orders.fulfilment import claim, supplier_says
from dropship.domain.orders.order import Order
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.domain.orders.snapshots import Snapshot, receive
from dropship.domain.remedies.case import Case
from tests.support.order_examples import DEADLINES

NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
PRICE = Money(minor=19900, currency="USD")
KEY = OrderKey("main-shop", "820982911946154508")


def marketplace_order(key: OrderKey = KEY, updated_at: datetime = NOON) -> MarketplaceOrder:
    return MarketplaceOrder(
        shop=key.shop,
        external_id=key.external_id,
        number="#1001",
        updated_at=updated_at,
        placed_at=NOON - timedelta(hours=1),
        paid=True,
        total=PRICE,
        lines=(
            MarketplaceLine(
                id="line-1", sku="IPOD2008PINK", title="IPod Nano - 8GB", quantity=1, fulfillable=1, unit_price=PRICE
            ),
        ),
    )


def order(
    key: OrderKey = KEY, at: datetime = NOON, missing: list[str] | None = None, recipient_digest: str = "digest"
) -> Order:
    return _armed(receive(Snapshot(marketplace_order(key), recipient_digest, missing or []), Moment(at, DEADLINES)), at)


def _armed(order: Order, at: datetime) -> Order:
    """The order with its clock armed, as when a service saves it."""
    arm(order, Moment(at, DEADLINES))
    return order


def shipped(key: OrderKey = KEY, at: datetime = NOON, carrier: str = "yto") -> Order:
    """An order with one parcel that a tracker follows."""
    found = order(key, at)
    line = PurchaseLine(line="line-1", supplier_sku="A", quantity=1, unit_cost=PRICE)
    planned = PlannedPurchaseOrder(id=f"{key.shop}.{key.external_id}.acme.1.1", lines=(line,))
    claim(found, planned, Moment(at, DEADLINES), fence=found.fence)
    shipment = Shipment(carrier=carrier, number=f"YT{key.external_id}")
    event = SupplierEvent(kind="shipped", purchase_order=planned.id, occurred_at=at, shipment=shipment)
    supplier_says(found, event, Moment(at, DEADLINES))
    return _armed(found, at)


def case(name: str = "509562969", at: datetime = NOON, shop: str = "main-shop") -> Case:
    request = AfterSalesRequested(
        kind="refund",
        id=name,
        shop=shop,
        order=KEY.external_id,
        requested_at=at,
        units=(RefundedUnits(line="line-1", quantity=1),),
        amount=PRICE,
    )
    opened = Case.open(request, Moment(at, DEADLINES))
    opened.arm(Moment(at, DEADLINES))
    return opened
