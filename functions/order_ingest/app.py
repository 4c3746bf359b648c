"""Inbox consumer: one marketplace event in, one stored order and one started workflow out."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.batches import consume
from dropship.services.messages import INBOX
from dropship.services.orders.inbox import Inbox

app = Application("order_ingest")


def handle(body: str) -> None:
    """Handle one message of the inbox."""
    inbox = Inbox(app.orders, app.registry, app.queues, app.workflows, app.clock)
    inbox.handle(INBOX.validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch from the inbox queue."""
    return consume(app, event, context, handle)
