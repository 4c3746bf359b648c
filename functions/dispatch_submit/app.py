"""Second step of `order_fulfilment`: claims and places one purchase order, or gives it to a person."""

from typing import Any

from dropship.domain.identity import OrderKey
from dropship.domain.planning import PlannedPurchaseOrder
from dropship.runtime.application import Application
from dropship.services.dispatch import Submission

app = Application("dispatch_submit")


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Place `purchase_order` of `order`, planned at `fence`; with `error` (from the workflow's Catch) give up.

    Raises:
        SupplierBusy, OutcomeUnknown: the workflow tries again with delay.
    """
    key = OrderKey.parse(event["order"])
    planned = PlannedPurchaseOrder.model_validate(event["purchase_order"])
    submission = Submission(app.orders, app.registry, app.partners, app.queues, app.clock)
    if "error" in event:
        status = submission.give_up(key, planned, str(event["error"].get("Error", "unknown"))[:100])
        app.count("DispatchGivenUp")
    else:
        status = submission.submit(key, event["fence"], planned)
    app.logger.info("dispatched", extra={"order": str(key), "purchase_order": planned.id, "status": status})
    return {"purchase_order": planned.id, "status": status}
