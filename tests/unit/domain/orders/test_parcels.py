from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship.domain.deadlines import Moment
from dropship.domain.exchange.tracking import TrackingStage as Stage
from dropship.domain.orders.attention import TaskKind
from dropship.domain.orders.delivery import record_writeback_refused, record_written_back, track
from dropship.domain.orders.fulfilment import supplier_says
from dropship.domain.orders.lateness import overdue, stalled, untold
from dropship.domain.orders.withdrawal import conclude, withdraw
from tests.support.order_examples import DEADLINES, at, dispatched, line, moment, received, says, scan
from tests.support.order_invariants import saved

SECOND = timedelta(seconds=1)


def shipped(*lines, parcels=("Y1",)):
    order = received(*lines)
    (po,) = dispatched(order)
    for number, own in zip(parcels, order.lines, strict=False):
        units = {own.id: own.units.ordered} if len(parcels) > 1 else {}
        supplier_says(order, says("shipped", po, number, **units), moment())
    return order


def report(order, *scans, number="Y1", now=100):
    changed = track(order, order.parcel("yto", number), [scan(*each) for each in scans], moment(now))
    saved(order)
    return changed


def end_writebacks(order):
    for parcel in order.parcels:
        record_written_back(order, parcel, "F1", moment())


JOURNEY = [
    (Stage.INFO_RECEIVED, 1),
    (Stage.PICKED_UP, 2),
    (Stage.IN_TRANSIT, 3),
    (Stage.OUT_FOR_DELIVERY, 4),
    (Stage.DELIVERED, 5),
]


@given(st.permutations(JOURNEY + JOURNEY), st.integers(1, 9))
def test_scans_shuffled_repeated_and_in_pieces_end_in_the_newest(scans, cut):
    order = shipped()
    report(order, *scans[:cut])
    report(order, *scans[cut:])
    assert (order.parcels[0].state, order.status) == ("DELIVERED", "DELIVERED")
    assert order.line("L1").units.delivered == 1
    assert [event.kind for event in order.timeline].count("delivered") == 1


def test_one_scan_at_a_time_in_any_order_never_goes_back():
    for scans in permutations(JOURNEY):
        order, newest = shipped(), 0
        for stage, hours in scans:
            report(order, (stage, hours))
            newest = max(newest, hours)
            assert order.parcels[0].last_event_at in {at(newest), None}  # None: so far there is only a label


def test_a_report_without_news_is_not_worth_a_write():
    order = shipped()
    assert report(order, *JOURNEY[:3])
    before = order.model_copy(deep=True)
    assert not report(order, *JOURNEY[:3], (None, 50))
    assert order == before


def test_repeated_transit_is_worth_a_write_only_when_it_moves_the_stall_clock_well():
    order = shipped()
    report(order, (Stage.IN_TRANSIT, 1))
    before = order.model_copy(deep=True)
    assert not report(order, (Stage.IN_TRANSIT, 2))
    assert order == before
    assert report(order, (Stage.IN_TRANSIT, 60))
    assert order.parcels[0].clock(DEADLINES) == at(60) + DEADLINES.stall


@pytest.mark.parametrize("scans", [[], [(None, 3)], [(Stage.INFO_RECEIVED, 3)]])
def test_a_poll_that_brings_no_scan_does_not_put_off_the_clock_of_the_first_scan(scans):
    order = shipped()
    end_writebacks(order)
    assert not report(order, *scans)
    stalled(order, Moment(at() + DEADLINES.pickup - SECOND, DEADLINES))
    assert order.attention is None
    stalled(order, Moment(at() + DEADLINES.pickup, DEADLINES))
    assert order.attention.kinds == (TaskKind.PARCEL_STALLED,)
    assert not report(order, *scans)
    assert order.attention.kinds == (TaskKind.PARCEL_STALLED,)


def test_scans_of_one_moment_count_in_the_order_of_their_progress():
    order = shipped()
    report(order, (Stage.DELIVERED, 5), (Stage.OUT_FOR_DELIVERY, 5), (Stage.PICKED_UP, 5))
    assert order.status == "DELIVERED"


def test_a_parcel_out_for_delivery_may_go_back_into_transit_with_a_newer_scan():
    order = shipped()
    report(order, (Stage.OUT_FOR_DELIVERY, 4), (Stage.IN_TRANSIT, 6))
    assert order.parcels[0].state == "IN_TRANSIT"


@pytest.mark.parametrize("stage", [Stage.EXCEPTION, Stage.EXPIRED, Stage.FAILED_ATTEMPT, Stage.RETURNING])
def test_a_parcel_in_trouble_needs_a_person_until_it_is_delivered(stage):
    order = shipped()
    report(order, (stage, 4))
    assert order.attention.kinds == (TaskKind.PARCEL_EXCEPTION,)
    report(order, (Stage.DELIVERED, 6))
    assert order.attention is None


