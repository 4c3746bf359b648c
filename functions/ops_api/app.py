"""Back office API. Who calls was checked by the JWT authorizer; every wish becomes one message."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from dropship.ports import NotFound
from dropship.runtime.application import Application
from dropship.services.ops import DecisionBody, NotPossible, Ops

app = Application("ops_api")
api = APIGatewayHttpResolver()


def ops() -> Ops:
    """The service with this function's ports."""
    return Ops(app.orders, app.cases, app.registry, app.queues)


def caller() -> str:
    """Who calls, by the verified token."""
    claims = (api.current_event.request_context.authorizer.jwt_claim if api.current_event else None) or {}
    return str(claims.get("username") or claims.get("cognito:username") or claims.get("sub") or "unknown")


def number(name: str, default: int) -> int:
    """A whole number from the query string, between 1 and 100."""
    text = api.current_event.query_string_parameters.get(name, str(default))
    if not (text.isdecimal() and len(text) < 4 and 1 <= int(text) <= 100):
        raise BadRequestError(f"{name} has to be a whole number from 1 to 100")
    return int(text)


@api.get("/ops/orders/<shop>/<order>")
def order(shop: str, order: str) -> dict[str, Any]:
    """One order with its timeline."""
    return ops().order(shop, order)


@api.get("/ops/orders")
def recent() -> dict[str, Any]:
    """Orders of `shop` received on `day` (UTC; today if not given), newest first."""
    query = api.current_event.query_string_parameters
    if "shop" not in query:
        raise BadRequestError("which shop? add ?shop=…")
    return ops().recent(query["shop"], query.get("day") or app.clock.now().strftime("%Y-%m-%d"), number("limit", 50))


@api.get("/ops/attention")
def attention() -> dict[str, Any]:
    """What needs a person, the longest waiting first; `kind` narrows it."""
    return ops().attention(api.current_event.query_string_parameters.get("kind"), number("limit", 50))


@api.post("/ops/orders/<shop>/<order>/holds/<reason>/release")
def release(shop: str, order: str, reason: str) -> Response[Any]:
    """Release a hold; the order then dispatches by itself."""
    ops().release(shop, order, reason, caller())
    return accepted()


@api.post("/ops/orders/<shop>/<order>/dispatch")
def dispatch(shop: str, order: str) -> Response[Any]:
    """Dispatch an order again."""
    ops().dispatch(shop, order, caller())
    return accepted()


@api.get("/ops/cases")
def cases() -> dict[str, Any]:
    """After-sales cases that wait for a person."""
    return ops().open_cases(number("limit", 50))


@api.get("/ops/cases/<shop>/<case>")
def case(shop: str, case: str) -> dict[str, Any]:
    """One case with its history."""
    return ops().case(shop, case)


@api.post("/ops/cases/<shop>/<case>/decision")
def decide(shop: str, case: str) -> Response[Any]:
    """Approve or refuse a case, or report an event of it."""
    body = api.current_event.decoded_body or ""
    ops().decide(shop, case, DecisionBody.model_validate_json(body), caller())
    return accepted()


def accepted() -> Response[Any]:
    """202: the wish is in its queue."""
    return Response(status_code=202, content_type="application/json", body='{"accepted":true}')


@api.exception_handler(NotFound)
def not_found(error: NotFound) -> Response[Any]:
    """404, in our words."""
    return problem(404, str(error))


@api.exception_handler(NotPossible)
def not_possible(error: NotPossible) -> Response[Any]:
    """409, in our words."""
    return problem(409, str(error))


@api.exception_handler(ValidationError)
def invalid(error: ValidationError) -> Response[Any]:
    """400, naming the fields."""
    fields = [f"{'.'.join(map(str, issue['loc'])) or 'body'}: {issue['msg']}" for issue in error.errors()]
    return problem(400, "; ".join(fields))


def problem(status: int, words: str) -> Response[Any]:
    """An error answer."""
    return Response(status_code=status, content_type="application/json", body={"error": words})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an API Gateway HTTP API request."""
    return api.resolve(event, context)
