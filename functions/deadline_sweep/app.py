"""Deadline sweep: finds what is due and sends it to the queue of its workers."""

from datetime import datetime, timedelta
from typing import Any

from dropship.domain.deadlines import SWEEP
from dropship.runtime.application import Application
from dropship.services.sweep import Sweep

app = Application("deadline_sweep")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """One sweep, started by the schedule, whose event says its `time`.

    By hand without it the look-backs end now; `{"days": 3}` lets each look at three days instead of a few minutes, and
    downloads the orders that changed in them.
    """
    scheduled = datetime.fromisoformat(event["time"]) if "time" in event else None
    period = timedelta(days=event["days"]) if "days" in event else SWEEP
    due = Sweep(app.orders, app.cases, app.registry, app.queues, app.clock).run(scheduled, period)
    app.logger.info("sweep", extra={"due": due})
    return {"due": due}
