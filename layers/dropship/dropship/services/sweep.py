"""The sweep: clocks are stored as data; what is due is found and sent to its queue (decisions 10 and 20)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from dropship.domain.deadlines import SWEEP
from dropship.domain.identity import OrderKey
from dropship.domain.orders.clocks import for_dispatch, for_shipment
from dropship.domain.orders.order import Order
from dropship.domain.registry.connections import Shop
from dropship.ports import SHARDS, Cases, Clock, NotFound, Orders, Queues, Registry

from .messages import CaseDue, OrderDue
from .orders.download import due_download

AT_A_TIME = 100


@dataclass(frozen=True)
class Sweep:
    """Finds orders and cases whose clock has run out, whether the clock is stored or not (`domain.orders.clocks`)."""

    orders: Orders
    cases: Cases
    registry: Registry
    queues: Queues
    clock: Clock

    def run(self, scheduled: datetime | None = None, period: timedelta = SWEEP) -> int:
        """Send all orders and cases that are due, and return how many.

        To send one twice does no harm: the second time its worker finds nothing to do.

        The look-backs count back from `scheduled`, the time of the schedule, rounded to the nearest full sweep period.
        So each order is looked at by exactly one sweep, and a repeat of a failed sweep looks at the same orders.
        Without `scheduled` (a sweep by hand) they count back from now.

        Each look-back covers orders received within a time of length `period`. If a sweep by hand has a `period` longer
        than `SWEEP`, the orders that changed within that time are downloaded too.
        """
        sent, by_hand = self._due(), period if scheduled is None and period > SWEEP else None
        anchor = self.clock.now() if scheduled is None else _nearest(scheduled)
        shops = list(self._shops())
        for chunk in batched(self._looked_back(shops, anchor, period), AT_A_TIME, strict=False):
            self.queues.send_all("inbox", [OrderDue(order=str(key)).model_dump_json() for key in chunk])
            sent += len(chunk)
        downloads = [due_download(shop, anchor, by_hand) for shop in shops]
        self.queues.send_all("inbox", [one.model_dump_json() for one in downloads if one is not None])
        return sent

    def _due(self) -> int:
        now, sent = self.clock.now(), 0
        for shard in range(SHARDS):  # send each shard before reading the next, so that a timeout does not lose it
            orders = [OrderDue(order=str(key)).model_dump_json() for key in self.orders.due(shard, now)]
            cases = [CaseDue(case=f"{shop}#{case}").model_dump_json() for shop, case in self.cases.due(shard, now)]
            self.queues.send_all("inbox", orders)
            self.queues.send_all("after-sales", cases)
            sent += len(orders) + len(cases)
        return sent

    def _shops(self) -> Iterator[Shop]:
        for name in self.registry.shops():
            with suppress(NotFound):  # the shop was removed a moment ago
                yield self.registry.shop(name)

    def _looked_back(self, shops: Sequence[Shop], anchor: datetime, period: timedelta) -> Iterator[OrderKey]:
        for shop in shops:
            deadlines = shop.deadlines
            for age, waits in ((deadlines.resume, for_dispatch), (deadlines.ship, for_shipment)):
                before = anchor - age
                found = self.orders.received(shop.id, before - period, before)
                yield from self._waiting(found, waits)

    def _waiting(self, keys: Iterable[OrderKey], waits: Callable[[Order], bool]) -> Iterator[OrderKey]:
        """The orders that still wait. An order that is not found or not readable counts too: its worker finds out."""
        for chunk in batched(keys, AT_A_TIME, strict=False):
            known = self.orders.load_all(chunk)
            yield from (key for key in chunk if key not in known or waits(known[key].value))


def _nearest(scheduled: datetime) -> datetime:
    """The time of the schedule, rounded to the nearest full sweep period, because a schedule fires a little late."""
    seconds = SWEEP.total_seconds()
    return datetime.fromtimestamp((scheduled.timestamp() + seconds / 2) // seconds * seconds, scheduled.tzinfo)
