"""After-sales: consumer of its queue, and the two steps of the workflow `after_sales_case`."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.batches import consume
from dropship.services.messages import AFTER_SALES
from dropship.services.purchasing.cancellation import Cancellation
from dropship.services.remedies.after_sales import AfterSales

app = Application("after_sales")


def after_sales() -> AfterSales:
    """The service with this function's ports."""
    cancellation = Cancellation(app.orders, app.registry, app.suppliers, app.moments)
    return AfterSales(app.orders, app.cases, cancellation, app.workflows, app.moments)


def handle(body: str) -> None:
    """Handle one message of the after-sales queue."""
    after_sales().handle(AFTER_SALES.validate_json(body))


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | dict[str, str]:
    """Handle a batch from the queue, or a step of the workflow.

    The workflow sends `{"case", "task_token"}` to wait for the end of a case and `{"case", "record": true}`
    to have its outcome recorded.
    """
    if "task_token" in event:
        after_sales().await_outcome(event["case"], event["task_token"])
        return {}
    if "record" in event:
        return {"status": after_sales().record(event["case"])}
    return consume(app, event, context, handle)
