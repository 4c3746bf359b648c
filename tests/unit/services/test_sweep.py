"""The sweep: what is due is sent to its workers, with or without its own clock; all that is unfinished is found."""

from datetime import timedelta

import pytest

from dropship.domain.deadlines import SWEEP
from dropship.domain.identity import OrderKey
from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder, OrderDue
from dropship.services.parcels.polls import PollRound
from dropship.services.purchasing.dispatch import OutcomeUnknown
from dropship.services.sweep import Sweep
from tests.support.interleaving import once_before
from tests.support.parcel_news import polled, report
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import CASE, KEY, NOW, PINK, World, from_shop, lines

CANCEL = CancelOrder(order=str(KEY))
ORDER_DUE = {"kind": "order-due", "order": str(KEY)}
CASE_DUE = {"kind": "case-due", "case": f"{KEY.shop}#{CASE}"}


def sweep(world, scheduled=None, **period):
    world.queues.sent.clear()
    service = Sweep(world.orders, world.cases, world.registry, world.queues, world.clock)
    return service.run(scheduled, timedelta(**period) if period else SWEEP)


def swept(world, *times):
    """For each of these times, in minutes after the order came: whether the scheduled sweep sends the order."""
    for minutes in times:
        world.clock.time = NOW + timedelta(minutes=minutes)
        sweep(world, world.clock.time)
        yield ORDER_DUE in world.sent("inbox")


def test_nothing_is_sent_before_its_time(world):
    world.dispatched()
    assert sweep(world) == 0
    assert world.queues.sent == []


def test_an_order_is_sent_to_the_inbox_from_its_clock_on_until_it_is_dealt_with(world):
    world.dispatched()
    world.clock.time = world.order.due
    assert (sweep(world), sweep(world)) == (1, 1)
    assert world.sent("inbox") == [ORDER_DUE]


def test_a_case_is_sent_to_after_sales(world):
    world.shipped()
    world.tell_marketplace()
    world.refund(PINK)
    world.clock.time = world.case.due
    sweep(world)
    assert world.sent("after-sales") == [CASE_DUE]


def test_orders_of_all_shards_are_found(world):
    for number in range(40):
        world.inbox.handle(from_shop("orders/paid", id=1000 + number, shipping_address=None))
    world.clock.advance(hours=24)
    assert sweep(world) == 40
    assert len({message["order"] for message in world.sent("inbox")}) == 40


def test_what_is_finished_is_never_due(world):
    world.hear("orders/paid")
    world.hear("orders/cancelled")
    for age in ({"minutes": 10}, {"hours": 48}, {"days": 400}):
        world.clock.time = NOW + timedelta(seconds=1, **age)
        assert sweep(world) == 0


def test_a_sweep_that_cannot_send_fails_and_the_next_one_finds_the_same(world):
    world.dispatched()
    world.clock.advance(days=1)
    world.queues.down = True
    with pytest.raises(Unavailable):
        sweep(world)
    world.queues.down = False
    assert sweep(world) == 1


# ---- Looking back


def test_a_fresh_order_that_is_not_dispatched_is_found_once_and_not_before_its_time(world):
    """The order came at 08:15:30, so the sweep of 08:30 is the first that finds it older than ten minutes."""
    world.hear("orders/paid")
    assert world.order.due is None
    assert list(swept(world, 4.5, 9.5, 14.5, 19.5)) == [False, False, True, False]


def test_what_the_look_back_found_is_taken_up_and_has_a_clock_from_then_on(world):
    world.hear("orders/paid")
    world.workflows.fulfilments.clear()
    assert list(swept(world, 14.5)) == [True]
    world.wish(OrderDue(order=str(KEY)))
    assert [started["reason"][:4] for started in world.workflows.fulfilments.values()] == ["due-"]
    assert world.order.due == world.clock.now() + timedelta(minutes=10)
    assert list(swept(world, 19.5, 24.5)) == [False, True]


def test_a_dispatch_that_died_is_found_and_one_that_succeeded_is_not(world):
    world.hear("orders/paid")
    world.acme.fail("place", LOST)
    with pytest.raises(OutcomeUnknown):
        world.dispatch()
    order, version = world.orders.load(KEY)
    order.purchase_orders[0].status, order.purchase_orders[0].due_at = "DISPATCHING", None  # it died before the outcome
    world.orders.save(order, version)
    assert list(swept(world, 14.5)) == [True]
    world.clock.time = NOW + timedelta(minutes=1)
    world.dispatch()
    assert list(swept(world, 14.5)) == [False]


