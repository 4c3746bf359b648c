"""Clocks are data: what is due is found and sent to the queue of its workers (decisions 10 and 20)."""

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
    """Finds orders and cases whose clock has run out, explicit or not (`domain.orders.clocks`)."""

    orders: Orders
    cases: Cases
    registry: Registry
    queues: Queues
    clock: Clock

    def run(self, scheduled: datetime | None = None, period: timedelta = SWEEP) -> int:
        """Send all orders and cases that are due; how many. What is sent twice is found done the second time.

        The look-backs are anchored at `scheduled`, the time of the schedule, taken to the nearest full period: each
        order is looked at by exactly one sweep, and a repeat of a sweep that failed looks at the same orders. By hand
        they are anchored now. `period` is how long a time of reception they look at; by hand, what changed in a longer
        one is downloaded, too.
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
        for shard in range(SHARDS):  # each is sent before the next is read, so that a long list is not lost
            orders = [OrderDue(order=str(key)).model_dump_json() for key in self.orders.due(shard, now)]
            cases = [CaseDue(case=f"{shop}#{case}").model_dump_json() for shop, case in self.cases.due(shard, now)]
            self.queues.send_all("inbox", orders)
            self.queues.send_all("after-sales", cases)
            sent += len(orders) + len(cases)
        return sent

    def _shops(self) -> Iterator[Shop]:
        for name in self.registry.shops():
            with suppress(NotFound):  # it was taken out a moment ago
                yield self.registry.shop(name)

    def _looked_back(self, shops: Sequence[Shop], anchor: datetime, period: timedelta) -> Iterator[OrderKey]:
        for shop in shops:
            deadlines = shop.deadlines
            for age, waits in ((deadlines.resume, for_dispatch), (deadlines.ship, for_shipment)):
                before = anchor - age
                found = self.orders.received(shop.id, before - period, before)
                yield from self._waiting(found, waits)

    def _waiting(self, keys: Iterable[OrderKey], waits: Callable[[Order], bool]) -> Iterator[OrderKey]:
        """Those that still wait. One that is not seen, or cannot be read, counts: its worker will see, or fail."""
        for chunk in batched(keys, AT_A_TIME, strict=False):
            known = self.orders.load_all(chunk)
            yield from (key for key in chunk if key not in known or waits(known[key].value))


def _nearest(scheduled: datetime) -> datetime:
    """The full period that a schedule, which fires a little late, was meant for."""
    seconds = SWEEP.total_seconds()
    return datetime.fromtimestamp((scheduled.timestamp() + seconds / 2) // seconds * seconds, scheduled.tzinfo)
