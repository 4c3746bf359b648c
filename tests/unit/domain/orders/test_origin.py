"""Orders that we create ourselves: dispatched like any other; no marketplace is told of them or can change them."""

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.tracking import TrackingStage
from dropship.domain.orders.clocks import watched
from dropship.domain.orders.delivery import track
from dropship.domain.orders.fulfilment import supplier_says
from dropship.domain.orders.lateness import overdue, untold
from dropship.domain.orders.origin import Origin
from tests.support.order_examples import at, dispatched, line, moment, received, revise, says, scan
from tests.support.order_invariants import saved

OURS = [origin for origin in Origin if origin is not Origin.MARKETPLACE]


def own(origin=Origin.MAKE_UP, *lines):
    order = received(*lines)
    return order.model_copy(update={"origin": origin, "external_id": f"{order.external_id}-m1"})


def shipped(order):
    (po,) = dispatched(order)
    supplier_says(order, says("shipped", po, "Y1"), moment(1))
    saved(order, at(1))
    return order


def test_an_order_is_a_marketplaces_unless_it_says_otherwise():
    assert received().origin is Origin.MARKETPLACE
    assert not Origin.MARKETPLACE.ours


@pytest.mark.parametrize("origin", OURS)
def test_the_parcels_of_an_order_of_ours_are_told_to_no_marketplace(origin):
    order = shipped(own(origin))
    (parcel,) = order.parcels
    assert origin.ours
    assert not parcel.untold
    assert not parcel.begin_writeback(moment(2))
    assert untold(order, moment(999)) == []
    assert not [name for name in watched(order, moment(2)) if name.startswith("writeback")]


def test_an_order_of_ours_is_completed_like_any_other():
    order = shipped(own())
    track(order, order.parcels[0], [scan(TrackingStage.DELIVERED, 5)], moment(6))
    saved(order, at(6))
    overdue(order, moment(24 * 30))
    assert order.status == "COMPLETED"


@pytest.mark.parametrize("origin", OURS)
def test_no_snapshot_touches_an_order_of_ours(origin):
    order = own(origin, line("L1", 2))
    before = order.model_copy(deep=True)
    with pytest.raises(InvalidMessage, match="is ours"):
        revise(order, line("L1", 1), digest="other")
    assert order == before
