import pytest

from dropship.domain.errors import Stale
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.fulfilment import (
    claim,
    record_cancel_refused,
    record_cancelled_by_supplier,
    record_refused,
    supplier_says,
)
from dropship.domain.orders.lateness import overdue
from dropship.domain.orders.withdrawal import ask, cancel, conclude, to_ask, withdraw
from tests.support.order_examples import (
    DEADLINES,
    at,
    claimed,
    dispatched,
    line,
    moment,
    planned,
    received,
    revise,
    says,
)
from tests.support.order_invariants import saved


def refund(order, case="refund-1", hours=0, **units):
    outcome = withdraw(order, case, units, moment(hours))
    saved(order)
    return outcome


def ask_all(order):
    for po in to_ask(order):
        ask(order, po, moment())
    saved(order)


def units(order, line_id="L1"):
    return order.line(line_id).units


# Before the claim


def test_a_refund_that_arrives_between_plan_and_claim_stops_the_dispatch():
    order = received(line("L1", 2))
    (plan,), fence = planned(order), order.fence
    assert refund(order, L1=1) == "DONE"
    with pytest.raises(Stale):
        claim(order, plan, moment(), fence=fence)
    assert order.fence > fence
    assert planned(order)[0].lines[0].quantity == 1


def test_a_refund_of_everything_before_the_claim_ends_the_order():
    order = received(line("L1", 2), line("L2", 1))
    assert refund(order, L1=2, L2=1) == "DONE"
    assert order.status == "CANCELLED"


def test_a_refund_of_a_held_order_takes_the_units_and_keeps_the_hold():
    order = received(line("L1", 2), missing=["city"])
    assert refund(order, L1=1) == "DONE"
    assert order.status == "ON_HOLD"


def test_the_same_refund_ten_times_is_one_refund():
    order = received(line("L1", 3))
    assert [refund(order, L1=1) for _ in range(10)] == ["DONE"] * 10
    assert units(order).cancelled == 1
    assert order.remedy("refund-1").cancelled == {"L1": 1}


@pytest.mark.parametrize("snapshot_first", [True, False])
def test_a_refund_and_the_snapshot_that_reflects_it_cancel_once(snapshot_first):
    order = received(line("L1", 3))
    if snapshot_first:
        revise(order, line("L1", 2, sold=3), refunds=["1"])
        assert refund(order, L1=1) == "DONE"
    else:
        assert refund(order, L1=1) == "DONE"
        revise(order, line("L1", 2, sold=3), refunds=["1"])
    assert (units(order).open, units(order).cancelled) == (2, 1)
    saved(order)


def test_a_refund_of_money_alone_before_the_claim_stops_nothing():
    order = received()
    assert refund(order) == "DONE"
    assert order.needs_dispatch


def test_a_refund_after_a_cancellation_of_the_whole_order_finds_it_done():
    order = received(line("L1", 2))
    cancel(order, moment())
    assert refund(order, L1=2) == "DONE"
    assert order.remedy("refund-1").outcome == "CANCELLED"


# After the claim


@pytest.mark.parametrize("made", [{}, {"GIFT": 1}, {"L1": 0}])
def test_a_refund_after_the_claim_that_names_no_unit_of_ours_is_for_a_person(made):
    order = received(line("L1", 2))
    dispatched(order)
    assert refund(order, **made) == "SHIPPED"
    assert not to_ask(order)


def test_a_refund_of_a_whole_purchase_order_is_asked_of_its_supplier_alone():
    order = received(line("L1", 2), line("L2", 1))
    north, south = dispatched(order, L2="south")
    assert refund(order, L2=1) == "ASKED"
    assert to_ask(order) == [south]
    ask_all(order)
    assert (south.status, south.due_at) == ("CANCEL_REQUESTED", at() + DEADLINES.resume)
    assert to_ask(order) == [south], "without an answer it is asked again"
    assert north.cancel == ""


def test_a_supplier_that_agrees_ends_it_and_the_ledger_is_credited_once():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    refund(order, L1=2)
    ask_all(order)
    for _ in range(3):
        record_cancelled_by_supplier(order, po, "ok", moment())
    assert (po.status, order.status) == ("CANCELLED", "CANCELLED")
    assert order.remedy("refund-1").cancelled == {"L1": 2}
    assert [refund(order, L1=2) for _ in range(3)] == ["DONE"] * 3
    assert order.remedy("refund-1").cancelled == {"L1": 2}


def test_a_supplier_that_declines_leaves_it_to_a_person():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    refund(order, L1=2)
    ask_all(order)
    record_cancel_refused(order, po, "packed already", moment())
    saved(order)
    assert (po.status, po.cancel) == ("ACKED", "REFUSED")
    assert order.tasks[0].detail == "packed already"
    assert refund(order, L1=2) == "SHIPPED"
    assert not to_ask(order)


