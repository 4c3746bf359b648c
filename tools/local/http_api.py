"""Routes of the HTTP API: the emulator does not read them from the OpenAPI body that SAM generates."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
INTEGRATION = "x-amazon-apigateway-integration"


@dataclass(frozen=True)
class Route:
    """One route of the OpenAPI body: its key (`ANY /ops/{proxy+}`), the Lambda's ARN and its authorizer, if any."""

    key: str
    function_arn: str
    payload_version: str
    timeout_ms: int
    authorizer: str | None


@dataclass(frozen=True)
class JwtAuthorizer:
    """One JWT authorizer of the OpenAPI body."""

    name: str
    identity_source: str
    issuer: str
    audience: tuple[str, ...]


def routes(body: Mapping[str, Any]) -> Iterator[Route]:
    """Every route of an OpenAPI body whose intrinsic functions are resolved."""
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            if method not in METHODS and method != "x-amazon-apigateway-any-method":
                continue
            integration = operation[INTEGRATION]
            key = "$default" if path == "/$default" else f"{method.upper() if method in METHODS else 'ANY'} {path}"
            yield Route(
                key=key,
                function_arn=_function_arn(integration["uri"]),
                payload_version=integration.get("payloadFormatVersion", "2.0"),
                timeout_ms=int(integration.get("timeoutInMillis", 30000)),
                authorizer=next(
                    (name for need in operation.get("security", []) for name in need if name != "NONE"), None
                ),
            )


def authorizers(body: Mapping[str, Any]) -> Iterator[JwtAuthorizer]:
    """Every JWT authorizer of an OpenAPI body whose intrinsic functions are resolved."""
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        settings = scheme.get("x-amazon-apigateway-authorizer", {})
        if settings.get("type") != "jwt":
            continue
        jwt = settings["jwtConfiguration"]
        source = settings.get("identitySource", "$request.header.Authorization")
        yield JwtAuthorizer(name, source, jwt["issuer"], tuple(jwt["audience"]))


def resolve(node: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401
    """`node` with Ref, Fn::Sub, Fn::GetAtt and Fn::Join replaced; `values` maps `Name` and `Name.Attribute`.

    Raises:
        KeyError: a name is not in `values`.
    """
    if isinstance(node, list):
        return [resolve(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    resolved = {key: resolve(value, values) for key, value in node.items()}
    function = next(iter(resolved), "")
    return INTRINSICS[function](resolved[function], values) if function in INTRINSICS else resolved


def import_routes(client: Any, api_id: str, body: Mapping[str, Any]) -> list[str]:  # noqa: ANN401
    """Give the API exactly the routes of `body`, and return their keys. `client` is an `apigatewayv2` client."""
    for route in client.get_routes(ApiId=api_id)["Items"]:
        client.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for authorizer in client.get_authorizers(ApiId=api_id)["Items"]:
        client.delete_authorizer(ApiId=api_id, AuthorizerId=authorizer["AuthorizerId"])
    for integration in client.get_integrations(ApiId=api_id)["Items"]:
        client.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    guards = {authorizer.name: _create_authorizer(client, api_id, authorizer) for authorizer in authorizers(body)}
    keys = []
    for route in routes(body):
        _create_route(client, api_id, route, guards)
        keys.append(route.key)
    return keys


def _create_authorizer(client: Any, api_id: str, authorizer: JwtAuthorizer) -> str:  # noqa: ANN401
    created = client.create_authorizer(
        ApiId=api_id,
        Name=authorizer.name,
        AuthorizerType="JWT",
        IdentitySource=[authorizer.identity_source],
        JwtConfiguration={"Issuer": authorizer.issuer, "Audience": list(authorizer.audience)},
    )
    return str(created["AuthorizerId"])


def _create_route(client: Any, api_id: str, route: Route, guards: Mapping[str, str]) -> None:  # noqa: ANN401
    integration = client.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=route.function_arn,
        PayloadFormatVersion=route.payload_version,
        TimeoutInMillis=route.timeout_ms,
    )["IntegrationId"]
    guard = {"AuthorizationType": "JWT", "AuthorizerId": guards[route.authorizer]} if route.authorizer else {}
    client.create_route(ApiId=api_id, RouteKey=route.key, Target=f"integrations/{integration}", **guard)


def _function_arn(uri: str) -> str:
    """The Lambda's ARN inside an API Gateway invocation URI."""
    found = re.search(r"/functions/(?P<arn>[^/]+)/invocations", uri)
    return found["arn"] if found else uri


def _get_attribute(target: str | list[str], values: Mapping[str, str]) -> str:
    return values[target if isinstance(target, str) else ".".join(target)]


def _substitute(argument: str | tuple[str, dict[str, str]], values: Mapping[str, str]) -> str:
    text, more = (argument, {}) if isinstance(argument, str) else argument
    known = {**values, **more}
    return re.sub(r"\$\{(!?)([^}]+)\}", lambda m: f"${{{m[2]}}}" if m[1] else known[m[2].strip()], text)


INTRINSICS: dict[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "Ref": lambda name, values: values[name],
    "Fn::GetAtt": _get_attribute,
    "Fn::Join": lambda argument, _: argument[0].join(argument[1]),
    "Fn::Sub": _substitute,
}
