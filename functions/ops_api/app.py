"""Back office API. Who calls was checked by the JWT authorizer; every wish becomes one message."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.domain.errors import InvalidMessage
from dropship.ports import NotFound, Unavailable
from dropship.runtime.application import Application
from dropship.services.ops import NotPossible, Ops, read_decision

app = Application("ops_api")
api = APIGatewayHttpResolver()
ACCEPTED = {"accepted": True}, 202
STATUS_OF = {InvalidMessage: 400, NotFound: 404, NotPossible: 409, Unavailable: 503}


def ops() -> Ops:
    """The service with this function's ports."""
    return Ops(app.orders, app.cases, app.registry, app.queues, app.clock)


def caller() -> str:
    """Who calls, by the verified token."""
    claims = api.current_event.request_context.authorizer.jwt_claim or {}
    return str(claims.get("username") or claims.get("sub") or "unknown")


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
    """What needs a person, the longest waiting first; `kind` narrows it, at most `limit`."""
    return ops().attention(**api.current_event.query_string_parameters)


@api.post("/ops/orders/<shop>/<order>/holds/<reason>/release")
def release(shop: str, order: str, reason: str) -> tuple[dict[str, Any], int]:
    """Release a hold; the order then dispatches by itself."""
    ops().release(shop, order, reason, caller())
    return ACCEPTED


@api.post("/ops/orders/<shop>/<order>/dispatch")
def dispatch(shop: str, order: str) -> tuple[dict[str, Any], int]:
    """Dispatch an order again."""
    ops().dispatch(shop, order, caller())
    return ACCEPTED


@api.get("/ops/cases")
def cases() -> dict[str, Any]:
    """After-sales cases that wait for a person, at most `limit`."""
    return ops().open_cases(**api.current_event.query_string_parameters)


@api.get("/ops/cases/<shop>/<case>")
def case(shop: str, case: str) -> dict[str, Any]:
    """One case with its history."""
    return ops().case(shop, case)


@api.post("/ops/cases/<shop>/<case>/decision")
def decide(shop: str, case: str) -> tuple[dict[str, Any], int]:
    """Approve or refuse a case, or report an event of it."""
    ops().decide(shop, case, read_decision(api.current_event.decoded_body or ""), caller())
    return ACCEPTED


@api.exception_handler([*STATUS_OF])
def refused(error: Exception) -> Response[Any]:
    """400, 404, 409 or 503, in words that do not quote what was sent."""
    return Response(STATUS_OF[type(error)], "application/json", body={"error": str(error)})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an API Gateway HTTP API request."""
    return api.resolve(event, context)
