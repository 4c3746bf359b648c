"""docs/ops-api.yaml, tried by Schemathesis: what it allows and what not, and never an answer that it does not name."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.corpus.front_door import application
from tests.corpus.trying import CHECKS, operations, repeatable
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


@pytest.mark.parametrize("name", list(operations(OPS)))
@pytest.mark.parametrize(
    ("mode", "existing"),
    [(GenerationMode.POSITIVE, True), (GenerationMode.POSITIVE, False), (GenerationMode.NEGATIVE, False)],
    ids=["about what exists", "about anything", "wrong"],
)
def test_the_ops_api_answers_as_its_contract_says(
    held: Watched, name: str, mode: GenerationMode, existing: bool
) -> None:
    app = application("ops_api/get_order", lambda event: held.call("ops_api", event))
    operation = operations(OPS, app)[name]
    checks = [*CHECKS, *([negative_data_rejection] if mode is GenerationMode.NEGATIVE else [])]

    @repeatable(12)
    @given(case=operation.as_strategy(mode))
    def try_it(case: Any) -> None:
        if existing:
            case.path_parameters = {name: EXISTING[name] for name in case.path_parameters or {}}
            case.query = dict(case.query or {}) | ({"shop": KEY.shop} if "shop" in (case.query or {}) else {})
        answer = case.call()
        case.validate_response(answer, checks=checks)
        assert not existing or answer.status_code != HTTPStatus.NOT_FOUND, "it exists"

    try_it()
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
