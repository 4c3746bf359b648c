"""Refunds and what they take back: nothing is both refunded and sent, as far as we can prevent it."""

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import AfterSalesRequested, RefundedUnits
from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder, CaseDue, CheckWithdrawals, DecideCase, OpenCase
from tests.support.interleaving import once_before
from tests.support.service_world import CASE, GREEN, KEY, NOW, PINK, PO, PO_OF_BOLT, order_of_two_suppliers

NAME = f"{KEY.shop}#{CASE}"
CANCEL = CancelOrder(order=str(KEY))
CHECK = CheckWithdrawals.of(KEY)
DUE = CaseDue(case=NAME)
APPROVE = DecideCase(case=NAME, decision="approve", by="ann", words="photos seen")
RETURN = AfterSalesRequested(
    kind="return",
    id=CASE.removeprefix("refund-"),
    shop=KEY.shop,
    order=KEY.external_id,
    requested_at=NOW,
    units=(RefundedUnits(line=PINK, quantity=1),),
)


def outcomes(world):
    return {remedy.case: remedy.outcome for remedy in world.order.remedies}


def stations(case):
    return [event.kind for event in case.timeline]


@pytest.fixture
def shipped(world):
    """A refund of an order that is on its way: a person has to decide."""
    world.shipped()
    world.refund(PINK)
    return world


# ---- Opening


def test_a_refund_that_comes_five_times_is_one_case_with_one_workflow(world):
    world.shipped()
    for _ in range(5):
        world.refund(PINK)
    assert stations(world.case) == ["opened"]
    assert world.workflows.cases == [NAME]
    assert len(world.order.remedies) == 1


def test_two_workers_with_the_same_refund_open_one_case(world):
    world.shipped()
    once_before(world.cases, "save", lambda: world.refund(PINK))
    world.refund(PINK)
    assert stations(world.case) == ["opened"]
    assert world.workflows.cases == [NAME]


def test_a_refund_of_an_order_that_is_not_there_yet_is_waited_for_and_leaves_nothing(world):
    with pytest.raises(Unavailable, match="not known yet"):
        world.refund(PINK)
    assert (list(world.cases.all()), world.workflows.cases) == ([], [])


def test_a_return_waits_for_a_person_and_takes_nothing_out_of_the_order(world):
    world.hear("orders/paid")
    order = world.order
    world.tell(OpenCase(request=RETURN))
    assert next(world.cases.all()).status == "OPEN"
    assert world.order == order


# ---- A refund before the claim


def test_a_refund_before_the_claim_takes_its_units_out_and_ends_its_case(world):
    world.hear("orders/paid")
    world.refund(PINK)
    assert world.case.status == "REFUNDED"
    assert outcomes(world) == {CASE: "REFUNDED"}
    assert world.dispatch() == ["DISPATCHED"]
    assert [line["line"] for line in world.acme.orders[PO]["request"]["lines"]] == [GREEN]


def test_a_refund_of_everything_before_the_claim_cancels_the_order(world):
    world.hear("orders/paid")
    world.refund(PINK, GREEN)
    assert world.order.status == "CANCELLED"
    assert world.plan()[1] == []


def test_a_refund_between_plan_and_claim_stops_the_dispatch(world):
    world.hear("orders/paid")
    fence, (planned,) = world.plan()
    world.refund(PINK)
    assert world.submission.submit(KEY, fence, planned, "worker") == "STALE"
    assert world.acme.asked == []


def test_a_refund_while_the_claim_is_saved_is_asked_of_the_supplier(world):
    world.hear("orders/paid")
    once_before(world.orders, "save", world.dispatch)
    world.refund(PINK, GREEN)
    assert world.acme.open == []
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")


# ---- A refund after the claim


def test_after_the_claim_a_suppliers_yes_ends_the_case(world):
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.acme.requests("cancel") == [PO]
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")


def test_after_the_claim_a_suppliers_no_leaves_it_to_a_person(world):
    world.acme.cancels = "no"
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.case.status == "OPEN"
    assert world.tasks() == {"CANCEL_REFUSED": "already packed"}
    world.supplier_says("shipped")
    assert world.order.status == "SHIPPED"


def test_a_supplier_that_answers_later_ends_the_case_later(world):
    world.acme.cancels = "later"
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.purchase_order.status == "CANCEL_REQUESTED"
    assert world.case.status == "OPEN"

    world.supplier_says("cancelled")
    world.arrive("after-sales")
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")
    assert outcomes(world) == {CASE: "REFUNDED"}


def test_a_refund_of_a_part_of_a_purchase_order_asks_no_supplier(world):
    world.dispatched()
    world.refund(PINK)
    assert world.acme.requests("cancel") == []
    assert world.case.status == "OPEN"


def test_of_two_suppliers_only_the_one_with_the_refunded_goods_is_asked(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.refund(GREEN)
    assert (world.acme.asked, world.bolt.requests("cancel")) == ([("place", PO)], [PO_OF_BOLT])
    assert world.case.status == "REFUNDED"
    assert world.order.status == "IN_FULFILMENT"


def test_a_refund_of_what_one_supplier_shipped_in_part_still_stops_the_other(world):
    world.shipped_in_part()
    units = [{"line_item_id": PINK, "quantity": 2}, {"line_item_id": GREEN, "quantity": 1}]
    world.hear("refunds/create", refund_line_items=units)
    world.arrive("after-sales")
    assert world.bolt.requests("cancel") == [PO_OF_BOLT]
    assert world.case.status == "OPEN"


def test_after_shipping_a_refund_waits_for_a_person(shipped):
    assert shipped.case.status == "OPEN"
    assert shipped.case.attention is not None
    assert shipped.acme.requests("cancel") == []


def test_goods_that_were_refunded_on_their_way_are_shown_to_a_person(shipped):
    shipped.tell(APPROVE)
    assert "REFUNDED_ON_THE_WAY" in shipped.tasks()


# ---- Missing orders and wrong names


@pytest.mark.parametrize("message", [CANCEL, CHECK, DUE, APPROVE])
def test_what_is_not_there_yet_is_waited_for(world, message):
    with pytest.raises(Unavailable, match="not known yet"):
        world.tell(message)


@pytest.mark.parametrize("name", ["", "main-shop", "main-shop#", "#refund-1", "a#b#c", "UPPER#1", "main-shop#a.b"])
def test_a_name_that_is_no_case_is_refused(world, name):
    with pytest.raises(InvalidMessage, match="not a case"):
        world.tell(CaseDue(case=name))
