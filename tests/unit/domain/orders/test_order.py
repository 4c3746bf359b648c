import pytest

from dropship.domain.attention import Urgency
from dropship.domain.deadlines import Moment
from dropship.domain.errors import InvariantBroken, UnknownPurchaseOrder
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.clocks import Watch, watched
from dropship.domain.orders.fulfilment import record_refused, supplier_says
from dropship.domain.orders.history import TIMELINE_LENGTH
from dropship.domain.orders.snapshots import Snapshot, receive
from dropship.domain.orders.withdrawal import withdraw
from tests.support.order_examples import (
    DEADLINES,
    START,
    at,
    claimed,
    dispatched,
    line,
    moment,
    received,
    revise,
    says,
    snapshot,
)
from tests.support.order_invariants import saved


def tasks(order):
    return [task.kind for task in order.tasks]


def units(order, line_id="L1"):
    return order.line(line_id).units


# Receiving


def test_lines_that_need_no_shipping_are_not_taken_in():
    order = received(line("L1", 2), line("GIFT", 1, shipping=False), line("GONE", 0, sold=1))
    assert [each.id for each in order.lines] == ["L1"]
    assert order.status == "READY"
    assert (order.due, watched(order, moment())) == (None, {"dispatch": Watch.LOOK_BACK})
    saved(order, at())


def test_only_the_units_that_are_still_to_be_sent_count():
    assert units(received(line("L1", 1, sold=3))).ordered == 1


def test_an_order_with_nothing_to_ship_is_completed_at_once():
    order = received(line("GIFT", 1, shipping=False))
    assert order.status == "COMPLETED"
    assert not order.needs_dispatch
    saved(order)


def test_an_order_without_a_usable_address_is_held():
    order = received(missing=["city", "name"])
    assert order.status == "ON_HOLD"
    assert order.holds[0].detail == "missing: city, name"
    assert order.attention == (("HOLD_ADDRESS_MISSING",), Urgency.GOODS, at())
    assert not order.needs_dispatch
    saved(order)


# Later snapshots


def test_an_earlier_snapshot_changes_nothing():
    order = received(line("L1", 2))
    assert not revise(order, line("L1", 1), hours=-1, digest="other")
    assert units(order).open == 2


def test_of_two_snapshots_of_one_second_the_last_one_counts_and_a_repeat_changes_nothing():
    order = received(line("L1", 2))
    assert not revise(order, line("L1", 2), hours=0)
    assert revise(order, line("L1", 1), hours=0, digest="other")
    assert units(order).open == 1


@pytest.mark.parametrize("how", [{"refunded": True}, {"cancelled_at": START}])
def test_an_order_that_is_off_before_it_is_known_is_never_sent(how):
    order = receive(Snapshot(snapshot(line("L1", 2)).model_copy(update=how), "digest", []), Moment(START, DEADLINES))
    assert order.status == "CANCELLED"
    assert not order.needs_dispatch


def test_before_the_claim_the_marketplaces_units_are_ours():
    order = received(line("L1", 2), line("L2", 1))
    fence = order.fence
    assert revise(order, line("L1", 3), line("L3", 1))
    assert [(each.id, each.units.open) for each in order.lines] == [("L1", 3), ("L2", 0), ("L3", 1)]
    assert order.fence > fence
    saved(order)


def test_a_snapshot_of_the_same_units_does_not_disturb_a_plan_under_way():
    order = received()
    fence = order.fence
    assert revise(order, line("L1", 1))
    assert order.fence == fence


def test_an_order_of_which_nothing_is_left_is_cancelled():
    order = received(line("L1", 2))
    revise(order, line("L1", 0, sold=2))
    assert order.status == "CANCELLED"
    saved(order)


def test_units_that_a_refund_took_back_do_not_return_with_a_snapshot_from_before_the_refund():
    order = received(line("L1", 2))
    withdraw(order, "refund-1", {"L1": 1}, moment())
    revise(order, line("L1", 2), hours=1)
    assert units(order).open == 1
    revise(order, line("L1", 1), hours=2, refunds=["1"])
    assert units(order).open == 1
    saved(order)


def test_a_corrected_address_frees_the_order():
    order = received(missing=["city"])
    revise(order, line(), digest="corrected")
    assert order.status == "READY"
    assert order.needs_dispatch
    saved(order)


