"""Poll rounds: the orders whose turn it is, 25 in each message (decision 23)."""

from dataclasses import dataclass
from itertools import batched

from dropship.domain.orders.polling import SLOTS, turns
from dropship.ports import Clock, Orders, Queues
from dropship.services.messages import PollParcels

ORDERS_PER_MESSAGE = 25


@dataclass(frozen=True)
class PollRound:
    """Finds the orders whose turn it is and sends them to the tracking queue."""

    orders: Orders
    queues: Queues
    clock: Clock

    def run(self, *, everything: bool = False) -> int:
        """Send one round, and return the number of orders sent. `everything` polls all parcels that are under way."""
        whose = [(slot, None) for slot in range(SLOTS)] if everything else turns(self.clock.now())
        due = [str(key) for slot, since in whose for key in self.orders.polled(slot, since)]
        messages = [
            PollParcels(orders=list(chunk)).model_dump_json()
            for chunk in batched(due, ORDERS_PER_MESSAGE, strict=False)
        ]
        self.queues.send_all("tracking", messages)
        return len(due)
