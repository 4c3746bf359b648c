"""Consumer of suppliers' events: acknowledged, rejected, shipped, cancelled."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.ports import Outbox
from dropship.runtime.application import Application
from dropship.runtime.batches import consume_gathering
from dropship.services.messages import Webhook
from dropship.services.purchasing.supplier_events import SupplierEvents

app = Application("supplier_events")


def handle(body: str, outbox: Outbox) -> None:
    """Handle one webhook of a supplier."""
    SupplierEvents(app.orders, app.registry, outbox, app.moments).handle(Webhook.model_validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch from the supplier-events queue."""
    return consume_gathering(app, event, context, handle)
