"""Tracking consumer: pushed reports, polls and subscriptions; moves parcels along."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.batches import consume
from dropship.services.messages import TRACKING
from dropship.services.parcels.tracking import Tracking

app = Application("tracking_poll")


def handle(body: str) -> None:
    """Handle one message of the tracking queue."""
    tracking = Tracking(
        app.orders,
        app.registry,
        app.partners,
        app.queues,
        app.moments,
        count=lambda metric, what: app.count(metric, what=what),
        ask_all=app.threads.map,
    )
    tracking.handle(TRACKING.validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch from the tracking queue."""
    return consume(app, event, context, handle)
