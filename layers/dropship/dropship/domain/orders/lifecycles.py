"""The lifecycles of an order, a purchase order and a parcel.

The statuses and steps of each table are also types, so that the type checker finds a wrong word. A test compares the
types with the table.
"""

from typing import Literal

from dropship.domain.lifecycle import Lifecycle

OrderStatus = Literal[
    "RECEIVED",
    "READY",
    "ON_HOLD",
    "CANCELLED",
    "COMPLETED",
    "ROUTED",
    "IN_FULFILMENT",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "DELIVERED",
]
OrderStep = Literal[
    "validated",
    "hold_added",
    "cancel",
    "nothing_to_fulfil",
    "routed",
    "route_failed",
    "last_hold_released",
    "po_claimed",
    "reroute_needed",
    "qty_shipped",
    "all_shipped",
    "cancel_confirmed",
    "all_parcels_delivered",
    "all_parcels_returned",
    "aftersale_window_closed",
]
ORDER: Lifecycle[OrderStatus, OrderStep] = Lifecycle(
    name="order",
    initial="RECEIVED",
    terminal=frozenset({"CANCELLED", "COMPLETED"}),
    table={
        "RECEIVED": {
            "validated": "READY",
            "hold_added": "ON_HOLD",
            "cancel": "CANCELLED",
            "nothing_to_fulfil": "COMPLETED",
        },
        "READY": {
            "hold_added": "ON_HOLD",
            "routed": "ROUTED",
            "route_failed": "ON_HOLD",
            "cancel": "CANCELLED",
        },
        "ON_HOLD": {"last_hold_released": "READY", "cancel": "CANCELLED"},
        "ROUTED": {"hold_added": "ON_HOLD", "po_claimed": "IN_FULFILMENT", "cancel": "CANCELLED"},
        "IN_FULFILMENT": {
            "reroute_needed": "READY",
            "qty_shipped": "PARTIALLY_SHIPPED",
            "all_shipped": "SHIPPED",
            "cancel_confirmed": "CANCELLED",
        },
        "PARTIALLY_SHIPPED": {"all_shipped": "SHIPPED"},
        "SHIPPED": {"all_parcels_delivered": "DELIVERED", "all_parcels_returned": "CANCELLED"},
        "DELIVERED": {"aftersale_window_closed": "COMPLETED"},
    },
)

PurchaseOrderStatus = Literal[
    "DRAFT",
    "DISPATCHING",
    "CANCELLED",
    "DISPATCHED",
    "DISPATCH_UNKNOWN",
    "ACKED",
    "PARTIALLY_ACKED",
    "REJECTED",
    "PARTIALLY_SHIPPED",
    "CANCEL_REQUESTED",
    "SHIPPED",
    "CLOSED",
]
PurchaseOrderStep = Literal[
    "dispatch_claimed",
    "cancel",
    "supplier_accepted_request",
    "definite_failure",
    "outcome_unknown",
    "lookup_found",
    "lookup_absent",
    "ack_all",
    "ack_some",
    "rejected",
    "shipped_without_ack",
    "cancel_requested",
    "ack_rest",
    "qty_shipped",
    "all_shipped",
    "short_closed",
    "cancel_accepted",
    "cancel_rejected",
    "cancel_timeout",
    "settled",
]
PURCHASE_ORDER: Lifecycle[PurchaseOrderStatus, PurchaseOrderStep] = Lifecycle(
    name="purchase order",
    initial="DRAFT",
    terminal=frozenset({"CANCELLED", "CLOSED", "REJECTED"}),
    table={
        "DRAFT": {"dispatch_claimed": "DISPATCHING", "cancel": "CANCELLED"},
        "DISPATCHING": {
            "supplier_accepted_request": "DISPATCHED",
            "definite_failure": "DRAFT",
            "outcome_unknown": "DISPATCH_UNKNOWN",
        },
        "DISPATCH_UNKNOWN": {"lookup_found": "DISPATCHED", "lookup_absent": "DRAFT"},
        "DISPATCHED": {
            "ack_all": "ACKED",
            "ack_some": "PARTIALLY_ACKED",
            "rejected": "REJECTED",
            "shipped_without_ack": "PARTIALLY_SHIPPED",
            "cancel_requested": "CANCEL_REQUESTED",
        },
        "PARTIALLY_ACKED": {
            "ack_rest": "ACKED",
            "qty_shipped": "PARTIALLY_SHIPPED",
            "cancel_requested": "CANCEL_REQUESTED",
        },
        "ACKED": {
            "qty_shipped": "PARTIALLY_SHIPPED",
            "all_shipped": "SHIPPED",
            "cancel_requested": "CANCEL_REQUESTED",
        },
        "PARTIALLY_SHIPPED": {"all_shipped": "SHIPPED", "short_closed": "SHIPPED"},
        "CANCEL_REQUESTED": {
            "cancel_accepted": "CANCELLED",
            "cancel_rejected": "ACKED",
            "cancel_timeout": "ACKED",
            "qty_shipped": "PARTIALLY_SHIPPED",
            "all_shipped": "SHIPPED",
        },
        "SHIPPED": {"settled": "CLOSED"},
    },
)

ParcelStatus = Literal[
    "LABEL_CREATED",
    "VOIDED",
    "PICKED_UP",
    "IN_TRANSIT",
    "OUT_FOR_DELIVERY",
    "DELIVERED",
    "EXCEPTION",
    "RETURNING",
    "LOST",
    "RETURNED",
    "DELIVERED_FINAL",
]
ParcelStep = Literal[
    "void",
    "picked_up",
    "scan_transit",
    "out_for_delivery",
    "delivered",
    "exception",
    "intercept_succeeded",
    "refused",
    "declared_lost",
    "return_started",
    "return_received",
    "window_closed",
]
PARCEL: Lifecycle[ParcelStatus, ParcelStep] = Lifecycle(
    name="parcel",
    initial="LABEL_CREATED",
    terminal=frozenset({"DELIVERED_FINAL", "LOST", "RETURNED", "VOIDED"}),
    table={
        "LABEL_CREATED": {"void": "VOIDED", "picked_up": "PICKED_UP", "scan_transit": "IN_TRANSIT"},
        "PICKED_UP": {
            "scan_transit": "IN_TRANSIT",
            "out_for_delivery": "OUT_FOR_DELIVERY",
            "delivered": "DELIVERED",
            "exception": "EXCEPTION",
            "intercept_succeeded": "RETURNING",
        },
        "IN_TRANSIT": {
            "out_for_delivery": "OUT_FOR_DELIVERY",
            "delivered": "DELIVERED",
            "exception": "EXCEPTION",
            "intercept_succeeded": "RETURNING",
        },
        "OUT_FOR_DELIVERY": {
            "delivered": "DELIVERED",
            "scan_transit": "IN_TRANSIT",
            "exception": "EXCEPTION",
            "refused": "RETURNING",
        },
        "EXCEPTION": {
            "scan_transit": "IN_TRANSIT",
            "out_for_delivery": "OUT_FOR_DELIVERY",
            "delivered": "DELIVERED",
            "declared_lost": "LOST",
            "return_started": "RETURNING",
        },
        "RETURNING": {"return_received": "RETURNED", "delivered": "DELIVERED", "declared_lost": "LOST"},
        "DELIVERED": {"return_started": "RETURNING", "window_closed": "DELIVERED_FINAL"},
    },
)
