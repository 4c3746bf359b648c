"""docs/ops-api.yaml, tried by Schemathesis: what it allows and what not, and never an answer that it does not name."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.corpus.front_door import application
from tests.corpus.trying import CHECKS, MODES, always_the_same, operations
from tests.corpus.world import Message, Watched, good_message, prepared
from tests.support.service_world import KEY
from tests.support.template_document import ROOT

OPS = yaml.safe_load((ROOT / "docs" / "ops-api.yaml").read_text(encoding="utf-8"))
EXISTING = {
    "shop": KEY.shop,
    "order": KEY.external_id,
    "case": "refund-700000000000000009",
    "reason": "DISPATCH_FAILED",
    "kind": "SHIP_LATE",
}


@pytest.fixture(scope="module")
def held() -> Iterator[Watched]:
    """An order on hold, and a case that is open."""
    with prepared("held") as world:
        world.deliver(good_message("AfterSalesQueue"))
        yield world


def statuses_of(operation: Any, mode: GenerationMode, checks: Sequence[Any], *, existing: bool) -> set[int]:
    """Try an operation, with names that are made up or with those of what exists; the statuses of its answers."""
    statuses = set()

    @always_the_same(15)
    @given(case=operation.as_strategy(mode))
    def try_it(case: Any) -> None:
        if existing:
            case.path_parameters = {name: EXISTING[name] for name in case.path_parameters or {}}
            case.query = dict(case.query or {}) | ({"shop": KEY.shop} if "shop" in (case.query or {}) else {})
        answer = case.call()
        case.validate_response(answer, checks=checks)
        statuses.add(answer.status_code)

    try_it()
    return statuses


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", list(operations(OPS)))
def test_the_ops_api_answers_as_its_contract_says(held: Watched, name: str, mode: GenerationMode) -> None:
    app = application("ops_api/get_order", lambda event: held.call("ops_api", event))
    operation = operations(OPS, app)[name]
    if mode is GenerationMode.NEGATIVE:
        assert statuses_of(operation, mode, [*CHECKS, negative_data_rejection], existing=False)
    else:
        assert statuses_of(operation, mode, CHECKS, existing=False)
        of_existing = statuses_of(operation, mode, CHECKS, existing=True)
        assert of_existing & {200, 202, 409}, f"nothing that exists was asked for: {of_existing}"
    for queue in ("InboxQueue", "AfterSalesQueue"):
        held.deliver(*(Message(queue, body) for body in set(held.drain(queue))))
    assert held.set_aside == {}


def test_a_document_that_is_wrong_about_an_answer_is_noticed(held: Watched) -> None:
    schemas = OPS["components"]["schemas"]
    properties = schemas["Order"]["properties"] | {"fence": {"type": "string"}}
    wrong = schemas | {"Order": schemas["Order"] | {"properties": properties}}
    document = OPS | {"components": OPS["components"] | {"schemas": wrong}}
    app = application("ops_api/get_order", lambda event: held.call("ops_api", event))
    operation = operations(document, app)["GET /ops/orders/{shop}/{order}"]
    case = operation.Case(path_parameters={"shop": KEY.shop, "order": KEY.external_id})
    with pytest.raises(FailureGroup) as failed:
        case.validate_response(case.call(), checks=CHECKS)
    assert "Response violates schema" in str(failed.value.exceptions[0])
