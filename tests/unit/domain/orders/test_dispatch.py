import pytest

from dropship.domain.errors import OnHold, Stale
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.clocks import Watch, watched
from dropship.domain.orders.fulfilment import claim, record_placed, record_refused, record_unknown, supplier_says
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


def claim_one(order, plan, fence):
    return claim(order, plan, moment(), fence=fence)


def test_a_claim_commits_the_units_and_leaves_a_young_order_to_the_look_back():
    order = received(line("L1", 2))
    (po,) = claimed(order)
    assert (order.status, po.status) == ("IN_FULFILMENT", "DISPATCHING")
    assert order.line("L1").units.at_supplier == 2
    assert (order.due, watched(order, moment())) == (None, {po.id: Watch.LOOK_BACK})
    assert order.needs_dispatch, "it is not placed yet"
    saved(order, at())


def test_a_claim_too_late_for_the_look_back_starts_a_clock():
    order = received()
    (po,) = claimed(order, 0.17)
    assert order.due == po.due_at == at(0.17) + DEADLINES.resume


def test_a_claim_of_an_order_that_was_taken_up_before_starts_a_clock():
    order = received()
    order.hold(HoldReason.DISPATCH_FAILED, moment(), "wait")
    saved(order)
    order.release(HoldReason.DISPATCH_FAILED, moment())
    saved(order)
    assert order.due == at() + DEADLINES.resume
    claimed(order)
    assert order.due == at() + DEADLINES.resume


def test_both_purchase_orders_of_one_plan_can_be_claimed():
    order = received(line("L1"), line("L2"))
    assert len(claimed(order, L2="south")) == 2
    saved(order)


def test_a_claim_made_before_is_returned_as_it_is_whatever_happened_since():
    order = received()
    (plan,), fence = planned(order), order.fence
    first = claim_one(order, plan, fence)
    order.hold(HoldReason.DISPATCH_FAILED, moment())
    assert claim_one(order, plan, fence - 7) is first
    assert len(order.purchase_orders) == 1


def test_a_purchase_order_claimed_with_fewer_units_is_not_changed_by_an_older_plan_of_the_same_name():
    order = received(line("L1", 3))
    (older,), fence = planned(order), order.fence
    revise(order, line("L1", 1, sold=3))
    (po,) = claimed(order)
    assert older.id == po.id
    assert claim_one(order, older, fence).lines[0].quantity == 1
    saved(order)


def test_a_claim_with_an_old_plan_is_stale():
    order = received()
    (plan,), fence = planned(order), order.fence
    revise(order, line("L1", 2))
    with pytest.raises(Stale):
        claim_one(order, plan, fence)
    assert not order.purchase_orders


def test_a_claim_on_a_held_order_is_refused_even_with_the_right_fence():
    order = received()
    (plan,) = planned(order)
    order.hold(HoldReason.DISPATCH_FAILED, moment())
    with pytest.raises(OnHold, match="DISPATCH_FAILED"):
        claim_one(order, plan, order.fence)


def test_a_claim_on_a_finished_order_is_stale():
    order = received(line("L1", 1))
    (plan,) = planned(order)
    revise(order, line("L1", 0, sold=1))
    with pytest.raises(Stale):
        claim_one(order, plan, order.fence)


def test_a_claim_that_fails_on_its_second_line_has_not_moved_the_first():
    order = received(line("L1", 1), line("L2", 1))
    (plan,) = planned(order)
    too_many = plan.lines[1].model_copy(update={"quantity": 2})
    before = order.model_copy(deep=True)
    with pytest.raises(Stale, match="L2"):
        claim_one(order, plan.model_copy(update={"lines": (plan.lines[0], too_many)}), order.fence)
    assert order == before


def test_a_placed_purchase_order_waits_for_the_acknowledgement():
    order = received()
    (po,) = dispatched(order, hours=1)
    assert (po.status, po.supplier_reference) == ("DISPATCHED", "REF-north")
    assert order.due == at(1) + DEADLINES.acknowledge
    assert not order.needs_dispatch
    record_placed(order, po, "ANOTHER", moment(9))
    assert (po.supplier_reference, order.due) == ("REF-north", at(1) + DEADLINES.acknowledge)
    saved(order)


