"""Clocks are data: what is due is found and sent to the queue of its workers."""

from dataclasses import dataclass

from dropship.ports import SHARDS, Cases, Clock, Orders, Queues

from .messages import CaseDue, OrderDue


@dataclass(frozen=True)
class Sweep:
    """Finds orders and cases whose clock has run out."""

    orders: Orders
    cases: Cases
    queues: Queues
    clock: Clock

    def run(self) -> int:
        """Send everything that is due; how much that was. What is sent twice is found done the second time."""
        now, sent = self.clock.now(), 0
        for shard in range(SHARDS):  # each is sent before the next is read, so that a long list is not lost
            orders = [OrderDue(order=str(key)).model_dump_json() for key in self.orders.due(shard, now)]
            cases = [CaseDue(case=f"{shop}#{case}").model_dump_json() for shop, case in self.cases.due(shard, now)]
            self.queues.send_all("inbox", orders)
            self.queues.send_all("after-sales", cases)
            sent += len(orders) + len(cases)
        return sent