def test_a_corrected_address_frees_an_order_of_which_a_part_is_claimed():
    order = received(line("L1", 1, sku="A"), line("L2", 1, sku="B"))
    claimed(order, A="north")
    order.check_address(["city"], moment())
    revise(order, line("L1", 1, sku="A"), line("L2", 1, sku="B"), digest="corrected")
    assert order.holds == []
    assert order.needs_dispatch


def test_an_address_that_stays_incomplete_keeps_the_hold():
    order = received(missing=["city", "name"])
    revise(order, line(), digest="better", missing=["city"])
    assert order.status == "ON_HOLD"
    assert order.holds[0].detail == "missing: city"


def test_an_address_that_becomes_unusable_before_the_claim_stops_the_dispatch():
    order = received()
    revise(order, line(), digest="worse", missing=["city"])
    assert order.status == "ON_HOLD"
    saved(order)


def test_an_address_changed_before_the_claim_makes_the_plan_stale():
    order = received()
    fence = order.fence
    revise(order, line(), digest="moved house")
    assert order.fence > fence
    assert order.status == "READY"


def test_an_address_changed_after_the_claim_needs_a_person_and_changes_no_units():
    order = received(line("L1", 2))
    claimed(order)
    revise(order, line("L1", 2), digest="moved house")
    assert tasks(order) == [TaskKind.ADDRESS_CHANGED]
    assert units(order).at_supplier == 2
    saved(order)


@pytest.mark.parametrize("lines", [[line("L1", 3)], [line("L1", 2), line("L2", 1)], [line("L1", 1)], []])
def test_units_changed_after_the_claim_need_a_person(lines):
    order = received(line("L1", 2))
    dispatched(order)
    revise(order, *(lines or [line("OTHER", 0)]))
    assert tasks(order) == [TaskKind.QUANTITY_CHANGED]
    assert units(order).at_supplier == 2
    saved(order)


def test_units_that_are_fewer_because_of_a_refund_need_nobody_but_the_refund():
    order = received(line("L1", 2))
    dispatched(order)
    revise(order, line("L1", 1), refunds=["1"])
    assert not order.tasks


def test_units_that_are_fewer_because_they_were_shipped_and_told_need_nobody():
    order = received(line("L1", 2))
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1", L1=1), moment())
    revise(order, line("L1", 1))
    assert not order.tasks


def emptied():
    order = received(line("L1", 2))
    revise(order, line("L1", 0, sold=2))
    assert order.status == "CANCELLED"
    return order


@pytest.mark.parametrize("ended", [lambda: received(line("GIFT", 1, shipping=False)), emptied])
def test_units_that_are_added_to_an_order_that_has_ended_need_a_person(ended):
    order = ended()
    before = order.status
    assert revise(order, line("L2", 1), hours=2)
    assert [(task.kind, task.detail) for task in order.tasks] == [
        ("QUANTITY_CHANGED", f"the order is {before}, yet the marketplace wants units of lines L2")
    ]
    assert not revise(order, line("L2", 1), hours=1), "an earlier snapshot"
    assert (order.status, order.needs_dispatch, order.due) == (before, False, None)


@pytest.mark.parametrize("how", [{"paid": False}, {}], ids=["unpaid", "nothing new"])
def test_a_finished_order_takes_nothing_else_of_a_snapshot(how):
    order = emptied()
    assert not revise(order, line("L1", 1 if how else 0, sold=2), hours=2, digest="other", missing=["city"], **how)
    assert not order.tasks


def test_units_that_are_added_before_the_claim_wait_until_they_are_paid():
    order = received(line("L1", 2))
    for paid, wanted in ((False, [("L1", 2)]), (True, [("L1", 3), ("L2", 5)])):
        revise(order, line("L1", 3), line("L2", 5), paid=paid)
        assert [(each.id, each.units.unrouted) for each in order.lines] == wanted
    saved(order)


def test_units_that_are_taken_out_before_the_claim_are_gone_whether_or_not_the_rest_is_paid():
    order = received(line("L1", 2))
    revise(order, line("L1", 1), paid=False)
    assert units(order).unrouted == 1
    saved(order)


