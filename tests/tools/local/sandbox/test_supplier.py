import json
from datetime import UTC, datetime

import pytest

from dropship.connectors import supplier
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import CancelAccepted, CancelPending, Placed, PurchaseLine, PurchaseOrderRequest
from dropship.domain.money import Money
from tools.local.sandbox.client import SandboxError

pytestmark = pytest.mark.enable_socket

SUPPLIER = supplier("supplier-v1")
BASE = "/suppliers/acme"
REFERENCE = "main-shop.4711.acme.1.1"


@pytest.fixture
def place(call, access):
    def placing(reference=REFERENCE, **headers):
        lines = (
            PurchaseLine(line="1", supplier_sku="A-1", quantity=2, unit_cost=Money(minor=500, currency="USD")),
            PurchaseLine(line="2", supplier_sku="A-2", quantity=1, unit_cost=Money(minor=900, currency="USD")),
        )
        request = PurchaseOrderRequest(
            id=reference, order_number="#4711", lines=lines, recipient=Recipient(name="Steve Shipper")
        )
        return SUPPLIER.read_place(call(BASE, SUPPLIER.place(request, access("supplier-v1/acme")), **headers))

    return placing


@pytest.fixture
def find(call, access):
    def finding(reference=REFERENCE):
        return SUPPLIER.read_find(call(BASE, SUPPLIER.find(reference, access("supplier-v1/acme"))))

    return finding


@pytest.fixture
def cancel(call, access):
    def cancelling(reference=REFERENCE):
        return SUPPLIER.read_cancel(call(BASE, SUPPLIER.cancel(reference, access("supplier-v1/acme"))))

    return cancelling


def test_the_same_key_is_the_same_order(place, find, sandbox):
    first = place()
    assert isinstance(first, Placed)
    assert place() == first == find()
    [held] = sandbox.supplier_orders("acme", REFERENCE)
    assert (held["repeats"], held["idempotency_key"]) == (1, REFERENCE)
    assert held["request"]["recipient"]["name"] == "Steve Shipper"


def test_another_key_for_the_same_reference_makes_a_second_order(place, find, sandbox):
    place()
    place(**{"idempotency-key": "another"})
    assert len(sandbox.supplier_orders("acme", REFERENCE)) == 2
    assert isinstance(find(), Unknown)


def test_what_was_never_placed_is_not_found(find):
    assert find() == Absent()


def test_a_wrong_key_is_for_a_person_to_mend(place):
    assert place(authorization="Bearer wrong") == Busy(why="the supplier does not take our key: it answered 401")


def test_events_are_signed_and_tell_the_parcel(place, sandbox, our_api):
    placed = place()
    assert sandbox.acknowledge("acme", REFERENCE) == [200]
    sandbox.ship("acme", REFERENCE, carrier="YTO", tracking_number="YT1", lines=[{"line": "1", "quantity": 1}])
    sandbox.ship("acme", REFERENCE)
    bodies = []
    for path, request in our_api.received:
        assert path == "/webhooks/supplier-v1/acme"
        SUPPLIER.verify(request, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], datetime.now(UTC))
        bodies.append(json.loads(request.body))
    acknowledged, first, rest = bodies
    assert acknowledged["type"] == "purchase_order.acknowledged"
    assert acknowledged["data"]["supplier_order_id"] == placed.supplier_reference
    assert first["data"]["shipment"] == {
        "carrier": "YTO",
        "tracking_number": "YT1",
        "lines": [{"line": "1", "quantity": 1}],
    }
    assert rest["data"]["shipment"]["lines"] == [{"line": "1", "quantity": 1}, {"line": "2", "quantity": 1}]


def test_a_repeated_event_keeps_its_id(place, sandbox, our_api):
    place()
    assert sandbox.ship("acme", REFERENCE, repeat=3, parallel=True) == [200, 200, 200]
    assert len({request.headers["webhook-id"] for _, request in our_api.received}) == 1


def test_a_reordered_event_comes_after_the_next(place, sandbox, our_api):
    place()
    sandbox.acknowledge("acme", REFERENCE, reorder=True)
    sandbox.ship("acme", REFERENCE)
    types = [json.loads(request.body)["type"] for _, request in our_api.received]
    assert types == ["purchase_order.shipped", "purchase_order.acknowledged"]


def test_it_cancels_at_once_later_or_not_at_all(place, cancel, sandbox):
    place()
    assert (cancel(), cancel()) == (CancelAccepted(), CancelAccepted())
    place("main-shop.4712.acme.1.1")
    sandbox.behave("acme", cancel="pending")
    assert cancel("main-shop.4712.acme.1.1") == CancelPending()
    place("main-shop.4713.acme.1.1")
    sandbox.behave("acme", cancel="refuse")
    assert isinstance(cancel("main-shop.4713.acme.1.1"), Refused)


def test_it_does_not_cancel_what_it_shipped(place, cancel, sandbox):
    place()
    sandbox.ship("acme", REFERENCE)
    assert isinstance(cancel(), Refused)


def test_it_rejects_and_refuses_cancellations_when_told_to(place, sandbox, our_api):
    place()
    sandbox.reject("acme", REFERENCE, reason="sold out")
    sandbox.cancel("acme", REFERENCE)
    sandbox.refuse_cancellation("acme", REFERENCE)
    types = [json.loads(request.body)["type"].split(".")[1] for _, request in our_api.received]
    assert types == ["rejected", "cancelled", "cancel_rejected"]
    assert json.loads(our_api.received[0][1].body)["data"]["reason"] == "sold out"


def test_it_acts_by_itself_when_told_to(place, sandbox, our_api, wait_for):
    sandbox.behave("acme", acknowledge=0.01, ship=0.1)
    place()
    wait_for(lambda: len(our_api.received) == 2)
    assert sandbox.supplier_orders("acme")[0]["status"] == "shipped"


def test_an_accepted_order_may_answer_500_and_be_found(place, find, sandbox):
    sandbox.fault("supplier:acme", "error_after_accepting", "place", match="4711")
    assert isinstance(place(), Unknown)
    assert isinstance(find(), Placed)
    assert sandbox.faults()[0]["fired"] == 1


def test_it_says_when_to_come_again(place, sandbox):
    sandbox.fault("supplier:acme", "status", status=503, retry_after=7)
    assert place() == Busy(retry_after=7)
    assert isinstance(place(), Placed)


def test_an_event_of_a_purchase_order_it_does_not_hold_is_an_error(sandbox):
    with pytest.raises(SandboxError, match="has no purchase order main-shop"):
        sandbox.ship("acme", REFERENCE)
