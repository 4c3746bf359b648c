"""First step of `order_fulfilment`: which purchase orders to place now."""

from typing import Any

from dropship.domain.identity import OrderKey
from dropship.domain.orders.unrouted import Unrouted
from dropship.runtime.application import Application
from dropship.services.routing.planning import Planning

app = Application("dispatch_plan")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the order `{"order": "shop#order id"}`, and return its fence and the purchase orders for the Map state.

    `unrouted` is also in the input if the order is new: it holds what the plan needs to know about the order.
    """
    key = OrderKey.parse(event["order"])
    unrouted = Unrouted.model_validate(event["unrouted"]) if "unrouted" in event else None
    fence, planned = Planning(app.orders, app.registry, app.moments).plan(key, unrouted)
    app.logger.debug("planned", extra={"order": str(key), "purchase_orders": [one.id for one in planned]})
    return {
        "order": str(key),
        "fence": fence,
        "purchase_orders": [
            {"order": str(key), "fence": fence, "purchase_order": one.model_dump(mode="json")} for one in planned
        ],
    }