def test_the_refunds_that_the_first_snapshot_reflects_are_settled():
    assert received(line("L1", 1, sold=2), refunds=["7"]).remedy("refund-7").outcome == "CANCELLED"


# Holds


def test_holds_stack_and_the_last_one_released_frees_the_order():
    order = received()
    order.hold(HoldReason.DISPATCH_FAILED, moment(), "wait")
    order.hold(HoldReason.NO_SOURCE, moment(1), "no supplier")
    assert order.attention == (("HOLD_NO_SOURCE", "HOLD_DISPATCH_FAILED"), Urgency.GOODS, at(1))
    assert order.release(HoldReason.DISPATCH_FAILED, moment(2))
    assert (order.status, order.attention.kinds) == ("ON_HOLD", ("HOLD_NO_SOURCE",))
    assert order.release(HoldReason.NO_SOURCE, moment(2))
    assert order.status == "READY"
    assert order.attention is None
    assert not order.release(HoldReason.NO_SOURCE, moment(2))
    saved(order)


def test_the_same_hold_again_only_brings_its_words_up_to_date():
    order = received()
    order.hold(HoldReason.DISPATCH_FAILED, moment(), "wait")
    fence = order.fence
    order.hold(HoldReason.DISPATCH_FAILED, moment(5), "wait longer")
    assert [(hold.detail, hold.since) for hold in order.holds] == [("wait longer", at())]
    assert order.fence == fence


def test_a_hold_during_fulfilment_stays_when_everything_has_to_be_routed_anew():
    order = received()
    (po,) = claimed(order)
    order.hold(HoldReason.DISPATCH_FAILED, moment(), "wait")
    assert order.status == "IN_FULFILMENT"
    record_refused(order, po, "sold out", moment())
    assert order.status == "ON_HOLD"
    assert {hold.kind for hold in order.holds} == {"DISPATCH_FAILED", "SUPPLIER_REFUSED"}
    saved(order)


def test_a_finished_order_cannot_be_held():
    order = received(line("GIFT", 1, shipping=False))
    order.hold(HoldReason.DISPATCH_FAILED, moment(), "late news of a workflow")
    assert order.attention is None
    saved(order)


# Other details


def test_a_task_is_asked_for_once_and_done_once():
    order = received()
    order.open_task(TaskKind.SHIP_LATE, moment(), "first", "po")
    order.open_task(TaskKind.SHIP_LATE, moment(1), "second", "po")
    assert [(task.detail, task.since) for task in order.tasks] == [("first", at())]
    order.end_task(TaskKind.SHIP_LATE, "another")
    assert order.tasks
    order.end_task(TaskKind.SHIP_LATE, "po")
    assert not order.tasks


def test_the_timeline_keeps_its_first_line_and_the_newest():
    order = received()
    for count in range(100):
        order.open_task(TaskKind.SHIP_LATE, moment(count), about=f"po {count}")
    assert len(order.timeline) == TIMELINE_LENGTH
    assert (order.timeline[0].kind, order.timeline[-1].about) == ("received", "po 99")


def test_a_partners_words_cannot_make_the_order_too_large_to_be_stored():
    order = received()
    (po,) = claimed(order)
    record_refused(order, po, "no! " * 1_000_000, moment())
    order.open_task(TaskKind.WRITEBACK_REFUSED, moment(), "no! " * 1_000_000)
    assert len(order.model_dump_json()) < 5_000


def test_what_the_order_does_not_have_is_said_so():
    order = received()
    with pytest.raises(UnknownPurchaseOrder):
        order.purchase_order("main-shop.1.north.1.9")
    with pytest.raises(InvariantBroken):
        order.owned_line("L9")
    assert order.parcel("yto", "Y9") is None
    assert order.remedy("refund-9") is None


def test_a_refund_that_could_not_be_met_in_full_is_settled_once_the_snapshot_reflects_it():
    order = received(line("L1", 2), line("L2", 1))
    assert withdraw(order, "refund-1", {"L1": 3}, moment()) == "SHIPPED"
    revise(order, line("L1", 0, sold=2), line("L2", 1), refunds=["1"])
    assert order.remedy("refund-1").outcome == "CANCELLED"
    assert units(order, "L2").open == 1
    saved(order)
