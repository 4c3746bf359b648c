from itertools import permutations

import pytest

from dropship.domain.errors import InvalidMessage, UnknownPurchaseOrder
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.clocks import Watch, watched
from dropship.domain.orders.fulfilment import record_unknown, supplier_says
from dropship.domain.orders.withdrawal import ask, cancel
from tests.support.order_examples import DEADLINES, at, claimed, dispatched, line, moment, planned, received, says
from tests.support.order_invariants import saved


def say(order, kind, po, number="", hours=0, **units):
    supplier_says(order, says(kind, po, number, **units), moment(hours))
    saved(order)


def tasks(order):
    return [task.kind for task in order.tasks]


@pytest.fixture
def order():
    return received(line("L1", 2), line("L2", 1))


def test_an_acknowledgement_leaves_the_shipping_to_the_look_back(order):
    (po,) = dispatched(order)
    say(order, "acknowledged", po, hours=5)
    assert (po.status, order.due) == ("ACKED", None)
    assert watched(order, moment(5)) == {po.id: Watch.LOOK_BACK}


@pytest.mark.parametrize(("claimed_at", "acknowledged_at"), [(0.17, 5), (100, 105), (0, 48), (0, 60)])
def test_a_purchase_order_that_the_look_back_cannot_see_in_time_has_a_shipping_clock_from_its_claim(
    order, claimed_at, acknowledged_at
):
    (po,) = dispatched(order, claimed_at)
    for hours in (acknowledged_at, acknowledged_at + 1):
        say(order, "acknowledged", po, hours=hours)
        assert (po.status, po.due_at) == ("ACKED", at(claimed_at) + DEADLINES.ship)


@pytest.mark.parametrize("doubt", [False, True], ids=["DISPATCHING", "DISPATCH_UNKNOWN"])
@pytest.mark.parametrize("kind", ["acknowledged", "shipped", "rejected", "cancelled", "cancel_rejected"])
def test_a_supplier_that_speaks_of_a_purchase_order_has_it(order, kind, doubt):
    (po,) = claimed(order)
    if doubt:
        record_unknown(order, po, "timeout", moment())
        order.open_task(TaskKind.DISPATCH_UNKNOWN, moment(), "", po.id)
    say(order, kind, po, "Y1" if kind == "shipped" else "")
    expected = {"acknowledged": "ACKED", "shipped": "SHIPPED", "cancel_rejected": "DISPATCHED"}
    assert po.status == expected.get(kind, "REJECTED")
    assert not order.tasks