def test_an_order_that_is_not_shipped_in_time_is_found_once(world):
    world.dispatched()
    world.supplier_says("acknowledged")
    assert world.order.due is None
    hours = 48 * 60
    assert list(swept(world, hours - 0.5, hours + 4.5, hours + 9.5)) == [False, True, False]
    world.wish(OrderDue(order=str(KEY)))
    assert list(world.tasks()) == ["SHIP_LATE"]
    assert world.order.due == world.clock.now() + timedelta(hours=24)


def test_an_order_that_is_shipped_in_time_is_not_found(world):
    world.shipped()
    world.tell_marketplace()
    assert list(swept(world, 48 * 60 + 4.5)) == [False]


@pytest.mark.parametrize("late_s", [(0, 0), (59, 59), (0, 59), (59, 1)])
def test_the_sweeps_of_a_night_look_at_each_order_exactly_once_however_late_they_start(world, late_s):
    evening = NOW.replace(hour=22)
    for minutes in range(0, 4 * 60, 7):
        world.clock.time = evening + timedelta(minutes=minutes)
        world.inbox.handle(from_shop("orders/paid", id=1000 + minutes))
    sent = []
    for index in range(4 * 12 + 6):
        scheduled = evening.replace(minute=0, second=0) + index * SWEEP + timedelta(seconds=late_s[index % 2])
        world.clock.time = scheduled
        sweep(world, scheduled)
        sent += in_order_due(world)
        ages = [scheduled - world.orders.load(OrderKey.parse(key)).value.created_at for key in sent[len(sent) - 1 :]]
        assert all(age >= timedelta(minutes=10) for age in ages), "it is not yet due"
    assert len(sent) == len(set(sent)) == len(range(0, 4 * 60, 7))


def test_a_repeat_of_a_sweep_that_failed_looks_at_the_same_orders_however_late(world):
    world.hear("orders/paid")
    scheduled = NOW + timedelta(minutes=14.5)
    world.clock.time = scheduled
    world.queues.down = True
    with pytest.raises(Unavailable):
        sweep(world, scheduled)
    world.queues.down = False
    world.clock.advance(hours=3)
    assert sweep(world, scheduled) == 1


def test_by_hand_a_sweep_looks_at_the_last_minutes_or_at_as_many_days_as_it_is_told(world):
    world.hear("orders/paid")
    world.clock.advance(minutes=10)
    assert sweep(world) == 0, "an order is not yet due in the moment in which its time ends"
    world.clock.advance(seconds=1)
    assert sweep(world) == 1
    world.clock.advance(hours=30)
    assert sweep(world) == 0
    assert sweep(world, days=2) == 1


def test_every_shop_is_looked_back_on_by_its_own_clocks(world):
    other = world.registry.shop("second-shop")
    slow = other.deadlines.model_copy(update={"resume": timedelta(hours=1)})
    world.registry.put(other.model_copy(update={"deadlines": slow}))
    world.hear("orders/paid")
    order = world.order
    order.shop = other.id
    world.orders.save(order, 0)
    found = []
    for minutes in (14.5, 64.5):
        world.clock.time = NOW + timedelta(minutes=minutes)
        sweep(world, world.clock.time)
        found.append(in_order_due(world))
    assert found == [[str(KEY)], [str(order.key)]]


def test_a_shop_that_was_just_taken_out_does_not_stop_the_others(world):
    world.hear("orders/paid")
    world.registry.shops = lambda: ["gone", KEY.shop]
    world.clock.advance(minutes=11)
    assert sweep(world) == 1


def test_an_order_that_a_read_does_not_show_yet_is_sent(world):
    world.hear("orders/paid")
    world.orders.load = lambda _key: None
    world.clock.advance(minutes=11)
    assert sweep(world) == 1


# ---- Nothing is stranded


def failing(operation, *failures):
    def prepare(world):
        world.hear("orders/paid")
        world.acme.fail(operation, *failures)
        fence, (planned,) = world.plan()
        with pytest.raises(Exception, match="acme"):
            world.submission.submit(KEY, fence, planned, "worker")

    return prepare


def silent_about_a_cancellation(world):
    world.dispatched()
    world.acme.fail("cancel", LOST)
    with pytest.raises(Unavailable):
        world.tell(CANCEL)


