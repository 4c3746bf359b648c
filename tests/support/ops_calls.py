"""Calls of the back office as docs/ops-api.yaml describes them, made to the real handler with worlds in memory."""

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from urllib.parse import quote

from dropship.ports import Unavailable
from tests.support.lambdas import Function, event
from tests.support.openapi import Document, Operation, Schema
from tests.support.order_stories import STORIES
from tests.support.service_world import World
from tests.support.template_document import ROOT

DOCUMENT = Document(ROOT / "docs" / "ops-api.yaml")
PORTS = ("orders", "cases", "registry", "queues", "clock")
Answer = tuple[int, Any]
"""Status and body."""


def worlds() -> list[World]:
    """The example order and its case in many states."""
    found = []
    for tell in STORIES.values():
        found.append(World())
        tell(found[-1])
    return found


def serve(function: Function, ports: Any) -> Function:
    """Give the function other ports."""
    for port in PORTS:
        setattr(function.app, port, getattr(ports, port))
    return function


def ask(
    function: Function,
    operation: Operation,
    path: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Answer:
    """One request, as API Gateway hands it over."""
    where = operation.path.format(**{name: quote(value) for name, value in path.items()})
    request = event("ops_api/get_order") | {"rawPath": where, "queryStringParameters": dict(query or {}), "body": body}
    request["requestContext"]["http"] |= {"method": operation.method, "path": where}
    answer = function(request)
    return answer["statusCode"], json.loads(answer["body"])


def example(schema: Schema) -> str:
    """A value that a schema allows."""
    schema = DOCUMENT.resolved(schema)
    known = {"integer": schema.get("minimum"), "string": {"date": "2026-11-21"}.get(schema.get("format", ""), "x")}
    return str([*schema.get("enum", []), *schema.get("examples", []), known[schema["type"]]][0])


def needed(operation: Operation) -> dict[str, str]:
    """The required query parameters of a call, with example values."""
    return {name: example(one["schema"]) for name, one in operation.parameters["query"].items() if one.get("required")}


def queries(operation: Operation) -> Iterator[dict[str, str]]:
    """First the required parameters alone; then one other parameter added, for each value that the document lists."""
    yield needed(operation)
    for name, one in operation.parameters["query"].items():
        for value in DOCUMENT.resolved(one["schema"]).get("enum", [example(one["schema"])]):
            yield needed(operation) | {name: str(value)}


def paths(operation: Operation, world: World, *, told: bool = False) -> Iterator[dict[str, str]]:
    """The parameters of a path for all that a world contains; with `told`, for every value that the document lists."""
    orders, cases = list(world.orders.all()), list(world.cases.all())
    known = {
        "shop": {order.shop for order in orders},
        "order": {order.external_id for order in orders},
        "case": {case.id for case in cases},
        "reason": {hold.kind for order in orders for hold in order.holds},
        "kind": {task.kind for order in orders for task in order.tasks},
    }
    choices = {}
    for name, one in operation.parameters["path"].items():
        words = DOCUMENT.resolved(one["schema"]).get("enum", []) if told else []
        choices[name] = sorted(words or known[name])
    yield from (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))


def meant(function: Function, operation: Operation, world: World) -> Iterator[Answer]:
    """Answers to every sensible request about what a world contains."""
    serve(function, world.application)
    for path in paths(operation, world):
        for query in queries(operation):
            for body in operation.bodies or [None]:
                yield ask(function, operation, path, query, body)


def senseless(function: Function, operation: Operation, world: World) -> Iterator[Answer]:
    """Answers to requests that name impossible or missing things."""
    serve(function, world.application)
    usual = {name: example(one["schema"]) for name, one in operation.parameters["path"].items()}
    body = next(iter(operation.bodies), None)
    for name, value in product(usual, ("x" * 3000, "gone")):
        yield ask(function, operation, usual | {name: value}, needed(operation), body)
    for name in [*operation.parameters["query"], *(["colour"] if operation.parameters["query"] else [])]:
        yield ask(function, operation, usual, needed(operation) | {name: "gone"}, body)
    for path in paths(operation, world, told=True):
        yield ask(function, operation, path, needed(operation), body)


def in_vain(function: Function, operation: Operation, world: World) -> Iterator[Answer]:
    """Answers when no store and no queue works."""
    serve(function, _Down())
    for path in paths(operation, world):
        yield ask(function, operation, path, needed(operation), next(iter(operation.bodies), None))


class _Down:
    """Every port of a function, out of order: each call raises `Unavailable`."""

    def __getattr__(self, name: str) -> Any:
        return _Down()

    def __call__(self, *_: object, **__: object) -> Any:
        raise Unavailable("not now")
