"""Submission: each purchase order is placed once, or a person is told why not."""

import json
import re

import pytest

from dropship.ports import Unavailable
from dropship.services.messages import ReleaseHold
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import KEY, PO, PO_OF_BOLT, World, order_of_two_suppliers
from tests.support.submitting import NO, REPEATED, SERVER_ERROR, submit
from tests.support.submitting import planned as planned_order

OF_ANOTHER = answer(201, {"reference": PO.replace("acme.1.1", "acme.1.2"), "supplier_order_id": "SO-7"})


@pytest.fixture
def planned():
    return planned_order()


# ---- Nothing fails


def test_a_fresh_claim_places_without_a_look_up_and_says_everything_the_supplier_needs(planned):
    assert submit(planned) == "DISPATCHED"

    assert planned.acme.asked == [("place", PO)]
    sent = planned.acme.orders[PO]["request"]
    assert (sent["reference"], sent["order_number"]) == (PO, "#9999")
    assert sent["recipient"]["address1"] == "123 Shipping Street"
    assert sent["packing_note"] == "No price list in the parcel, please."
    assert sent["ship_by"] == "2026-11-23T08:15:30.000Z"
    assert planned.http.asked[0].request.headers["authorization"] == "Bearer key-of-acme"
    assert planned.purchase_order.supplier_reference == "SO-1"
    assert planned.order.status == "IN_FULFILMENT"


def test_a_second_submission_of_what_is_placed_asks_nobody(planned):
    submit(planned)
    version = planned.version
    assert submit(planned) == "DISPATCHED"
    assert planned.version == version
    assert planned.acme.asked == [("place", PO)]


def test_a_supplier_that_has_it_already_is_believed(planned):
    known = answer(409, {"reference": PO, "supplier_order_id": "SO-77"})
    planned.acme.fail("place", known)
    assert submit(planned) == "DISPATCHED"
    assert planned.purchase_order.supplier_reference == "SO-77"


# ---- The outcome is unknown


@pytest.mark.parametrize("failure", [LOST, SERVER_ERROR, answer(200, {"hello": 1}), answer(302), OF_ANOTHER])
@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_an_answer_that_says_nothing_is_unknown_and_the_repeat_looks_up_first(planned, failure, took):
    planned.acme.fail("place", failure, after=took)
    with pytest.raises(OutcomeUnknown, match=re.escape(PO)):
        submit(planned)
    assert planned.purchase_order.status == "DISPATCH_UNKNOWN"
    assert planned.order.due is not None

    assert submit(planned) == "DISPATCHED"
    again = [] if took else [("place", PO)]
    assert planned.acme.asked == [("place", PO), ("find", PO), *again]
    assert planned.acme.open == [PO]
    assert planned.tasks() == {}


def test_an_answer_about_another_purchase_order_is_no_answer(planned):
    planned.acme.fail("place", OF_ANOTHER)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    assert "acme.1.2" in planned.purchase_order.reason
    assert planned.purchase_order.supplier_reference == ""


def test_a_look_up_about_another_purchase_order_is_no_answer_either(planned):
    planned.acme.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    other = {"purchase_orders": [json.loads(OF_ANOTHER.body)]}
    planned.acme.fail("find", answer(200, other))
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    assert planned.acme.requests("place") == [PO], "it is not placed on such a word"


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_wrong_address_after_a_lost_answer_gives_up_nothing_that_the_supplier_has(planned, status):
    """For a while a gateway answers for the supplier; if that counted as a refusal, a release would order it again."""
    nobody = answer(status, {"message": "Not Found"})
    planned.acme.fail("place", LOST, after=True)
    planned.acme.fail("find", nobody, nobody)
    planned.acme.fail("place", nobody)
    for _ in range(3):
        with pytest.raises(REPEATED):
            submit(planned)
    assert submit(planned) == "DISPATCHED"
    assert (planned.acme.requests("place"), planned.held()) == ([PO], {})


@pytest.mark.parametrize("failure", [answer(200, {}), answer(200, {"purchase_orders": 7}), answer(400), LOST])
def test_a_look_up_that_fails_is_no_reason_to_send_again(planned, failure):
    planned.acme.fail("place", LOST, after=True)
    planned.acme.fail("find", failure)
    for _ in range(2):
        with pytest.raises(REPEATED):
            submit(planned)
    assert planned.acme.requests("place") == [PO]
    assert submit(planned) == "DISPATCHED"


def test_the_place_again_has_the_same_id_and_the_same_words(planned):
    planned.acme.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    planned.clock.advance(minutes=7)
    submit(planned)
    first, _, second = (asked.request for asked in planned.http.asked)
    assert (first.body, first.headers) == (second.body, second.headers)


def test_a_supplier_that_speaks_of_it_before_the_answer_settles_the_unknown(planned):
    planned.acme.fail("place", LOST, after=True)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    planned.supplier_says("acknowledged")
    assert submit(planned) == "ACKED"
    assert planned.acme.requests("find") == []


# ---- The supplier is busy


@pytest.mark.parametrize("failure", [answer(429), answer(503), answer(425), REFUSED_CONNECTION])
def test_a_supplier_that_is_busy_provably_has_nothing_and_is_asked_again_later(planned, failure):
    planned.acme.fail("place", failure)
    with pytest.raises(SupplierBusy):
        submit(planned)
    assert planned.purchase_order.status == "DISPATCHING"
    assert submit(planned) == "DISPATCHED"
    assert planned.acme.open == [PO]


def test_a_look_up_at_a_busy_supplier_waits_too(planned):
    planned.acme.fail("place", LOST)
    planned.acme.fail("find", answer(503), SERVER_ERROR)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    for _ in range(2):
        with pytest.raises(SupplierBusy):
            submit(planned)
    assert submit(planned) == "DISPATCHED"


def test_credentials_that_cannot_be_read_send_nothing(planned):
    planned.secrets.down = True
    with pytest.raises(Unavailable):
        submit(planned)
    assert planned.http.asked == []
    planned.secrets.down = False
    assert submit(planned) == "DISPATCHED"


# ---- The supplier refuses


def test_a_no_frees_the_units_and_holds_the_order_with_the_suppliers_words(planned):
    planned.acme.fail("place", NO)
    assert submit(planned) == "CANCELLED"
    assert planned.held() == {"SUPPLIER_REFUSED": "we do not ship to Kentucky"}
    assert [line.units.unrouted for line in planned.order.lines] == [1, 1]


def test_after_a_no_a_release_places_under_a_new_id(planned):
    planned.acme.fail("place", NO)
    submit(planned)
    planned.wish(ReleaseHold(order=str(KEY), reason="SUPPLIER_REFUSED", by="ops"))
    assert planned.dispatch() == ["DISPATCHED"]
    assert planned.acme.open == [PO.replace("acme.1.1", "acme.1.2")]


def test_a_refusal_of_one_supplier_takes_nothing_from_the_other():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, (of_acme, of_bolt) = world.plan()
    world.submission.submit(KEY, fence, of_bolt, "worker")
    world.acme.fail("place", NO)
    world.submission.submit(KEY, fence, of_acme, "worker")
    assert list(world.held()) == ["SUPPLIER_REFUSED"]
    assert world.order.purchase_order(PO_OF_BOLT).status == "DISPATCHED"
