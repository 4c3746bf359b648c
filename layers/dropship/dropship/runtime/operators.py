"""Who uses the back office, by the token that API Gateway has verified."""

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2


def operator(event: APIGatewayProxyEventV2) -> str:
    """The caller's user name, or the subject of the token where it has none."""
    authorizer = event.request_context.authorizer
    claims = (authorizer.jwt_claim if authorizer else None) or {}
    return str(claims.get("username") or claims.get("sub") or "unknown")