def test_a_delivered_parcel_that_is_sent_back_later_leaves_the_delivered_units():
    order = shipped()
    report(order, *JOURNEY)
    assert not report(order, (Stage.RETURNING, 4)), "older than the delivery"
    assert report(order, (Stage.RETURNING, 9))
    assert (order.line("L1").units.returning, order.line("L1").units.delivered) == (1, 0)
    assert order.attention.kinds == (TaskKind.PARCEL_EXCEPTION,)
    assert order.due is not None


def test_an_order_is_not_completed_while_a_parcel_is_on_its_way_back():
    order = shipped()
    end_writebacks(order)
    report(order, *JOURNEY)
    report(order, (Stage.RETURNING, 9))
    overdue(order, moment(24 * 40))
    assert order.status == "DELIVERED"
    saved(order)
    report(order, (Stage.RETURNED, 24 * 41), now=24 * 42)
    overdue(order, moment(24 * 80))
    assert order.status == "COMPLETED"
    saved(order)


def test_an_order_whose_only_parcel_came_back_keeps_a_clock_and_a_task_until_it_is_refunded():
    order = shipped()
    end_writebacks(order)
    report(order, (Stage.IN_TRANSIT, 3), (Stage.RETURNED, 9))
    assert (order.status, order.attention.kinds) == ("SHIPPED", (TaskKind.PARCEL_EXCEPTION,))
    assert order.due == at(100) + DEADLINES.remind
    assert withdraw(order, "refund-1", {"L1": 1}, moment(101)) == "SHIPPED"
    conclude(order, "refund-1", "REFUNDED", moment(102))
    assert order.status == "CANCELLED"
    saved(order)


def test_an_order_that_came_back_in_part_is_delivered_once_that_part_is_refunded():
    order = shipped(line("L1"), line("L2"), parcels=("Y1", "Y2"))
    report(order, (Stage.RETURNED, 9), number="Y1")
    report(order, (Stage.DELIVERED, 9), number="Y2")
    assert order.status == "SHIPPED"
    withdraw(order, "refund-1", {"L1": 1}, moment(101))
    conclude(order, "refund-1", "REFUNDED", moment(102))
    assert order.status == "DELIVERED"
    saved(order)


def test_an_order_of_two_parcels_is_delivered_with_the_second():
    order = shipped(line("L1"), line("L2"), parcels=("Y1", "Y2"))
    report(order, *JOURNEY)
    assert order.status == "SHIPPED"
    report(order, *JOURNEY, number="Y2")
    assert order.status == "DELIVERED"


def test_a_scan_from_the_far_future_does_not_silence_the_real_ones():
    order = shipped()
    assert not report(order, (Stage.IN_TRANSIT, 24 * 365 * 73), now=2)
    assert order.parcels[0].clock(DEADLINES) <= at(24)
    assert report(order, *JOURNEY, now=6)
    assert order.status == "DELIVERED"


def test_a_scan_a_few_hours_ahead_is_a_matter_of_time_zones():
    assert report(shipped(), (Stage.IN_TRANSIT, 8), now=1)


# Telling the marketplace


def test_one_worker_at_a_time_tells_the_marketplace():
    parcel = shipped().parcels[0]
    assert parcel.begin_writeback(moment())
    assert not parcel.begin_writeback(moment())
    assert parcel.begin_writeback(Moment(at() + DEADLINES.writeback_lease, DEADLINES)), "the first one died"
    parcel.end_writeback("DUE", moment(1))
    assert parcel.begin_writeback(moment(1))
    parcel.end_writeback("DONE", moment(1), "F1")
    assert not parcel.begin_writeback(moment(9))
    assert parcel.fulfilment == "F1"


def test_a_parcel_told_of_stops_the_clock_of_telling_it():
    order = shipped()
    late = at() + DEADLINES.writeback
    assert (untold(order, Moment(late - SECOND, DEADLINES)), untold(order, Moment(late, DEADLINES))) == (
        [],
        order.parcels,
    )
    end_writebacks(order)
    assert untold(order, Moment(late, DEADLINES)) == []
    saved(order, late)


def test_a_parcel_that_the_marketplace_will_not_take_needs_a_person():
    order = shipped()
    record_writeback_refused(order, order.parcels[0], "no such order", moment())
    assert order.attention.kinds == (TaskKind.WRITEBACK_REFUSED,)
    assert order.due is None, "its parcel is polled"
    saved(order, at())
