"""The models that connectors take and return. Each is imported when it is first used.

    from dropship.connectors import models

    models.OrderChanged(...)

So the front door, which only verifies, loads none of them. With `from __future__ import annotations`, an annotation
does not load them either.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropship.domain.exchange.marketplace import (
        AfterSalesRequested,
        ChangedOrders,
        MarketplaceEvent,
        MarketplaceLine,
        MarketplaceOrder,
        OrderChanged,
        OrderHint,
        Recipient,
        RefundedUnits,
    )
    from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
    from dropship.domain.exchange.suppliers import (
        CancelAccepted,
        CancelPending,
        CancelResult,
        FindResult,
        Placed,
        PlaceResult,
        PurchaseOrderRequest,
        Shipment,
        ShippedLine,
        SupplierEvent,
    )
    from dropship.domain.exchange.tracking import TrackingEvent, TrackingReport, TrackingStage
    from dropship.domain.exchange.writeback import (
        FulfilmentGroup,
        FulfilmentState,
        ParcelShipped,
        WritebackResult,
        WrittenBack,
    )
    from dropship.domain.money import Money
    from dropship.domain.registry.connections import Shop, Supplier, Tracker
    from dropship.ports import HttpRequest, HttpResponse, NotFound
else:
    _HOMES = (
        "dropship.ports",
        "dropship.domain.money",
        "dropship.domain.registry.connections",
        *(f"dropship.domain.exchange.{name}" for name in ("marketplace", "outcomes", "suppliers", "tracking")),
        "dropship.domain.exchange.writeback",
    )

    def __getattr__(name: str) -> object:
        """The model of that name, imported from its module."""
        if name in __all__:
            for home in map(importlib.import_module, _HOMES):
                if name in vars(home):
                    return globals().setdefault(name, vars(home)[name])
        raise AttributeError(f"connectors have no model {name!r}")


__all__ = [
    "Absent",
    "AfterSalesRequested",
    "Busy",
    "CancelAccepted",
    "CancelPending",
    "CancelResult",
    "ChangedOrders",
    "FindResult",
    "FulfilmentGroup",
    "FulfilmentState",
    "HttpRequest",
    "HttpResponse",
    "MarketplaceEvent",
    "MarketplaceLine",
    "MarketplaceOrder",
    "Money",
    "NotFound",
    "OrderChanged",
    "OrderHint",
    "ParcelShipped",
    "PlaceResult",
    "Placed",
    "PurchaseOrderRequest",
    "Recipient",
    "RefundedUnits",
    "Refused",
    "Shipment",
    "ShippedLine",
    "Shop",
    "Supplier",
    "SupplierEvent",
    "Tracker",
    "TrackingEvent",
    "TrackingReport",
    "TrackingStage",
    "Unknown",
    "WritebackResult",
    "WrittenBack",
]
