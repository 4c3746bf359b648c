"""State machines as tables: the one place where a transition is allowed or refused.

The same tables are drawn in the docs and walked by the property tests.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import IllegalTransition


@dataclass(frozen=True)
class Lifecycle:
    """A named state machine: `table[state][event]` is the next state."""

    name: str
    initial: str
    terminal: frozenset[str]
    table: Mapping[str, Mapping[str, str]]

    def next(self, state: str, event: str) -> str:
        """The state after `event`.

        Raises:
            IllegalTransition: the table has no such step.
        """
        try:
            return self.table[state][event]
        except KeyError:
            raise IllegalTransition(f"{self.name}: '{event}' is not possible in state {state}") from None

    def allows(self, state: str, event: str) -> bool:
        """Whether `event` is possible in `state`."""
        return event in self.table.get(state, {})

    def path(self, start: str, goal: str, events: Iterable[str]) -> list[str] | None:
        """The shortest list of `events` that leads from `start` to `goal`; None where there is none."""
        usable = tuple(events)
        seen, queue = {start}, deque([(start, list[str]())])
        while queue:
            state, steps = queue.popleft()
            if state == goal:
                return steps
            for event in usable:
                following = self.table.get(state, {}).get(event)
                if following is not None and following not in seen:
                    seen.add(following)
                    queue.append((following, [*steps, event]))
        return None


ORDER = Lifecycle(
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

PURCHASE_ORDER = Lifecycle(
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

PARCEL = Lifecycle(
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

AFTER_SALES_CASE = Lifecycle(
    name="after-sales case",
    initial="OPEN",
    terminal=frozenset({"CLOSED", "COMPLETED", "REFUNDED", "WITHDRAWN"}),
    table={
        "OPEN": {
            "agree_refund": "REFUNDING",
            "agree_return": "WAIT_BUYER_RETURN",
            "agree_reship": "WAIT_RESHIP",
            "propose": "NEGOTIATING",
            "reject": "REJECTED",
            "merchant_timeout": "REFUNDING",
            "merchant_timeout_return": "WAIT_BUYER_RETURN",
            "withdraw": "WITHDRAWN",
        },
        "NEGOTIATING": {
            "buyer_accepts": "REFUNDING",
            "buyer_declines": "OPEN",
            "buyer_timeout": "OPEN",
            "withdraw": "WITHDRAWN",
        },
        "WAIT_BUYER_RETURN": {
            "buyer_shipped": "RETURN_IN_TRANSIT",
            "buyer_timeout": "CLOSED",
            "withdraw": "WITHDRAWN",
        },
        "RETURN_IN_TRANSIT": {"received": "INSPECTING", "receipt_timeout": "REFUNDING"},
        "INSPECTING": {
            "pass_refund": "REFUNDING",
            "pass_exchange": "WAIT_RESHIP",
            "pass_repair": "REPAIRING",
            "fail": "REJECTED",
        },
        "REPAIRING": {"repaired": "WAIT_RESHIP"},
        "WAIT_RESHIP": {"shipped": "RESHIPPED", "cannot_ship": "REFUNDING"},
        "RESHIPPED": {"buyer_received": "COMPLETED", "parcel_lost": "WAIT_RESHIP"},
        "REJECTED": {"buyer_escalates": "DISPUTED", "buyer_timeout": "CLOSED", "merchant_reopens": "OPEN"},
        "DISPUTED": {"ruled_for_buyer": "REFUNDING", "ruled_for_merchant": "CLOSED", "withdraw": "WITHDRAWN"},
        "REFUNDING": {"refund_ok": "REFUNDED", "refund_failed": "REFUND_FAILED"},
        "REFUND_FAILED": {"retry": "REFUNDING"},
    },
)
