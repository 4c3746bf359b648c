"""What ops are alarmed by: holds, tasks and unknown outcomes, counted as the order is saved with them."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order, TaskKind, TimelineEntry
from dropship.ports import Loaded, Sourced

Count = Callable[..., None]
KNOWN_AT_ONCE = 100
_DEADLINES = (TaskKind.ACKNOWLEDGE_LATE, TaskKind.SHIP_LATE, TaskKind.CANCEL_LATE, TaskKind.PARCEL_STALLED)
_COSTS_MONEY = (
    TaskKind.CANCEL_REFUSED,
    TaskKind.QUANTITY_CHANGED,
    TaskKind.REFUNDED_ON_THE_WAY,
    TaskKind.SUPPLIER_EVENT_REFUSED,
    TaskKind.WAYBILL_REUSED,
    TaskKind.WRITEBACK_REFUSED,
)
"""Goods may be sent twice, after a refund or not at all, or nobody is told of a parcel: each one is worth an alarm."""
_METRIC_OF = {
    "held": "OrderHeld",
    **{f"needs a person: {kind}": "TaskOpened" for kind in TaskKind},
    **{f"needs a person: {kind}": "DeadlineMissed" for kind in _DEADLINES},
    **{f"needs a person: {kind}": "MoneyAtRisk" for kind in _COSTS_MONEY},
    **{f"needs a person: {kind}": "DispatchUnknown" for kind in (TaskKind.DISPATCH_UNKNOWN, TaskKind.SUPPLIER_BUSY)},
}


class JournaledOrders(DynamoOrders):
    """The Orders table, with a metric for each saved timeline entry that ops are alarmed by."""

    def __init__(self, table: ItemTable, count: Count) -> None:
        super().__init__(table)
        self._count = count
        self._known: dict[OrderKey, list[TimelineEntry]] = {}
        self._lock = Lock()

    def load(self, key: OrderKey, *, fresh: bool = False) -> Loaded[Order] | None:
        """The order's state; its timeline is remembered until it is saved."""
        loaded = super().load(key, fresh=fresh)
        self._remember(key, loaded.value if loaded else None)
        return loaded

    def load_all(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Loaded[Order]]:
        """The same of many."""
        found = super().load_all(keys)
        for key, loaded in found.items():
            self._remember(key, loaded.value)
        return found

    def load_with_source(self, key: OrderKey) -> Sourced | None:
        """The same, with its source."""
        found = super().load_with_source(key)
        self._remember(key, found.order.value if found else None)
        return found

    def save(self, order: Order, version: int) -> int:
        """Save, then count what is new in the timeline."""
        saved = super().save(order, version)
        known = self._known.get(order.key, [])
        for entry in order.timeline:
            if entry.what in _METRIC_OF and entry not in known:
                self._count(_METRIC_OF[entry.what], order=str(order.key), what=entry.what, about=entry.about)
        self._remember(order.key, order)
        return saved

    def _remember(self, key: OrderKey, order: Order | None) -> None:
        with self._lock:
            self._known.pop(key, None)
            if order is not None:
                self._known[key] = list(order.timeline)
            if len(self._known) > KNOWN_AT_ONCE:  # more than any worker loads before it saves
                del self._known[next(iter(self._known))]
