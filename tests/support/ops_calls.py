"""Calls of the back office as docs/ops-api.yaml describes them, made of the real handler over worlds in memory."""

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
    """The function with other ports."""
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
    """Some value that a schema allows."""
    schema = DOCUMENT.resolved(schema)
    known = {"integer": schema.get("minimum"), "string": {"date": "2026-11-21"}.get(schema.get("format", ""), "x")}
    return str([*schema.get("enum", []), *schema.get("examples", []), known[schema["type"]]][0])


def needed(operation: Operation) -> dict[str, str]:
    """The query that a call cannot do without."""
    return {name: example(one["schema"]) for name, one in operation.parameters["query"].items() if one.get("required")}


def queries(operation: Operation) -> Iterator[dict[str, str]]:
    """What is needed, then each parameter of the query beside it, with each value that is told of it."""
    yield needed(operation)
    for name, one in operation.parameters["query"].items():
        for value in DOCUMENT.resolved(one["schema"]).get("enum", [example(one["schema"])]):
            yield needed(operation) | {name: str(value)}


def paths(operation: Operation, world: World, *, told: bool = False) -> Iterator[dict[str, str]]:
    """The parameters of a path for everything that there is in a world; with every word that is `told`, if wanted."""
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
    """Answers to every request that is meant to be made of a world."""
    serve(function, world.application)
    for path in paths(operation, world):
        for query in queries(operation):
            for body in operation.bodies or [None]:
                yield ask(function, operation, path, query, body)


def senseless(function: Function, operation: Operation, world: World) -> Iterator[Answer]:
    """Answers to requests that name what cannot be, or what is not there."""
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
    """Answers of a day when no store and no queue answers."""
    serve(function, _Down())
    for path in paths(operation, world):
        yield ask(function, operation, path, needed(operation), next(iter(operation.bodies), None))


class _Down:
    """Every port of a function, and everything that a port can do: not now."""

    def __getattr__(self, name: str) -> Any:
        return _Down()

    def __call__(self, *_: object, **__: object) -> Any:
        raise Unavailable("not now")
