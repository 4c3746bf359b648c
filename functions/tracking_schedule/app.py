"""Poll round: finds the orders whose turn it is and sends them to the tracking queue."""

from typing import Any

from dropship.runtime.application import Application
from dropship.services.parcels.polls import PollRound

app = Application("tracking_schedule")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Run one round, started by the schedule, or by hand with `{"everything": true}` to poll all parcels under way."""
    orders = PollRound(app.orders, app.queues, app.clock).run(everything=event.get("everything") is True)
    app.logger.info("poll round", extra={"orders": orders})
    return {"orders": orders}
