"""docs/supplier-api.yaml says what the connector does."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from dropship.connectors import supplier
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.outcomes import Refused
from dropship.domain.exchange.suppliers import Placed
from tests.support.recorded import PURCHASE_ORDER, REFERENCE, SUPPLIER, SUPPLIER_ACCESS, answer, only, webhook

DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs" / "supplier-api.yaml").read_text(encoding="utf-8"))
ORDERS = DOCUMENT["paths"]["/purchase-orders"]
EVENT = DOCUMENT["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
supplier_v1 = supplier("supplier-v1")


def schema(name):
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name):
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize("ship_by", [PURCHASE_ORDER.ship_by, None])
def test_what_we_place_is_what_the_document_promises(ship_by):
    request = supplier_v1.place(PURCHASE_ORDER.model_copy(update={"ship_by": ship_by}), SUPPLIER_ACCESS)
    schema("PurchaseOrder").validate(yaml.safe_load(request.body))
    assert [parameter["name"].lower() for parameter in ORDERS["post"]["parameters"]] == ["idempotency-key"]


def test_what_we_call_is_in_the_document():
    asked = {
        (request.method.lower(), request.path.partition("?")[0].replace(REFERENCE, "{reference}"))
        for request in (
            supplier_v1.place(PURCHASE_ORDER, SUPPLIER_ACCESS),
            supplier_v1.find(REFERENCE, SUPPLIER_ACCESS),
            supplier_v1.cancel(REFERENCE, SUPPLIER_ACCESS),
        )
    }
    assert asked == {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_the_documents_answers_are_understood():
    responses = DOCUMENT["components"]["responses"]
    placed = responses["Placed"]["content"]["application/json"]["example"]
    refused = responses["Refused"]["content"]["application/json"]["example"]
    found = ORDERS["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert supplier_v1.read_place(answer(201, placed)) == Placed(
        purchase_order=placed["reference"], supplier_reference="S-10021"
    )
    assert supplier_v1.read_place(answer(422, refused)) == Refused(words="we do not ship to that country")
    assert supplier_v1.read_find(answer(200, found)) == Placed(
        purchase_order=placed["reference"], supplier_reference="S-10021"
    )


@pytest.mark.parametrize("kind", EVENT["examples"])
def test_the_documents_events_are_valid_and_understood(kind):
    example = EVENT["examples"][kind]["value"]
    schema("Event").validate(example)
    event = only(supplier_v1.read_events(webhook(example), SUPPLIER))
    assert (event.kind, event.purchase_order) == (kind, REFERENCE)


def test_the_document_lists_every_type_the_connector_reads():
    types = DOCUMENT["components"]["schemas"]["Event"]["properties"]["type"]["examples"]
    for kind in types:
        with pytest.raises(InvalidMessage):  # an unknown type would be ignored
            supplier_v1.read_events(webhook({"type": kind}), SUPPLIER)
    assert {kind.removeprefix("purchase_order.") for kind in types} == EVENT["examples"].keys()


@pytest.mark.parametrize("field", ["type", "timestamp", "data"])
def test_a_shipped_event_needs_its_shipment_in_the_document_too(field):
    shipped = EVENT["examples"]["shipped"]["value"]
    assert not schema("Event").is_valid({name: value for name, value in shipped.items() if name != field})
    assert not schema("Event").is_valid({**shipped, "data": {"reference": REFERENCE}})