def test_a_supplier_that_agrees_after_all_is_taken_at_its_word():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    refund(order, L1=2)
    ask_all(order)
    po.promise_answer(moment())
    overdue(order, moment(13))
    assert (po.status, order.attention.kinds) == ("ACKED", (TaskKind.CANCEL_LATE,))
    record_cancelled_by_supplier(order, po, "sorry for the delay", moment(20))
    saved(order)
    assert (order.status, order.attention) == ("CANCELLED", None)
    assert refund(order, L1=2) == "DONE"


def test_a_purchase_order_rejected_while_it_is_to_be_cancelled_counts_as_cancelled():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    refund(order, L1=2)
    ask_all(order)
    supplier_says(order, says("rejected", po), moment())
    assert order.status == "CANCELLED"
    assert refund(order, L1=2) == "DONE"


def test_a_supplier_that_ships_in_spite_of_the_wish_does_not_go_unnoticed():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    cancel(order, moment())
    ask_all(order)
    supplier_says(order, says("shipped", po, "Y1", L1=1), moment())
    saved(order)
    assert (po.status, order.attention.kinds) == ("PARTIALLY_SHIPPED", (TaskKind.CANCEL_REFUSED,))
    supplier_says(order, says("cancelled", po), moment())
    saved(order)
    assert (units(order).cancelled, units(order).unrouted) == (1, 0), "the unwanted rest is not sent by another"


def test_a_refund_of_a_part_of_a_purchase_order_is_for_a_person():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    assert refund(order, L1=1) == "SHIPPED"
    assert po.cancel == ""


def test_two_refunds_of_parts_that_make_the_whole_are_asked_of_the_supplier():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    assert refund(order, "refund-1", L1=1) == "SHIPPED"
    assert refund(order, "refund-2", L1=1) == "ASKED"
    assert refund(order, "refund-1", L1=1) == "ASKED"
    ask_all(order)
    record_cancelled_by_supplier(order, po, "ok", moment())
    assert [refund(order, case, L1=1) for case in ("refund-1", "refund-2")] == ["DONE", "DONE"]
    assert units(order).cancelled == 2


def split_line():
    """Two units of one line, at two suppliers."""
    order = received(line("L1", 1))
    dispatched(order)
    order.line("L1").units.ordered, order.line("L1").units.unrouted = 2, 1
    return order, order.purchase_orders[0], dispatched(order, L1="south")[0]


def test_a_repeat_asks_for_no_more_than_what_was_not_taken_out_at_once():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("rejected", south), moment())
    assert [refund(order, L1=1, L2=1) for _ in range(2)] == ["ASKED", "ASKED"]
    assert (units(order, "L2").cancelled, to_ask(order)) == (1, [north])


def test_a_refund_of_one_unit_does_not_cancel_two_purchase_orders():
    order, north, south = split_line()
    assert [refund(order, L1=1) for _ in range(5)] == ["ASKED"] * 5
    assert [north.cancel, south.cancel] == ["WANTED", ""]


def test_a_second_refund_asks_the_second_supplier():
    order, north, south = split_line()
    refund(order, "refund-1", L1=1)
    assert refund(order, "refund-2", L1=1) == "ASKED"
    assert [north.cancel, south.cancel] == ["WANTED", "WANTED"]


def test_a_repeat_holds_to_the_purchase_order_that_was_chosen_the_first_time():
    order = received(line("L1", 2))
    (north,) = dispatched(order)
    order.line("L1").units.ordered, order.line("L1").units.unrouted = 3, 1
    (south,) = dispatched(order, L1="south")
    assert refund(order, L1=1) == "ASKED"
    supplier_says(order, says("shipped", north, "Y1", L1=1), moment())
    assert refund(order, L1=1) == "ASKED"
    assert [north.cancel, south.cancel] == ["", "WANTED"]


def test_a_third_refund_of_two_units_is_for_a_person():
    order, _, _ = split_line()
    outcomes = [refund(order, f"refund-{number}", L1=1) for number in (1, 2, 3)]
    assert outcomes == ["ASKED", "ASKED", "SHIPPED"]


@pytest.mark.parametrize("concluded", [False, True])
def test_a_unit_refunded_in_part_is_not_routed_anew_when_the_supplier_rejects(concluded):
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    assert refund(order, L1=1) == "SHIPPED"
    if concluded:
        conclude(order, "refund-1", "REFUNDED", moment())
    supplier_says(order, says("rejected", po), moment())
    saved(order)
    assert (units(order).unrouted, units(order).cancelled) == (1, 1)
    assert order.remedy("refund-1").cancelled == {"L1": 1}


