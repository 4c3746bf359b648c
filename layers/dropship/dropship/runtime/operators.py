"""Who calls the back office, from the token that API Gateway has verified."""

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2


def operator(event: APIGatewayProxyEventV2) -> str:
    """The caller's user name; the subject of the token if it has no user name; `unknown` without both."""
    authorizer = event.request_context.authorizer
    claims = (authorizer.jwt_claim if authorizer else None) or {}
    return str(claims.get("username") or claims.get("sub") or "unknown")
