"""Dispatch: each purchase order is placed once, or a person knows why not."""

import json
import re

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.marketplace import Recipient
from dropship.domain.order import HoldReason
from dropship.domain.planning import PlannedPurchaseOrder
from dropship.ports import Unavailable
from dropship.services.changing import change_order
from dropship.services.dispatch import STALE_DELAY_S, OutcomeUnknown, SupplierBusy
from dropship.services.messages import CancelOrder, ReleaseHold
from tests.unit.services.crashing import Dies, Fuse, UseCase, survives_every_crash
from tests.unit.services.interleaving import once_before
from tests.unit.services.partners import LOST, REFUSED_CONNECTION, answer
from tests.unit.services.world import (
    GREEN,
    KEY,
    NOW,
    PINK,
    PO,
    PO_OF_BOLT,
    World,
    lines,
    order_of_two_suppliers,
)

SERVER_ERROR = answer(500, {"error": {"message": "boom"}})
OF_ANOTHER = answer(201, {"reference": PO.replace("acme.1.1", "acme.1.2"), "supplier_order_id": "SO-7"})
NO = answer(422, {"error": {"message": "we do not ship to Kentucky"}})
CANCEL = CancelOrder(order=str(KEY))
REPEATED = (SupplierBusy, OutcomeUnknown)


@pytest.fixture
def world(world):
    world.hear("orders/paid")
    return world


def supplier(world, name="acme", **changes):
    world.registry.put(world.registry.supplier(name).model_copy(update=changes))


def submit(world, fence=None):
    """Submit acme's purchase order as the workflow's retry does: with the plan of the first time."""
    planned = world.planned
    return world.submission.submit(KEY, planned[0] if fence is None else fence, planned[1][0])


@pytest.fixture
def planned(world):
    world.planned = world.plan()
    return world


# ---- Planning


def test_all_lines_of_one_supplier_are_one_purchase_order_at_the_agreed_cost(world):
    fence, (planned,) = world.plan()
    assert (fence, planned.id) == (world.order.fence, PO)
    assert [(line.line, line.supplier_sku, line.quantity, str(line.unit_cost)) for line in planned.lines] == [
        (PINK, "ACME-IPOD-PINK", 1, "120.00 USD"),
        (GREEN, "ACME-IPOD-PINK", 1, "120.00 USD"),
    ]


def test_a_plan_is_only_a_plan(world):
    assert world.plan() == world.plan()
    assert world.version == 1
    assert world.acme.asked == []


def test_what_travels_through_the_workflow_holds_nothing_of_the_buyer(world):
    text = world.plan()[1][0].model_dump_json()
    assert not re.search("Steve|Shipper|Street|@", text)


def test_lines_of_two_suppliers_are_two_purchase_orders():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, planned = world.plan()
    assert [one.id for one in planned] == [PO, PO_OF_BOLT]
    assert [world.submission.submit(KEY, fence, one) for one in planned] == ["DISPATCHED", "DISPATCHED"]
    assert (world.acme.open, world.bolt.open) == ([PO], [PO_OF_BOLT])


@pytest.mark.parametrize("how", ["inactive", "unknown"])
def test_a_supplier_that_does_not_sell_now_is_passed_over_for_the_next_in_rank(world, how):
    if how == "inactive":
        supplier(world, active=False)
    else:
        del world.registry.entries[type(world.registry.supplier("acme")), "acme"]
    assert [one.id for one in world.plan()[1]] == [PO_OF_BOLT]


def test_a_line_nobody_offers_holds_the_whole_order_with_its_sku():
    world = World()
    first, second = lines()
    world.hear("orders/paid", line_items=[first, second | {"sku": "NOBODY-HAS-IT"}])
    assert world.plan()[1] == []
    assert world.held() == {"NO_SOURCE": "no supplier offers NOBODY-HAS-IT"}
    assert world.order.status == "ON_HOLD"
    assert world.plan()[1] == [], "a repeat plans nothing and changes nothing"
    assert world.version == 2