def test_a_refund_of_a_unit_that_was_shipped_leaves_the_others_to_be_sent():
    order = received(line("L1", 3))
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1", L1=1), moment())
    refund(order, L1=1)
    conclude(order, "refund-1", "REFUNDED", moment())
    supplier_says(order, says("cancelled", po), moment())
    assert (units(order).unrouted, units(order).cancelled) == (2, 0)


def test_the_ledger_is_credited_no_more_units_than_were_taken_back():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1", L1=1), moment())
    assert refund(order, L1=2) == "SHIPPED"
    supplier_says(order, says("cancelled", po), moment())
    assert order.remedy("refund-1").cancelled == {"L1": 1}
    assert refund(order, L1=2) == "SHIPPED"


def test_a_case_decided_against_the_buyer_leaves_the_units_to_be_sent():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    refund(order, L1=1)
    conclude(order, "refund-1", "CLOSED", moment())
    supplier_says(order, says("rejected", po), moment())
    assert units(order).unrouted == 2


def test_a_refund_that_arrives_while_the_order_is_being_placed_is_asked_once_it_is():
    order = received()
    (po,) = claimed(order)
    assert refund(order, L1=1) == "ASKED"
    assert (po.cancel, to_ask(order)) == ("WANTED", [])
    supplier_says(order, says("acknowledged", po), moment())
    assert to_ask(order) == [po]


def test_a_purchase_order_taken_back_before_it_was_placed_ends_the_order():
    order = received()
    (po,) = claimed(order)
    refund(order, L1=1)
    record_refused(order, po, "taken back before it was placed", moment())
    saved(order)
    assert (order.status, order.attention) == ("CANCELLED", None)
    assert refund(order, L1=1) == "DONE"


def test_a_refund_of_shipped_units_is_for_a_person_and_blocks_the_completion():
    order = received()
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1"), moment())
    assert refund(order, L1=1) == "SHIPPED"
    assert order.remedy("refund-1").outcome == ""


def test_the_ledger_keeps_how_a_case_ended_and_the_first_end_counts():
    order = received(line("L1", 2))
    dispatched(order)
    refund(order, L1=1)
    conclude(order, "refund-1", "REFUNDED", moment())
    conclude(order, "refund-1", "CLOSED", moment())
    conclude(order, "return-2", "CLOSED", moment())
    assert [remedy.outcome for remedy in order.remedies] == ["REFUNDED", "CLOSED"]
    assert refund(order, L1=1) == "DONE"
    assert withdraw(order, "return-2", {"L1": 1}, moment()) == "SHIPPED"
    saved(order)


# The whole order


def test_cancelling_before_the_claim_is_free():
    order = received(line("L1", 2), missing=["city"])
    assert [cancel(order, moment()) for _ in range(3)] == ["DONE"] * 3
    assert (order.status, order.holds) == ("CANCELLED", [])
    saved(order)


def test_cancelling_after_the_claim_asks_every_supplier():
    order = received(line("L1"), line("L2"))
    dispatched(order, L2="south")
    assert [cancel(order, moment()) for _ in range(3)] == ["ASKED"] * 3
    assert len(to_ask(order)) == 2
    ask_all(order)
    for po in order.purchase_orders:
        record_cancelled_by_supplier(order, po, "ok", moment())
        saved(order)
    assert order.status == "CANCELLED"
    assert cancel(order, moment()) == "DONE"


def test_cancelling_what_is_placed_in_part_frees_the_rest_at_once():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("rejected", south), moment())
    assert cancel(order, moment()) == "ASKED"
    assert (units(order, "L2").cancelled, north.cancel) == (1, "WANTED")
    order.release(HoldReason.SUPPLIER_REFUSED, moment())
    assert planned(order) == []
    saved(order)


def test_cancelling_what_is_shipped_is_for_a_person():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1", L1=1), moment())
    assert cancel(order, moment()) == "SHIPPED"
    supplier_says(order, says("cancelled", po), moment())
    assert units(order).cancelled == 1, "the rest of a cancelled order is not sent by another supplier"
    saved(order)


def test_cancelling_what_is_shipped_in_one_part_and_free_in_the_other_keeps_the_shipped_part():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("shipped", north, "Y1"), moment())
    supplier_says(order, says("rejected", south), moment())
    assert cancel(order, moment()) == "SHIPPED"
    assert (order.status, units(order, "L2").cancelled) == ("SHIPPED", 1)
    saved(order)


def test_a_purchase_order_that_is_to_be_cancelled_and_was_asked_elsewhere_is_not_asked_twice_by_a_late_worker():
    order = received()
    (po,) = dispatched(order)
    cancel(order, moment())
    ask_all(order)
    due = po.due_at
    ask(order, po, moment(5))
    assert po.due_at == due