STANDS = {
    "received": lambda world: world.hear("orders/paid"),
    "without an address": lambda world: world.hear("orders/paid", shipping_address=None),
    "without a source": lambda world: (world.hear("orders/paid", line_items=lines(sku="X")), world.plan()),
    "claimed, the supplier busy": failing("place", answer(503)),
    "claimed, nobody knows": failing("place", LOST),
    "refused": lambda world: (world.acme.fail("place", answer(422)), world.hear("orders/paid"), world.dispatch()),
    "dispatched": World.dispatched,
    "acknowledged": lambda world: (world.dispatched(), world.supplier_says("acknowledged")),
    "rejected": lambda world: (world.dispatched(), world.supplier_says("rejected")),
    "a cancellation without an answer": silent_about_a_cancellation,
    "shipped": World.shipped,
    "shipped by a carrier without a tracker": lambda world: (
        world.dispatched(),
        world.supplier_says("shipped", shipment={"carrier": "Pigeon Post", "tracking_number": "P1"}),
    ),
    "told": lambda world: (world.shipped(), world.tell_marketplace()),
    "delivered": lambda world: (
        world.shipped(),
        world.tell_marketplace(),
        polled(world, report("picked up", "delivered")),
    ),
    "delivered before it was told": lambda world: (world.shipped(), polled(world, report("picked up", "delivered"))),
    "a refund open": lambda world: (world.shipped(), world.refund(PINK)),
}


def in_order_due(world):
    """Orders that were sent as due, without the messages that start lists of changed orders."""
    return [message["order"] for message in world.sent("inbox") if message["kind"] == "order-due"]


def scheduled_for(world, days):
    """The orders and cases that the schedules find in this many days: the sweeps, and the rounds of polls."""
    for _ in range(days * 24 * 12):
        world.clock.time += SWEEP
        sweep(world, world.clock.time)
        yield from in_order_due(world)
        yield from (message["case"] for message in world.sent("after-sales"))
        if world.clock.time.minute % 30 == 15:
            PollRound(world.orders, world.queues, world.clock).run()
            yield from (key for message in world.sent("tracking") for key in message["orders"])


@pytest.mark.parametrize("stand", STANDS.values(), ids=STANDS)
def test_whatever_is_unfinished_is_found_by_the_schedules(world, stand):
    stand(world)
    assert world.unseen() == []
    delivered = world.order.status == "DELIVERED" and not world.parcel.untold
    found = set(scheduled_for(world, 16 if delivered else 3))
    assert str(KEY) in found
    for case in world.cases.all():
        assert case.finished or f"{KEY.shop}#{CASE}" in found


def test_an_order_that_cannot_be_read_does_not_stop_the_look_back(world):
    world.inbox.handle(from_shop("orders/paid", id=1))
    world.hear("orders/paid")
    world.cannot_read(OrderKey(KEY.shop, "1"))
    world.clock.advance(minutes=11)
    sweep(world)
    assert sorted(message["order"] for message in world.sent("inbox")) == ["main-shop#1", str(KEY)]


def test_an_acknowledgement_that_is_saved_across_the_look_back_leaves_a_clock(world):
    world.dispatched()
    order, version = world.orders.load(KEY)
    order.purchase_orders[0].due_at = NOW + timedelta(hours=50)
    world.orders.save(order, version)
    world.clock.time = NOW + timedelta(hours=48, milliseconds=-200)

    def meanwhile():
        assert list(swept(world, 48 * 60 + 4.5)) == [True]
        world.wish(OrderDue(order=str(KEY)))

    once_before(world.orders, "save", meanwhile)
    world.supplier_says("acknowledged")
    assert world.purchase_order.status == "ACKED"
    world.clock.time = NOW + timedelta(hours=48, minutes=6)
    assert world.unseen() == [], "the sweep that looks back is over"


def test_an_order_that_is_stored_after_its_look_back_has_a_clock(world):
    shop = world.registry.shop(KEY.shop)
    soon = shop.deadlines.model_copy(update={"resume": timedelta(seconds=2)})
    world.registry.put(shop.model_copy(update={"deadlines": soon}))
    full = NOW.replace(minute=20, second=0)
    world.clock.time = full - timedelta(seconds=3)

    def meanwhile():
        world.clock.advance(seconds=4)
        sweep(world, full)

    once_before(world.orders, "save", meanwhile)
    world.hear("orders/paid")
    world.clock.time = full + SWEEP
    sweep(world, world.clock.time)
    assert ORDER_DUE in world.sent("inbox")