def test_what_is_under_way_comes_before_what_is_new():
    world = World()
    world.hear("orders/paid", **order_of_two_suppliers())
    fence, (_, of_bolt) = world.plan()
    world.bolt.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        world.submission.submit(KEY, fence, of_bolt)
    assert [one.id for one in world.plan()[1]] == [PO_OF_BOLT, PO]


def test_what_is_placed_is_not_planned_again(world):
    world.dispatch()
    assert world.plan()[1] == []


def test_an_order_on_hold_is_not_planned(world):
    change_order(world.orders, KEY, lambda order: order.hold(HoldReason.MANUAL, NOW, "wait"))
    assert world.plan()[1] == []


def test_an_order_that_is_not_there_yet_is_waited_for():
    with pytest.raises(Unavailable, match="not known yet"):
        World().plan()


def test_an_order_cancelled_while_it_is_planned_is_not_put_on_hold():
    world = World()
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    once_before(world.registry, "offers", lambda: world.hear("orders/cancelled"))
    assert world.plan()[1] == []
    assert (world.order.status, world.held()) == ("CANCELLED", {})


# ---- Submitting: the good way


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


# ---- Submitting: nobody knows


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


# ---- Submitting: not now


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


# ---- Submitting: no


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
    world.submission.submit(KEY, fence, of_bolt)
    world.acme.fail("place", NO)
    world.submission.submit(KEY, fence, of_acme)
    assert list(world.held()) == ["SUPPLIER_REFUSED"]
    assert world.order.purchase_order(PO_OF_BOLT).status == "DISPATCHED"


# ---- Submitting: the order has changed


def test_a_plan_made_before_a_change_is_stale_places_nothing_and_asks_for_a_new_one(planned):
    planned.hear("orders/updated")
    assert submit(planned) == "STALE"
    assert planned.acme.asked == []
    (again,) = planned.queues.sent
    assert (again.queue, again.delay_s) == ("inbox", STALE_DELAY_S)
    assert planned.sent("inbox")[0] == {"kind": "dispatch-again", "order": str(KEY), "by": "a change during dispatch"}


def test_an_order_cancelled_between_plan_and_claim_is_not_placed(planned):
    planned.hear("orders/cancelled")
    assert submit(planned) == "STALE"
    assert (planned.acme.asked, planned.order.status) == ([], "CANCELLED")


def test_a_change_between_load_and_claim_is_seen(planned):
    once_before(planned.orders, "save", lambda: planned.hear("orders/updated"))
    assert submit(planned) == "STALE"
    assert planned.acme.asked == []


def test_a_hold_between_plan_and_claim_stops_it(planned):
    change_order(planned.orders, KEY, lambda order: order.hold(HoldReason.MANUAL, NOW, "wait"))
    assert submit(planned) == "ON_HOLD"
    assert planned.acme.asked == []
    assert planned.queues.sent == []


def test_an_address_that_is_gone_holds_the_order(planned):
    version, _ = planned.orders.recipients[KEY]
    planned.orders.recipients[KEY] = (version, Recipient())
    assert submit(planned) == "ON_HOLD"
    assert planned.held() == {"ADDRESS_MISSING": "missing: name, address1, city, country_code"}
    assert planned.acme.asked == []


def test_two_workers_with_the_same_plan_place_it_under_one_key(planned):
    once_before(planned.http, "send", lambda: submit(planned))
    assert submit(planned) == "DISPATCHED"
    assert planned.acme.open == [PO]
    assert set(planned.acme.requests("place")) == {PO}


def test_a_plan_that_wants_more_units_than_there_are_is_stale(planned):
    fence, (one,) = planned.planned
    doubled = [line.model_copy(update={"quantity": 2}) for line in one.lines]
    assert planned.submission.submit(KEY, fence, one.model_copy(update={"lines": tuple(doubled)})) == "STALE"


def test_an_id_that_is_not_ours_places_nothing(planned):
    fence, (one,) = planned.planned
    with pytest.raises(InvalidMessage):
        planned.submission.submit(KEY, fence, PlannedPurchaseOrder(id="x", lines=one.lines))
    assert planned.acme.asked == []


