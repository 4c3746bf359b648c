"""docs/ops-api.yaml says what the handler does, and the handler does what it says: each is compared with the other."""

import re
from collections.abc import Mapping
from enum import Enum
from inspect import Parameter, signature
from typing import Any, get_args

import pytest

from dropship.domain.attention import Urgency
from dropship.domain.exchange.marketplace import AfterSalesKind
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.attention import ORDER_KINDS, HoldReason, TaskKind
from dropship.domain.orders.lifecycles import OrderStatus, ParcelStatus, PurchaseOrderStatus
from dropship.domain.orders.origin import Origin
from dropship.domain.orders.parcel import Parcel
from dropship.domain.orders.purchase_order import PurchaseOrder
from dropship.domain.remedies.case import CASE_KINDS, REPORTED_STEPS, Case, Decision
from dropship.domain.remedies.lifecycle import CaseStatus
from dropship.services.desk.ops import STATUS_OF, DecisionBody, Ops
from dropship.services.desk.queries import MOST
from tests.support import ops_calls
from tests.support.lambdas import Function, load, made_up_resources
from tests.support.openapi import Schema, Seen
from tests.support.ops_calls import DOCUMENT, ask, example, in_vain, meant, needed, queries, senseless, serve
from tests.support.service_world import World
from tests.support.template_document import ROOT

BODIES = {"decideCase": DecisionBody}
"""For each call with a body, the model that reads it."""


def words(annotation: Any) -> set[Any]:
    """All values of a Literal or an enum."""
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return {one.value for one in annotation} if is_enum else set(get_args(annotation))


ENUMS: Mapping[str, set[Any]] = {
    "HoldReason": words(HoldReason),
    "TaskKind": words(TaskKind),
    "AttentionKind": set(ORDER_KINDS),
    "CaseKind": set(CASE_KINDS),
    "Urgency": {urgency.name for urgency in Urgency},
    "Origin": words(Origin),
    "OrderStatus": words(OrderStatus),
    "PurchaseOrderStatus": words(PurchaseOrderStatus),
    "PurchaseOrder.cancel": words(PurchaseOrder.model_fields["cancel"].annotation),
    "ParcelState": words(ParcelStatus),
    "Parcel.writeback": words(Parcel.model_fields["writeback"].annotation),
    "TrackingStage": words(TrackingStage),
    "CaseStatus": words(CaseStatus),
    "Case.kind": words(AfterSalesKind),
    "Case.decision": words(Case.model_fields["decision"].annotation),
    "Decision.decision": words(Decision) | {None},
}
"""For each list of words in the document, the words that the code knows, by schema and field."""
NOT_ANSWERED = {"Decision", "Error"}
"""Schemas that are used only in requests and in refusals."""

each_operation = pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda one: one.id)
each_list = pytest.mark.parametrize(
    "operation", [one for one in DOCUMENT.operations if one.parameters["query"]], ids=lambda one: one.id
)


@pytest.fixture(scope="module")
def function() -> Function:
    return load("ops_api", made_up_resources())


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return ops_calls.worlds()


# ---- Calls and their parameters


def test_the_document_is_one_and_each_of_its_objects_is_closed():
    for place, schema in DOCUMENT.nodes():
        assert DOCUMENT.complaints({"$ref": "https://json-schema.org/draft/2020-12/schema"}, dict(schema)) == [], place
        if schema.get("type") == "object":
            assert "additionalProperties" in schema, place
            assert set(schema.get("required", [])) <= set(schema.get("properties", {})), place


def test_every_call_of_the_handler_is_in_the_document_and_every_call_of_the_document_is_the_handlers(function):
    api = function.module.api
    routes = {(route.method, route.openapi_path) for route in [*api._static_routes, *api._dynamic_routes]}
    assert {(one.method, one.path) for one in DOCUMENT.operations} == routes


def test_the_guide_tells_of_every_call(function):
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = {(method, path.partition("?")[0]) for method, path in re.findall(r"`(GET|POST) (/ops[^`\s]*)`", guide)}
    assert {(one.method, one.path) for one in DOCUMENT.operations} == told


@each_operation
def test_the_names_in_a_path_are_described_and_needed(operation):
    named = re.findall(r"\{(\w+)\}", operation.path)
    assert sorted(operation.parameters["path"]) == sorted(named)
    assert all(one["required"] for one in operation.parameters["path"].values())


class Recorder:
    """Replaces the service: records which of its parameters the handler leaves to the query."""

    def __init__(self) -> None:
        self.left: dict[str, Parameter] = {}

    def __getattr__(self, name: str) -> Any:
        _, *parameters = signature(getattr(Ops, name)).parameters.values()

        def called(*given: object, **_: object) -> dict[str, Any]:
            left = [one for one in parameters[len(given) :] if one.kind != Parameter.VAR_KEYWORD]
            self.left = {one.name: one for one in left}
            return {}

        return called


