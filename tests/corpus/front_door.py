"""API Gateway in this process: a WSGI application that turns requests into events of the HTTP API and back."""

import base64
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.support.lambdas import event

Answer = Callable[[dict[str, Any]], Mapping[str, Any]]
"""A handler: an event in, what API Gateway is to answer out."""
Wsgi = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


def application(example: str, answer: Answer) -> Wsgi:
    """A WSGI application; its events are as the example, with path, query, headers and body of the request."""

    def respond(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        given = answer(_event(example, environ))
        status = HTTPStatus(given["statusCode"])
        headers = {name: str(value) for name, value in given["headers"].items()}
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [given["body"].encode()]

    return respond


def _event(example: str, environ: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a request: the path decoded, repeated parameters joined, the body in base64 where it is no text."""
    made = event(example)
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    made["rawPath"] = made["requestContext"]["http"]["path"] = path
    made["requestContext"]["http"]["method"] = environ["REQUEST_METHOD"]
    made["rawQueryString"] = environ.get("QUERY_STRING", "")
    made.pop("queryStringParameters", None)
    if query := _query(made["rawQueryString"]):
        made["queryStringParameters"] = query
    made["headers"] = {
        name.removeprefix("HTTP_").lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    return made | _body(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _query(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def _body(content: bytes) -> dict[str, Any]:
    try:
        return {"body": content.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
