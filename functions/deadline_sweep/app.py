"""Deadline sweep: finds what is due and sends it to the queue of its workers."""

from datetime import datetime, timedelta
from typing import Any

from dropship.domain.deadlines import SWEEP
from dropship.runtime.application import Application
from dropship.services.sweep import Sweep

app = Application("deadline_sweep")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Run one sweep. The schedule starts it with an event that has its `time`.

    By hand, leave `time` out: then the look-backs count back from now. With `{"days": 3}` each look-back covers three
    days instead of a few minutes, and the orders that changed in the last three days are downloaded.
    """
    scheduled = datetime.fromisoformat(event["time"]) if "time" in event else None
    period = timedelta(days=event["days"]) if "days" in event else SWEEP
    due = Sweep(app.orders, app.cases, app.registry, app.queues, app.clock).run(scheduled, period)
    app.logger.info("sweep", extra={"due": due})
    return {"due": due}
