"""What tests read from an order as the ops API shows it."""


def kinds(order: dict) -> list[str]:
    """The reasons why the order is on hold."""
    return [hold["kind"] for hold in order["holds"]]


def dispatched(order: dict) -> bool:
    """Whether the order has one purchase order, and the supplier has it."""
    return [po["status"] for po in order["purchase_orders"]] == ["DISPATCHED"]