# ---- Submitting: taken back meanwhile


def test_what_is_taken_back_before_it_was_placed_is_not_placed_and_after_sales_is_told(planned):
    planned.acme.fail("place", answer(503))
    with pytest.raises(SupplierBusy):
        submit(planned)
    planned.tell(CANCEL)
    assert planned.purchase_order.cancel == "WANTED"

    assert submit(planned) == "CANCELLED"
    assert planned.acme.requests("place") == [PO], "only the first, which was refused for now"
    assert planned.order.status == "CANCELLED"
    assert planned.kinds("after-sales") == ["check-withdrawals"]


def test_what_is_taken_back_while_the_supplier_answers_is_told_to_after_sales(planned):
    once_before(planned.http, "send", lambda: planned.tell(CANCEL))
    assert submit(planned) == "DISPATCHED"
    assert planned.kinds("after-sales") == ["check-withdrawals"]
    assert submit(planned) == "DISPATCHED"
    assert planned.kinds("after-sales") == 2 * ["check-withdrawals"], "a repeat tells again: the first may be lost"


# ---- Giving up


def give_up(world, error="SupplierBusy"):
    return world.submission.give_up(KEY, world.planned[1][0], error)


def test_giving_up_before_the_claim_holds_the_order(planned):
    for _ in range(2):
        assert give_up(planned, "Unavailable") == "ON_HOLD"
    assert planned.held() == {"DISPATCH_FAILED": "Unavailable"}
    assert planned.order.due is not None


@pytest.mark.parametrize("failure", [LOST, answer(503)])
def test_giving_up_after_the_claim_asks_a_person_and_leaves_the_clock_running(planned, failure):
    planned.acme.fail("place", failure)
    with pytest.raises(REPEATED):
        submit(planned)
    for _ in range(2):
        give_up(planned)
    assert planned.tasks() == {"DISPATCH_UNKNOWN": "SupplierBusy"}
    assert planned.held() == {}
    assert planned.order.needs_dispatch
    assert planned.order.due is not None

    assert submit(planned) == "DISPATCHED"
    assert planned.tasks() == {}


def test_giving_up_on_what_was_placed_after_all_changes_nothing(planned):
    submit(planned)
    version = planned.version
    assert give_up(planned) == "DISPATCHED"
    assert planned.version == version


def test_giving_up_on_a_cancelled_order_changes_nothing(planned):
    planned.hear("orders/cancelled")
    give_up(planned)
    assert planned.held() == {}


# ---- However the process ends


def once(*failures, after=False):
    def prepare(world):
        world.hear("orders/paid")
        world.planned = world.plan()
        world.acme.fail("place", *failures, after=after)

    return prepare


def taken_back(world):
    once(answer(503))(world)
    with pytest.raises(SupplierBusy):
        submit(world)
    world.tell(CANCEL)


def stale(world):
    once()(world)
    world.hear("orders/updated")


def no_source(world):
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))


CRASHES = {
    "a fresh claim": UseCase(once(), submit),
    "refused": UseCase(once(NO, NO), submit),
    "busy": UseCase(once(answer(503)), submit, again=REPEATED),
    "taken back": UseCase(taken_back, submit),
    "stale": UseCase(stale, submit),
    "given up": UseCase(once(), give_up),
    "no source": UseCase(no_source, lambda world: world.plan()),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_workflows_retry(name):
    assert survives_every_crash(CRASHES[name], World) >= 4


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_an_unknown_outcome_and_a_crash_on_top_of_it_place_once(took):
    """How often it is looked up, and so the timeline, differs; what the supplier holds and the units do not."""
    for at in range(8):
        world = World()
        once(LOST, after=took)(world)
        with pytest.raises(OutcomeUnknown):
            submit(world)
        world.fuse = Fuse(at=at, side="after")
        for _ in range(3):
            try:
                submit(world)
            except (Dies, *REPEATED):
                continue
        assert world.purchase_order.status == "DISPATCHED"
        assert world.acme.open == [PO]
        assert len(world.acme.requests("place")) <= 3
