"""The lifecycle of an after-sales case.

The statuses and steps of the table are also types, so that the type checker finds a wrong word. A test compares the
types with the table.
"""

from typing import Literal

from dropship.domain.lifecycle import Lifecycle

CaseStatus = Literal[
    "OPEN",
    "REFUNDING",
    "WAIT_BUYER_RETURN",
    "WAIT_RESHIP",
    "NEGOTIATING",
    "REJECTED",
    "WITHDRAWN",
    "RETURN_IN_TRANSIT",
    "CLOSED",
    "INSPECTING",
    "REPAIRING",
    "RESHIPPED",
    "COMPLETED",
    "DISPUTED",
    "REFUNDED",
    "REFUND_FAILED",
]
CaseStep = Literal[
    "agree_refund",
    "agree_return",
    "agree_reship",
    "propose",
    "reject",
    "merchant_timeout",
    "merchant_timeout_return",
    "withdraw",
    "buyer_accepts",
    "buyer_declines",
    "buyer_timeout",
    "buyer_shipped",
    "received",
    "receipt_timeout",
    "pass_refund",
    "pass_exchange",
    "pass_repair",
    "fail",
    "repaired",
    "shipped",
    "cannot_ship",
    "buyer_received",
    "parcel_lost",
    "buyer_escalates",
    "merchant_reopens",
    "ruled_for_buyer",
    "ruled_for_merchant",
    "refund_ok",
    "refund_failed",
    "retry",
]
AFTER_SALES_CASE: Lifecycle[CaseStatus, CaseStep] = Lifecycle(
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
