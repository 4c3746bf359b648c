"""Events of suppliers: recorded once, followed up every time, and never believed if they contradict the order."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from dropship.domain.errors import InvalidMessage, UnknownPurchaseOrder
from dropship.domain.identity import OrderKey
from dropship.ports import Loaded, NotFound, Unavailable
from dropship.services.messages import CancelOrder
from dropship.services.purchasing.dispatch import OutcomeUnknown
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.interleaving import once_before
from tests.support.partner_apis import LOST
from tests.support.service_world import GREEN, KEY, NOW, PINK, PO, WAYBILL, World, from_shop, from_supplier

TELL = {"kind": "tell-marketplace", "order": str(KEY), "carrier": "yto", "number": WAYBILL.number}
WATCH = {"kind": "watch-parcel", "waybill": str(WAYBILL)}
CHECK = {"kind": "check-withdrawals", "order": str(KEY)}


@pytest.fixture
def world(world):
    world.dispatched()
    return world


def parcel_of(number, *units, carrier="YTO"):
    rows = [{"line": line, "quantity": 1} for line in units]
    return {"shipment": {"carrier": carrier, "tracking_number": number, "lines": rows}}


def test_an_acknowledgement_leaves_the_shipping_to_the_look_back(world):
    world.supplier_says("acknowledged")
    assert world.purchase_order.status == "ACKED"
    assert (world.order.due, world.unseen()) == (None, [])
    assert world.queues.sent == []


def test_an_acknowledgement_that_overtakes_the_suppliers_answer_counts_as_its_answer():
    world = World()
    world.hear("orders/paid")
    world.acme.fail("place", LOST, after=True)
    fence, (planned,) = world.plan()
    once_before(world.http, "send", lambda: world.supplier_says("acknowledged", supplier_order_id="SO-9"))
    with pytest.raises(OutcomeUnknown):
        world.submission.submit(KEY, fence, planned, "worker")
    assert world.purchase_order.status == "ACKED"
    assert world.purchase_order.supplier_reference == "SO-9"


def test_a_parcel_is_taken_in_tied_to_its_order_and_passed_on(world):
    world.supplier_says("shipped")
    assert world.order.status == "SHIPPED"
    assert {line.line: line.quantity for line in world.parcel.lines} == {PINK: 1, GREEN: 1}
    assert world.orders.order_of(WAYBILL) == KEY
    assert (world.sent("outbound"), world.sent("tracking"), world.sent("after-sales")) == ([TELL], [WATCH], [])


def test_an_order_in_two_parcels_is_shipped_with_the_second(world):
    world.supplier_says("shipped", **parcel_of("A1", PINK))
    assert world.order.status == "PARTIALLY_SHIPPED"
    world.supplier_says("shipped", **parcel_of("A2", GREEN))
    assert world.order.status == "SHIPPED"
    assert [message["number"] for message in world.sent("outbound")] == ["A1", "A2"]


def test_a_repeat_adds_no_parcel_and_follows_up_again_since_the_first_may_have_been_lost(world):
    for _ in range(2):
        world.supplier_says("shipped")
    assert len(world.order.parcels) == 1
    assert world.sent("outbound") == [TELL, TELL]


def test_a_repeat_after_all_is_done_follows_up_nothing_but_the_tracking(world):
    world.supplier_says("shipped")
    world.arrive("outbound")
    version = world.version
    world.supplier_says("shipped")
    assert world.version == version
    assert world.sent("outbound") == []


@pytest.mark.parametrize("event", ["acknowledged", "rejected", "shipped", "cancelled", "cancel_rejected"])
def test_every_event_can_come_twice(world, event):
    world.supplier_says(event)
    once = world.order
    world.clock.advance(minutes=5)
    world.supplier_says(event)
    assert world.order == once


@pytest.mark.parametrize("event", ["acknowledged", "rejected", "cancelled", "cancel_rejected"])
def test_every_event_can_come_twice_after_a_part_was_shipped(world, event):
    """The first `cancelled` ends the purchase order with a part of it shipped; the repeat contradicts nothing."""
    world.supplier_says("shipped", **parcel_of("A1", PINK))
    world.supplier_says(event)
    once = world.order
    world.clock.advance(minutes=5)
    world.supplier_says(event)
    assert world.order == once
    assert world.tasks() == {}


@pytest.mark.parametrize(("event", "words"), [("rejected", "out of stock"), ("cancelled", "as you asked")])
def test_a_supplier_that_will_not_ship_gives_the_units_back_and_holds_the_order(world, event, words):
    world.supplier_says(event)
    assert world.held() == {"SUPPLIER_REFUSED": words}
    assert [line.units.unrouted for line in world.order.lines] == [1, 1]


def test_a_late_acknowledgement_moves_nothing_back(world):
    world.supplier_says("shipped")
    version = world.version
    world.supplier_says("acknowledged")
    assert (world.order.status, world.version) == ("SHIPPED", version)


# ---- Events that cannot be true


def test_more_units_than_were_ordered_become_a_task_and_no_parcel(world):
    shipment = {"shipment": {"carrier": "YTO", "tracking_number": "A1", "lines": [{"line": PINK, "quantity": 2}]}}
    for _ in range(2):
        world.supplier_says("shipped", **shipment)
    assert world.order.parcels == []
    assert "beyond what was ordered" in world.tasks()["SUPPLIER_EVENT_REFUSED"]
    assert (world.sent("outbound"), world.sent("tracking")) == ([], [])


def test_a_shipment_of_a_closed_purchase_order_becomes_a_task(world):
    world.supplier_says("rejected")
    world.supplier_says("shipped")
    assert world.order.parcels == []
    assert "yet the supplier says: shipped" in world.tasks()["SUPPLIER_EVENT_REFUSED"]
    assert world.sent("outbound") == []


def test_a_waybill_that_serves_another_order_becomes_a_task_and_no_parcel(world):
    other = OrderKey("main-shop", "999")
    world.orders.claim_waybill(WAYBILL, other)
    for _ in range(2):
        world.supplier_says("shipped")
    assert world.order.parcels == []
    assert "belongs to another order" in world.tasks()["WAYBILL_REUSED"]
    assert world.orders.order_of(WAYBILL) == other
    assert world.sent("outbound") == []


OTHER = OrderKey(KEY.shop, "1002")
EXCESS = {"carrier": "YTO", "tracking_number": WAYBILL.number, "lines": [{"line": PINK, "quantity": 9}]}


def another_order(world):
    world.inbox.handle(from_shop("orders/paid", id=OTHER.external_id))
    fence, (planned,) = world.planning.plan(OTHER)
    world.submission.submit(OTHER, fence, planned, "worker")
    return planned.id


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"reference": PO.replace("acme.1.1", "acme.1.7")}, UnknownPurchaseOrder),
        ({"reference": "main-shop.404.acme.1.1"}, Unavailable),
        ({"shipment": EXCESS}, None),
    ],
    ids=["no such purchase order", "no such order", "more than was ordered"],
)
def test_an_event_that_is_refused_does_not_take_the_waybill_from_the_right_one(world, wrong, refusal):
    reference = another_order(world)
    with pytest.raises(refusal) if refusal else nullcontext():
        world.supplier_says("shipped", **wrong)
    world.supplier_says("shipped", reference=reference)
    assert [parcel.number for parcel in world.orders.load(OTHER).value.parcels] == [WAYBILL.number]
    assert world.orders.order_of(WAYBILL) == OTHER


def test_a_purchase_order_that_the_first_look_does_not_show_yet_has_its_waybill_tied(world, monkeypatch):
    old, real = world.orders.load(KEY), world.orders.load
    old.value.purchase_orders.clear()
    monkeypatch.setattr(
        world.orders, "load", lambda key, *, fresh=False: real(key) if fresh else Loaded(old.value, old.version)
    )
    world.supplier_says("shipped")
    assert (world.parcel.number, world.orders.order_of(WAYBILL)) == (WAYBILL.number, KEY)


def test_a_waybill_used_twice_within_an_order_becomes_a_task(world):
    world.supplier_says("shipped", **parcel_of("A1", PINK))
    world.supplier_says("shipped", **parcel_of("A1", GREEN))
    assert list(world.tasks()) == ["WAYBILL_REUSED"]
    assert len(world.order.parcels) == 1


def test_a_supplier_cannot_speak_of_anothers_purchase_order(world):
    with pytest.raises(InvalidMessage, match="supplier bolt"):
        world.supplier_events.handle(from_supplier("shipped", "bolt", reference=PO))
    assert world.order.parcels == []


def test_an_event_that_comes_before_its_order_comes_again():
    with pytest.raises(Unavailable, match="not known yet"):
        World().supplier_says("acknowledged")


def test_a_purchase_order_that_never_was_is_an_error(world):
    with pytest.raises(UnknownPurchaseOrder):
        world.supplier_says("acknowledged", reference=PO.replace("acme.1.1", "acme.1.9"))


def test_the_parcel_of_a_carrier_nobody_knows_is_kept_and_told_to_the_marketplace(world):
    world.supplier_says("shipped", **parcel_of("A1", PINK, carrier="Pigeon Post"))
    parcel = world.order.parcel("pigeon-post", "A1")
    assert (parcel.followed, parcel.due_at) == (False, NOW + timedelta(hours=24))
    assert world.order.polled_since is None
    assert world.sent("tracking") == []
    assert world.sent("outbound") == [TELL | {"carrier": "pigeon-post", "number": "A1"}]


def test_a_parcel_whose_tracker_takes_no_subscription_is_polled_and_not_watched(world):
    world.registry.put(world.registry.tracker("kd100").model_copy(update={"callback_url": None}))
    world.supplier_says("shipped")
    assert world.order.polled_since == NOW
    assert (world.kinds("outbound"), world.sent("tracking")) == (["tell-marketplace"], [])


def test_a_supplier_nobody_knows_is_an_error(world):
    with pytest.raises(NotFound):
        world.supplier_events.handle(from_supplier("shipped").model_copy(update={"connection": "gone"}))


def test_an_event_that_is_not_for_us_is_done_with(world):
    world.supplier_says("invoiced")
    assert world.queues.sent == []


# ---- Messages that follow


def test_a_cancellation_under_way_is_looked_at_after_each_event(world):
    world.acme.cancels = "later"
    world.tell(CancelOrder(order=str(KEY)))
    world.supplier_says("cancel_rejected")
    assert world.sent("after-sales") == [CHECK]
    assert list(world.tasks()) == ["CANCEL_REFUSED"]
    world.supplier_says("shipped")
    assert world.sent("after-sales") == [CHECK, CHECK]


def test_an_open_refund_is_looked_at_after_each_event(world):
    world.acme.cancels = "later"
    world.refund(PINK, GREEN)
    world.supplier_says("cancelled")
    assert world.sent("after-sales") == [CHECK]


def test_a_refund_that_asked_nothing_of_the_supplier_is_looked_at_too(world):
    world.refund(PINK)
    assert world.purchase_order.cancel == ""
    world.supplier_says("shipped")
    assert world.sent("after-sales") == [CHECK]


def test_a_shipment_in_the_same_moment_as_a_cancellation_is_both_taken_in(world):
    once_before(world.orders, "save", lambda: world.tell(CancelOrder(order=str(KEY))))
    world.acme.cancels = "no"
    world.supplier_says("shipped")
    assert world.order.status == "SHIPPED"
    assert list(world.tasks()) == ["CANCEL_REFUSED"]


# ---- A crash at any point


def reused(world):
    world.dispatched()
    world.orders.claim_waybill(WAYBILL, OrderKey("main-shop", "999"))


def cancelling(world):
    world.dispatched()
    world.acme.cancels = "later"
    world.tell(CancelOrder(order=str(KEY)))


CRASHES = {
    event: UseCase(World.dispatched, lambda world, event=event: world.supplier_says(event))
    for event in ("acknowledged", "rejected", "shipped", "cancelled")
} | {
    "a waybill of another order": UseCase(reused, lambda world: world.supplier_says("shipped")),
    "shipped in spite of a cancellation": UseCase(cancelling, lambda world: world.supplier_says("shipped")),
    "a cancellation refused": UseCase(cancelling, lambda world: world.supplier_says("cancel_rejected")),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 4
