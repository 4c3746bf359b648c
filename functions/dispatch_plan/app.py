"""First step of `order_fulfilment`: which purchase orders to place now."""

from typing import Any

from dropship.domain.identity import OrderKey
from dropship.runtime.application import Application
from dropship.services.dispatch import Planning

app = Application("dispatch_plan")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the order `{"order": "shop#order id"}`; the purchase orders go to the Map, with the order's fence."""
    key = OrderKey.parse(event["order"])
    fence, planned = Planning(app.orders, app.registry, app.clock).plan(key)
    app.logger.info("planned", extra={"order": str(key), "purchase_orders": [one.id for one in planned]})
    return {
        "order": str(key),
        "fence": fence,
        "purchase_orders": [
            {"order": str(key), "fence": fence, "purchase_order": one.model_dump(mode="json")} for one in planned
        ],
    }
