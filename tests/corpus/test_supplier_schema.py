"""The events of docs/supplier-api.yaml, tried by Schemathesis: signed, taken in, delivered, done or set aside."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.corpus.front_door import application
from tests.corpus.making import sign_standard
from tests.corpus.trying import CHECKS, MODES, operations, repeatable
from tests.corpus.world import Message, Watched, good_message, prepared
from tests.faults.picture import broken_promises
from tests.faults.trial import in_copy
from tests.faults.world import MAX_RECEIVES
from tests.support.lambdas import event
from tests.support.service_world import PO
from tests.support.template_document import ROOT

SUPPLIER = yaml.safe_load((ROOT / "docs" / "supplier-api.yaml").read_text(encoding="utf-8"))
EVENTS = {
    "openapi": "3.1.0",
    "info": SUPPLIER["info"],
    "paths": {"/webhooks/supplier-v1/acme": SUPPLIER["webhooks"]["event"]},
    "components": SUPPLIER["components"],
}


@pytest.fixture(scope="module")
def placed() -> Iterator[Watched]:
    """An order that is placed at the supplier."""
    with prepared("placed") as world:
        yield world


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_no_event_of_a_supplier_is_answered_5xx_or_gets_stuck(placed: Watched, mode: GenerationMode) -> None:
    def answer(event: dict[str, Any]) -> Mapping[str, Any]:
        return _signed_and_taken_in(placed, event)

    (operation,) = operations(EVENTS, application("webhook/supplier_shipped", answer)).values()

    @repeatable(60)
    @given(case=operation.as_strategy(mode), own=st.booleans())
    def try_it(case: Any, own: bool) -> None:
        if own and isinstance(case.body, dict) and isinstance(case.body.get("data"), dict):
            case.body["data"]["reference"] = PO
        answered = case.call()
        case.validate_response(answered, checks=CHECKS)
        assert answered.headers["x-wrong"] == [""]

    try_it()


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({}, "done"),
        ({"type": "purchase_order.weighed"}, "done"),
        ({"data": {"reference": "main-shop.1.acme.1.1", "occurred_at": "2026-11-21T16:20:00+08:00"}}, "set aside"),
        ({"data": []}, "set aside"),
    ],
    ids=["of our purchase order", "of a type that is not known", "of a purchase order that nobody has", "no event"],
)
def test_an_event_is_done_or_set_aside(placed: Watched, change: dict[str, Any], end: str) -> None:
    given = event("webhook/supplier_shipped")
    given["body"] = json.dumps(json.loads(given["body"]) | change)
    answered = _signed_and_taken_in(placed, given)
    assert answered["headers"]["x-end"] == end
    assert answered["headers"]["x-wrong"] == ""


def _signed_and_taken_in(world: Watched, event: dict[str, Any]) -> Mapping[str, Any]:
    body = event["body"].encode() if not event["isBase64Encoded"] else b""
    event["headers"] |= sign_standard("good", body, int(world.clock.now().timestamp()))
    return in_copy(lambda: _taken_in(world, event))


def _taken_in(world: Watched, event: dict[str, Any]) -> Mapping[str, Any]:
    """The webhook's answer; in headers of it what became of the message, and what is wrong with that."""
    answer = world.call("webhook", event)
    arrived = [Message("SupplierEventsQueue", body) for body in world.drain("SupplierEventsQueue")]
    world.deliver(*arrived, good_message("SupplierEventsQueue"))
    wrong = broken_promises(world) + world.waiting()
    if set(world.set_aside.values()) - {MAX_RECEIVES} or good_message("SupplierEventsQueue").body in world.set_aside:
        wrong.append("set aside what can be done, or too late")
    end = "set aside" if world.set_aside else "done" if arrived else "refused"
    return answer | {"headers": answer["headers"] | {"x-end": end, "x-wrong": "; ".join(wrong)}}
