from dropship.domain.deadlines import Moment
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.delivery import record_written_back, track
from dropship.domain.orders.fulfilment import record_refused, record_unknown, supplier_says
from dropship.domain.orders.lateness import overdue, stalled
from dropship.domain.orders.withdrawal import ask, cancel, conclude, to_ask, withdraw
from tests.support.order_examples import DEADLINES, at, claimed, dispatched, line, moment, received, says, scan
from tests.support.order_invariants import saved


def missed_at(order, now):
    """Act on all clocks that have run out. Returns the deadlines that have been missed and not been made up for."""
    overdue(order, Moment(now, DEADLINES))
    saved(order, now)
    return missed(order)


def missed(order):
    return [task.kind for task in order.tasks]


def late(order):
    """Let the earliest clock run out. Returns the same."""
    now = order.due
    found = missed_at(order, now)
    assert order.due is None or order.due > now
    return found


def looked_back(order, age):
    """Let a look-back find the order. Returns the same."""
    assert order.due is None, "nothing else looks at it before"
    return missed_at(order, order.created_at + age)


def shipped(*lines, followed=True):
    order = received(*lines)
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1"), moment(), followed=followed)
    saved(order, at())
    return order


def delivered(*lines):
    order = shipped(*lines)
    record_written_back(order, order.parcels[0], "F1", moment())
    track(order, order.parcels[0], [scan(TrackingStage.DELIVERED, 5)], moment(6))
    saved(order, at(6))
    return order


def test_nothing_happens_before_its_time():
    order = received()
    before = order.model_copy(deep=True)
    overdue(order, moment())
    assert order == before


def test_an_order_that_is_ready_is_taken_up_by_the_look_back_and_has_a_clock_from_then_on():
    order = received()
    assert looked_back(order, DEADLINES.resume) == []
    assert order.needs_dispatch
    assert order.due == at() + 2 * DEADLINES.resume
    assert late(order) == []
    assert order.due == at() + 3 * DEADLINES.resume


def test_a_dispatch_that_stopped_halfway_is_taken_up_by_the_look_back():
    order = received()
    claimed(order)
    assert looked_back(order, DEADLINES.resume) == []
    assert order.needs_dispatch
    assert order.due == at() + 2 * DEADLINES.resume


def test_a_dispatch_in_doubt_has_a_clock():
    order = received()
    (po,) = claimed(order)
    record_unknown(order, po, "timeout", moment())
    assert late(order) == []
    assert order.needs_dispatch


def test_a_held_order_is_looked_at_every_day():
    order = received(missing=["city"])
    assert order.due == at() + DEADLINES.remind
    late(order)
    assert order.due == at() + 2 * DEADLINES.remind


def test_a_supplier_that_does_not_acknowledge_is_reported_and_the_report_ends_with_the_acknowledgement():
    order = received()
    (po,) = dispatched(order)
    assert late(order) == [TaskKind.ACKNOWLEDGE_LATE]
    assert order.attention.kinds == (TaskKind.ACKNOWLEDGE_LATE,)
    supplier_says(order, says("acknowledged", po), moment(25))
    assert order.attention is None


def test_a_supplier_that_does_not_ship_is_reported_and_the_report_ends_with_the_shipment():
    order = received()
    (po,) = dispatched(order)
    supplier_says(order, says("acknowledged", po), moment(1))
    assert looked_back(order, DEADLINES.ship) == [TaskKind.SHIP_LATE]
    assert late(order) == [TaskKind.SHIP_LATE], "again the next day"
    assert len(order.tasks) == 1
    supplier_says(order, says("shipped", po, "Y1"), moment(99))
    assert order.attention is None


def test_a_purchase_order_that_the_look_back_finds_before_its_time_gets_a_clock_of_its_own():
    order = received()
    (po,) = dispatched(order, 0.1)
    supplier_says(order, says("acknowledged", po), moment(1))
    assert looked_back(order, DEADLINES.ship) == []
    assert order.due == at(0.1) + DEADLINES.ship
    assert late(order) == [TaskKind.SHIP_LATE]


def test_a_supplier_that_does_not_answer_a_cancellation_counts_as_declining():
    order = received()
    (po,) = dispatched(order)
    cancel(order, moment())
    ask(order, po, moment())
    assert late(order) == [], "nobody has answered: it is asked again"
    assert to_ask(order) == [po]
    po.promise_answer(moment())
    assert to_ask(order) == []
    assert late(order) == [TaskKind.CANCEL_LATE]
    assert (po.status, po.cancel) == ("ACKED", "REFUSED")


def test_a_followed_parcel_without_news_is_reported_by_its_polls_and_the_report_ends_with_news():
    order = shipped()
    assert order.due is None
    for _ in range(2):
        stalled(order, moment(24))
        assert missed(order) == [TaskKind.PARCEL_STALLED]
        saved(order, at(24))
    track(order, order.parcels[0], [scan(TrackingStage.IN_TRANSIT, 30)], moment(31))
    assert order.attention is None
    assert order.due is None
    assert order.parcels[0].clock(DEADLINES) == at(30) + DEADLINES.stall