@each_operation
def test_a_call_takes_the_parameters_of_a_query_that_the_document_names_and_no_other(function, operation, monkeypatch):
    service = Recorder()
    monkeypatch.setattr(function.module, "ops", lambda: service)
    path = {name: example(one["schema"]) for name, one in operation.parameters["path"].items()}
    ask(function, operation, path, needed(operation), next(iter(operation.bodies), None))
    assert set(operation.parameters["query"]) == set(service.left)
    for name, one in operation.parameters["query"].items():
        told = DOCUMENT.resolved(one["schema"]).get("default")
        assert told is None or str(told) == service.left[name].default, name


@each_list
def test_a_list_takes_what_the_document_allows_and_refuses_what_it_does_not(function, worlds, operation):
    serve(function, worlds[0].application)
    usual = needed(operation)

    def status(query: Mapping[str, str]) -> int:
        return ask(function, operation, {}, query)[0]

    assert {status(query) for query in queries(operation)} == {200}
    assert status(usual | {"colour": "red"}) == 400
    for name, one in operation.parameters["query"].items():
        schema = DOCUMENT.resolved(one["schema"])
        without = {other: value for other, value in usual.items() if other != name}
        assert status(without) == (400 if one.get("required") else 200), f"without {name}"
        assert status(usual | {name: "NO SUCH THING!"}) == 400, name
        if schema["type"] == "integer":
            least, most = schema["minimum"], schema["maximum"]
            asked = {value: status(usual | {name: str(value)}) for value in (least - 1, least, most, most + 1)}
            assert asked == {least - 1: 400, least: 200, most: 200, most + 1: 400}, name


@each_list
def test_a_list_is_no_longer_than_the_document_says(operation):
    lists = [one for one in DOCUMENT.answer(operation, 200)["properties"].values() if one.get("type") == "array"]
    assert [entries["maxItems"] for entries in lists] == [MOST]


def facts(schema: Schema) -> dict[str, Any]:
    """The values that a field of a body may have, in the same form for every way to write the schema."""
    parts = [DOCUMENT.resolved(one) for one in [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]]
    known = {word for one in parts for word in one.get("enum", [])}
    nothing = None in known or any("null" in one.get("type", "") for one in parts)
    longest = {one["maxLength"] for one in parts if "maxLength" in one}
    return {"words": known - {None}, "null": nothing, "longest": longest}


def test_a_body_is_read_by_a_model_that_takes_the_fields_of_the_document():
    with_body = {one.id: one for one in DOCUMENT.operations if "requestBody" in one.says}
    assert set(with_body) == set(BODIES)
    for name, model in BODIES.items():
        told = DOCUMENT.resolved(with_body[name].says["requestBody"]["content"]["application/json"]["schema"])
        known = model.model_json_schema()
        assert told["additionalProperties"] is known["additionalProperties"] is False
        assert set(told.get("required", [])) == set(known.get("required", []))
        assert {field: facts(one) for field, one in told["properties"].items()} == {
            field: facts(one) for field, one in known["properties"].items()
        }


def test_the_events_that_may_be_reported_of_a_case_are_listed():
    told = DOCUMENT.content["components"]["schemas"]["Decision"]["properties"]["event"]["description"]
    assert set(re.findall(r"`(\w+)`", told)) == REPORTED_STEPS


def test_every_list_of_words_is_that_of_the_code():
    listed = {place: set(schema["enum"]) for place, schema in DOCUMENT.nodes() if "enum" in schema}
    assert listed == ENUMS


# ---- Answers


@each_operation
def test_a_call_gives_the_answers_that_the_document_names_and_all_of_them(function, worlds, operation):
    given = [
        answer
        for world in worlds
        for requests in (meant, senseless, in_vain)
        for answer in requests(function, operation, world)
    ]
    assert {status for status, _ in given} == operation.statuses
    for status, body in given:
        assert DOCUMENT.complaints(DOCUMENT.answer(operation, status), body) == []


def test_each_refusal_is_told_with_the_status_that_the_code_gives_it():
    refusals = {status for one in DOCUMENT.operations for status in one.statuses if status >= 400}
    assert refusals == set(STATUS_OF.values())


def test_every_field_of_the_document_is_in_some_answer_and_is_needed_where_it_is_in_all(function, worlds):
    seen = Seen()
    for operation in DOCUMENT.operations:
        for world in worlds:
            for status, body in meant(function, operation, world):
                DOCUMENT.look(DOCUMENT.answer(operation, status), body, seen, f"{operation.id} {status}")
    objects = {place: one for place, one in DOCUMENT.nodes() if "properties" in one and place not in NOT_ANSWERED}
    for place, schema in objects.items():
        known = schema["properties"]
        assert [name for name in known if not seen.filled[place, name]] == [], f"{place}: nothing is ever in them"
        always = {name for name in known if seen.fields[place, name] == seen.objects[place]}
        assert set(schema["required"]) == always, place
