"""Inbox consumer: stores the orders of marketplace events and starts their workflows."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.batches import consume
from dropship.services.messages import INBOX, asks_a_marketplace
from dropship.services.orders.inbox import Inbox

app = Application("order_ingest")


def handle(body: str) -> None:
    """Handle one message of the inbox."""
    inbox = Inbox(app.orders, app.registry, lambda: app.partners, app.queues, app.workflows, app.moments)
    inbox.handle(INBOX.validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch from the inbox queue. Messages that wait for a marketplace are handled at the same time."""
    return consume(app, event, context, handle, at_once=asks_a_marketplace)