def test_the_reference_is_kept_when_an_event_of_the_supplier_was_faster_than_its_answer():
    order = received()
    (po,) = claimed(order)
    supplier_says(order, says("acknowledged", po), moment())
    record_placed(order, po, "REF-1", moment())
    assert (po.status, po.supplier_reference) == ("ACKED", "REF-1")


def test_a_refusal_frees_the_units_and_holds_the_order_with_the_suppliers_words():
    order = received()
    (po,) = claimed(order)
    record_refused(order, po, "SKU is sold out", moment())
    assert (po.status, po.never_placed, order.status) == ("CANCELLED", True, "ON_HOLD")
    assert order.holds[0].detail == "SKU is sold out"
    assert order.line("L1").units.unrouted == 1
    saved(order)
    order.release(HoldReason.SUPPLIER_REFUSED, moment(1))
    assert planned(order, L1="south")[0].id.endswith(".south.1.1")
    assert planned(order)[0].id.endswith(".north.1.2"), "never the same name twice"


def test_one_supplier_refusing_holds_the_order_while_the_other_goes_on():
    order = received(line("L1"), line("L2"))
    north, south = claimed(order, L2="south")
    record_placed(order, north, "REF", moment())
    record_refused(order, south, "no", moment())
    assert (order.status, order.attention.kinds) == ("IN_FULFILMENT", ("HOLD_SUPPLIER_REFUSED",))
    assert not order.needs_dispatch
    saved(order)
    order.release(HoldReason.SUPPLIER_REFUSED, moment(1))
    claimed(order)
    saved(order)


def test_an_unknown_outcome_is_a_state_of_its_own_and_stays_to_be_looked_up():
    order = received()
    (po,) = claimed(order)
    record_unknown(order, po, "timeout", moment(1))
    record_unknown(order, po, "timeout again", moment(2))
    assert (po.status, po.reason, order.due) == ("DISPATCH_UNKNOWN", "timeout again", at(2) + DEADLINES.resume)
    assert order.needs_dispatch
    saved(order)


@pytest.mark.parametrize("found", [True, False])
def test_a_look_up_ends_the_doubt(found):
    order = received()
    (po,) = claimed(order)
    record_unknown(order, po, "timeout", moment())
    order.open_task(TaskKind.DISPATCH_UNKNOWN, moment(), "", po.id)
    if found:
        record_placed(order, po, "REF", moment())
    else:
        record_refused(order, po, "the supplier has nothing under our reference", moment())
    assert po.status == ("DISPATCHED" if found else "CANCELLED")
    assert not order.tasks
    saved(order)


# Two workers get different answers: units that one supplier may ship are never given to another.


def test_a_refusal_after_the_acceptance_frees_nothing_and_asks_a_person():
    order = received()
    (po,) = dispatched(order)
    record_refused(order, po, "duplicate reference", moment())
    assert (po.status, order.line("L1").units.unrouted) == ("DISPATCHED", 0)
    assert order.attention.kinds == (TaskKind.SUPPLIER_EVENT_REFUSED,)
    assert not order.needs_dispatch
    saved(order)


@pytest.mark.parametrize("later", ["answer", "acknowledged", "shipped"])
def test_a_supplier_that_has_what_was_given_up_is_not_ignored(later):
    order = received()
    (po,) = claimed(order)
    record_refused(order, po, "taken back before it was placed", moment())
    if later == "answer":
        record_placed(order, po, "REF", moment())
    else:
        supplier_says(order, says(later, po, "Y1" if later == "shipped" else ""), moment())
    assert [task.kind for task in order.tasks] == [TaskKind.SUPPLIER_EVENT_REFUSED]
    saved(order)


def test_an_unknown_outcome_after_the_acceptance_changes_nothing():
    order = received()
    (po,) = dispatched(order)
    before = order.model_copy(deep=True)
    record_unknown(order, po, "timeout", moment(5))
    assert order == before


def test_two_refusals_in_a_row_leave_the_order_on_hold_and_not_ready():
    order = received(line("L1"), line("L2"))
    for po in claimed(order, L2="south"):
        record_refused(order, po, "no", moment())
        saved(order)
    assert order.status == "ON_HOLD"
