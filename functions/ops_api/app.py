"""Back office API. The JWT authorizer has checked the caller; every request for a change becomes one message."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.runtime.application import Application
from dropship.runtime.operators import operator
from dropship.runtime.request_body import request_body
from dropship.services.desk.ops import STATUS_OF, Ops, read_decision

app = Application("ops_api")
api = APIGatewayHttpResolver()
ACCEPTED = {"accepted": True}, 202


def ops() -> Ops:
    """The service with this function's ports."""
    return Ops(app.orders, app.cases, app.registry, app.queues, app.clock)


@api.get("/ops/orders/<shop>/<order>")
def order(shop: str, order: str) -> dict[str, Any]:
    """One order with its timeline."""
    return ops().order(shop, order)


@api.get("/ops/orders")
def recent() -> dict[str, Any]:
    """Orders of `shop` received on `day` (UTC; today if not given), newest first; at most `limit`."""
    return ops().recent(**api.current_event.query_string_parameters)


@api.get("/ops/attention")
def attention() -> dict[str, Any]:
    """What needs a person, the most urgent first; filters `kind` and `shop`, at most `limit`, next page by `after`."""
    return ops().attention(**api.current_event.query_string_parameters)


@api.post("/ops/orders/<shop>/<order>/holds/<reason>/release")
def release(shop: str, order: str, reason: str) -> tuple[dict[str, Any], int]:
    """Release a hold; then the order is dispatched automatically."""
    ops().release(shop, order, reason, operator(api.current_event))
    return ACCEPTED


@api.post("/ops/orders/<shop>/<order>/tasks/<kind>/close")
def close_task(shop: str, order: str, kind: str) -> tuple[dict[str, Any], int]:
    """Close the order's tasks of a kind: a person has dealt with them."""
    ops().close_task(shop, order, kind, operator(api.current_event))
    return ACCEPTED


@api.post("/ops/orders/<shop>/<order>/dispatch")
def dispatch(shop: str, order: str) -> tuple[dict[str, Any], int]:
    """Dispatch an order again."""
    ops().dispatch(shop, order, operator(api.current_event))
    return ACCEPTED


@api.get("/ops/cases")
def cases() -> dict[str, Any]:
    """After-sales cases that need a person, with the parameters of `attention`."""
    return ops().open_cases(**api.current_event.query_string_parameters)


@api.get("/ops/cases/<shop>/<case>")
def case(shop: str, case: str) -> dict[str, Any]:
    """One case with its history."""
    return ops().case(shop, case)


@api.post("/ops/cases/<shop>/<case>/decision")
def decide(shop: str, case: str) -> tuple[dict[str, Any], int]:
    """Approve or refuse a case, or report an event of it."""
    ops().decide(shop, case, read_decision(request_body(api.current_event.raw_event)), operator(api.current_event))
    return ACCEPTED


@api.not_found
@api.exception_handler([*STATUS_OF])
def refused(error: Exception) -> Response[Any]:
    """400, 404 (also for an unknown path or method), 409 or 503, with a message that does not quote the request."""
    return Response(STATUS_OF.get(type(error), 404), "application/json", body={"error": str(error) or "no such path"})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an API Gateway HTTP API request."""
    return api.resolve(event, context)
