"""Outbound consumer: tells the marketplace about each parcel once."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.batches import consume
from dropship.services.messages import TellMarketplace
from dropship.services.parcels.writeback import Writeback

app = Application("shipment_writeback")


def handle(body: str) -> None:
    """Handle one parcel that the marketplace has to be told about."""
    Writeback(app.orders, app.registry, app.partners, app.moments).handle(TellMarketplace.model_validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch from the outbound queue. Each message waits for its marketplace twice, so all wait in parallel."""
    return consume(app, event, context, handle, at_once=True)
