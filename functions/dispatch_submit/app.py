"""Second step of `order_fulfilment`: claims and places one purchase order, or asks a person."""

from typing import Any

from dropship.domain.identity import OrderKey
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.runtime.application import Application
from dropship.services.purchasing.dispatch import Submission

app = Application("dispatch_submit")


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Place `purchase_order` of `order`, planned at `fence`, as `worker`; with `error` (from a Catch) give up.

    Raises:
        SupplierBusy, OutcomeUnknown: the workflow tries again after a delay.
    """
    key, wanted = OrderKey.parse(event["order"]), event.get("purchase_order")
    submission = Submission(app.orders, app.registry, app.suppliers, app.queues, app.moments)
    po_id = wanted["id"] if wanted else ""
    if "error" in event:
        status = submission.give_up(key, po_id, str(event["error"].get("Error", "unknown"))[:100])
    else:
        planned = PlannedPurchaseOrder.model_validate(wanted)
        status = submission.submit(key, event["fence"], planned, event["worker"])
    app.logger.info("dispatched", extra={"order": str(key), "purchase_order": po_id, "status": status})
    return {"purchase_order": po_id, "status": status}