def test_shipping_without_an_acknowledgement_is_one(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1")
    assert (po.status, order.status) == ("SHIPPED", "SHIPPED")
    assert [(each.line, each.quantity) for each in order.parcels[0].lines] == [("L1", 2), ("L2", 1)]
    assert watched(order, moment()) == {"yto#Y1": Watch.POLLS, "writeback of yto#Y1": Watch.POLLS}


def test_the_order_of_events_and_their_repetition_do_not_matter():
    ends = []
    for sequence in permutations(["ack", "A", "B", "ack", "A"]):
        order = received(line("L1", 2), line("L2", 1))
        (po,) = dispatched(order)
        for step in sequence:
            if step == "ack":
                say(order, "acknowledged", po)
            else:
                say(order, "shipped", po, step, **({"L1": 2} if step == "A" else {"L2": 1}))
        ends.append((po.status, order.status, order.tasks, sorted(parcel.number for parcel in order.parcels)))
    assert all(end == ("SHIPPED", "SHIPPED", [], ["A", "B"]) for end in ends)


def test_a_partial_shipment_leaves_the_rest_with_the_supplier_and_on_its_clock(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1", hours=3, L1=1)
    assert (po.status, order.status, po.remaining) == ("PARTIALLY_SHIPPED", "PARTIALLY_SHIPPED", {"L1": 1, "L2": 1})
    assert po.due_at == at(3) + DEADLINES.ship
    say(order, "shipped", po, "Y2")
    assert (po.status, order.status, po.remaining) == ("SHIPPED", "SHIPPED", {})


def test_one_of_two_purchase_orders_shipped_is_a_part_of_the_order():
    order = received(line("L1"), line("L2"))
    north, _ = dispatched(order, L2="south")
    say(order, "shipped", north, "Y1")
    assert order.status == "PARTIALLY_SHIPPED"


@pytest.mark.parametrize("units", [{"L1": 3}, {"L2": 1, "L9": 1}])
def test_more_than_was_ordered_is_a_contradiction_and_ships_nothing(order, units):
    (po,) = dispatched(order)
    with pytest.raises(InvalidMessage, match="beyond what was ordered"):
        say(order, "shipped", po, "Y1", **units)
    assert not order.parcels
    saved(order)


def test_a_second_parcel_after_everything_was_shipped_is_a_contradiction(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1")
    with pytest.raises(InvalidMessage, match="nothing is left"):
        say(order, "shipped", po, "Y2")


def test_a_shipped_event_without_a_waybill_is_no_message(order):
    (po,) = dispatched(order)
    with pytest.raises(InvalidMessage):
        say(order, "shipped", po)


def test_an_event_of_a_purchase_order_that_is_not_ours_is_refused(order):
    (po,) = dispatched(order)
    with pytest.raises(UnknownPurchaseOrder):
        say(order, "acknowledged", po.model_copy(update={"id": po.id[:-1] + "9"}))


def test_a_repeated_waybill_is_one_parcel(order):
    (po,) = dispatched(order)
    for _ in range(10):
        say(order, "shipped", po, "Y1", L1=1)
    assert len(order.parcels) == 1
    assert not order.tasks


def test_a_waybill_named_again_for_other_units_is_not_taken_for_a_repeat(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1", L1=1)
    say(order, "shipped", po, "Y1", L2=1)
    assert tasks(order) == [TaskKind.WAYBILL_REUSED]


def test_a_waybill_named_by_another_purchase_order_is_not_taken_for_a_repeat():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    say(order, "shipped", north, "Y1")
    say(order, "shipped", south, "Y1")
    assert tasks(order) == [TaskKind.WAYBILL_REUSED]
    assert south.status == "DISPATCHED"


@pytest.mark.parametrize("kind", ["rejected", "cancelled"])
@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_supplier_that_will_not_ship_gives_the_units_back(order, kind, acknowledged):
    (po,) = dispatched(order)
    if acknowledged:
        say(order, "acknowledged", po)
    say(order, kind, po)
    assert (order.status, order.attention.kinds) == ("ON_HOLD", ("HOLD_SUPPLIER_REFUSED",))
    assert [each.units.unrouted for each in order.lines] == [2, 1]
    before = order.model_copy(deep=True)
    say(order, kind, po)
    say(order, "acknowledged", po)
    assert order == before, "late and repeated events change nothing"


@pytest.mark.parametrize("kind", ["rejected", "cancelled"])
def test_a_supplier_that_ships_only_a_part_gives_the_rest_back(order, kind):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1", L1=1)
    say(order, kind, po)
    assert (po.status, order.status) == ("SHIPPED", "PARTIALLY_SHIPPED")
    assert order.attention.kinds == ("HOLD_SUPPLIER_REFUSED",)
    order.release(HoldReason.SUPPLIER_REFUSED, moment())
    assert [(each.line, each.quantity) for each in planned(order)[0].lines] == [("L1", 1), ("L2", 1)]
    (second,) = dispatched(order)
    say(order, "shipped", second, "Y2")
    assert order.status == "SHIPPED"


def test_a_supplier_that_cancels_what_it_has_shipped_needs_a_person(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1")
    say(order, "cancelled", po)
    assert tasks(order) == [TaskKind.SUPPLIER_EVENT_REFUSED]
    assert po.status == "SHIPPED"


def test_a_supplier_that_ships_what_it_rejected_needs_a_person(order):
    (po,) = dispatched(order)
    say(order, "rejected", po)
    say(order, "shipped", po, "Y1")
    assert tasks(order) == [TaskKind.SUPPLIER_EVENT_REFUSED]
    assert [each.units.unrouted for each in order.lines] == [2, 1]


def test_a_supplier_that_ships_what_it_agreed_to_cancel_needs_a_person_though_the_order_is_over(order):
    (po,) = dispatched(order)
    cancel(order, moment())
    ask(order, po, moment())
    say(order, "cancelled", po)
    assert order.status == "CANCELLED"
    say(order, "shipped", po, "Y1")
    assert order.attention.kinds == (TaskKind.SUPPLIER_EVENT_REFUSED,)


def test_a_parcel_after_the_rest_was_cancelled_is_a_contradiction(order):
    (po,) = dispatched(order)
    say(order, "shipped", po, "Y1", L1=1)
    say(order, "cancelled", po)
    with pytest.raises(InvalidMessage, match="nothing is left"):
        say(order, "shipped", po, "Y2")


def test_goods_that_may_be_under_way_in_spite_of_us_outlive_the_end_of_the_order():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    say(order, "rejected", north)
    say(order, "shipped", north, "Y1")
    cancel(order, moment())
    ask(order, south, moment())
    say(order, "cancelled", south)
    assert order.status == "CANCELLED"
    assert order.attention.kinds == (TaskKind.SUPPLIER_EVENT_REFUSED,)