def test_a_parcel_that_no_tracker_follows_is_reported_by_its_clock_every_day():
    order = shipped(followed=False)
    record_written_back(order, order.parcels[0], "F1", moment())
    saved(order, at())
    assert order.due == at() + DEADLINES.pickup
    assert late(order) == [TaskKind.PARCEL_STALLED]
    assert order.due == at() + DEADLINES.pickup + DEADLINES.remind
    track(order, order.parcels[0], [scan(TrackingStage.IN_TRANSIT, 30)], moment(31))
    assert order.attention is None
    assert order.due == at(30) + DEADLINES.stall


def test_a_parcel_that_is_followed_no_more_has_a_clock():
    order = shipped()
    order.parcels[0].follow_no_more(moment(1))
    saved(order, at(1))
    assert order.polled_since is None
    assert order.due == at(1) + DEADLINES.writeback
    record_written_back(order, order.parcels[0], "F1", moment(2))
    saved(order, at(2))
    assert order.due == at(1) + DEADLINES.remind


def test_a_parcel_the_marketplace_does_not_know_is_told_again():
    order = shipped(followed=False)
    assert late(order) == []
    assert order.parcels[0].writeback == "DUE"


def test_an_order_delivered_before_the_marketplace_was_told_has_a_clock_for_telling_it():
    order = shipped()
    track(order, order.parcels[0], [scan(TrackingStage.DELIVERED, 5)], moment(6))
    saved(order, at(6))
    assert (order.status, order.polled_since) == ("DELIVERED", None)
    assert order.due == at(6) + DEADLINES.writeback
    record_written_back(order, order.parcels[0], "F1", moment(7))
    saved(order, at(7))
    assert order.due == at(7) + DEADLINES.completion


def test_an_order_that_is_shipped_in_part_is_polled_and_has_a_clock_for_the_rest():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("shipped", north, "Y1"), moment(3))
    assert (order.polled_since, order.due) == (at(3), at() + DEADLINES.acknowledge)
    supplier_says(order, says("rejected", south), moment(4))
    saved(order, at(4))
    assert (order.polled_since, order.due) == (at(3), at(4) + DEADLINES.remind)


def test_an_order_is_as_old_to_its_polls_as_its_oldest_parcel_under_way():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("shipped", north, "Y1"), moment(3))
    supplier_says(order, says("shipped", south, "Y2"), moment(9))
    assert order.polled_since == at(3)
    track(order, order.parcels[0], [scan(TrackingStage.DELIVERED, 10)], moment(10))
    assert order.polled_since == at(9)


def test_a_delivered_order_is_completed_after_the_window():
    order = delivered()
    assert order.due == at(6) + DEADLINES.completion
    late(order)
    assert (order.status, order.parcels[0].state, order.due) == ("COMPLETED", "DELIVERED_FINAL", None)


def test_an_open_case_keeps_the_order_open():
    order = delivered()
    withdraw(order, "refund-1", {"L1": 1}, moment(7))
    saved(order, at(7))
    late(order)
    assert order.status == "DELIVERED"
    conclude(order, "refund-1", "REFUNDED", moment(8))
    saved(order, at(8))
    late(order)
    assert order.status == "COMPLETED"


def test_a_hold_keeps_the_order_open():
    order = delivered()
    order.hold(HoldReason.DISPATCH_FAILED, moment(7), "fraud?")
    saved(order, at(7))
    late(order)
    assert order.status == "DELIVERED"
    order.release(HoldReason.DISPATCH_FAILED, moment(999))
    saved(order, at(999))
    late(order)
    assert order.status == "COMPLETED"


def test_a_refused_order_is_never_without_a_clock():
    order = received()
    (po,) = claimed(order)
    record_refused(order, po, "no", moment())
    saved(order, at())
    assert order.due == at() + DEADLINES.remind
    late(order)
    assert order.due == at() + 2 * DEADLINES.remind


def test_an_order_that_is_delivered_by_a_cancellation_of_the_rest_is_never_without_a_clock():
    order = received(line("L1"), line("L2"))
    north, south = dispatched(order, L2="south")
    supplier_says(order, says("shipped", north, "Y1"), moment())
    record_written_back(order, order.parcels[0], "F1", moment())
    track(order, order.parcels[0], [scan(TrackingStage.DELIVERED, 5)], moment(6))
    withdraw(order, "refund-1", {"L2": 1}, moment(7))
    ask(order, south, moment(7))
    supplier_says(order, says("cancelled", south), moment(8))
    assert order.status == "DELIVERED"
    saved(order, at(8))
    overdue(order, moment(8))
    assert order.due == at(8) + DEADLINES.completion


def test_a_save_on_the_way_does_not_put_a_clock_off():
    order = received(missing=["city"])
    order.open_task(TaskKind.ADDRESS_CHANGED, moment(5))
    saved(order, at(5))
    assert (order.due, order.due_for) == (at() + DEADLINES.remind, "HOLD")


def test_a_clock_that_has_run_out_waits_for_whoever_acts_on_it():
    order = delivered()
    ran_out = at(6) + DEADLINES.completion
    order.open_task(TaskKind.ADDRESS_CHANGED, moment(24 * 16))
    saved(order, at(24 * 16))
    assert order.due == ran_out
    overdue(order, moment(24 * 16))
    assert order.status == "COMPLETED"


def test_a_clock_is_set_anew_when_the_order_waits_for_something_else():
    order = received(missing=["city"])
    order.release(HoldReason.ADDRESS_MISSING, moment(5))
    saved(order, at(5))
    assert (order.due, order.due_for) == (at(5) + DEADLINES.resume, "DISPATCH")
