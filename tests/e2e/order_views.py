"""What tests ask of an order as ops see it."""


def kinds(order: dict) -> list[str]:
    """Why it is on hold."""
    return [hold["kind"] for hold in order["holds"]]


def dispatched(order: dict) -> bool:
    """Whether its one purchase order is at the supplier."""
    return [po["status"] for po in order["purchase_orders"]] == ["DISPATCHED"]
