"""Deadline sweep: finds what is due and sends it to the queue of its workers."""

from typing import Any

from dropship.runtime.application import Application
from dropship.services.sweep import Sweep

app = Application("deadline_sweep")


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """One sweep, started by the schedule."""
    due = Sweep(app.orders, app.cases, app.queues, app.clock).run()
    app.logger.info("sweep", extra={"due": due})
    return {"due": due}
