"""Orders that are read at their marketplace: a push only named them, or their push was lost."""

from datetime import UTC, datetime, timedelta

import pytest

from dropship.connectors.contract import Incapable
from dropship.domain.exchange.tracking import TrackingEvent, TrackingStage
from dropship.domain.orders.delivery import track
from dropship.ports import Unavailable
from dropship.services.changing import change_order
from dropship.services.messages import DownloadOrders, FetchOrder, OrderDue, asks_a_marketplace
from dropship.services.sweep import Sweep
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import NOW, World
from tests.support.woocommerce import KEY, MORE, PINK, an_order, arrive, order_of, placed, push, shipped, tell

QUARTER = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
FETCH = FetchOrder(shop=KEY.shop, order=KEY.external_id)
DOWNLOAD = DownloadOrders(shop=KEY.shop, since=NOW - timedelta(minutes=30))


def units(world):
    return {line.id: (line.units.open, line.units.unrouted) for line in order_of(world).lines}


def changed(number, minutes=0, **fields):
    at = (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")
    return an_order(id=number, number=str(number), date_modified_gmt=at, **fields)


def known(world):
    return sorted(order.external_id for order in world.orders.all() if order.shop == KEY.shop)


# ---- Hints


def test_an_order_without_refunds_is_taken_in_as_it_was_pushed(world):
    push(world)
    assert units(world) == {PINK: (2, 2), MORE: (1, 1)}
    assert (world.woo.asked, world.kinds("inbox")) == ([], [])


def test_an_order_with_refunds_is_asked_for_with_them(world):
    placed(world)
    world.woo.refund(KEY.external_id, 801, line_316=1)
    push(world, refunds=[{"id": 801, "total": "-1.00"}])
    assert world.kinds("inbox") == ["fetch-order"]
    arrive(world)

    assert [operation for operation, _ in world.woo.asked] == ["order", "refunds"]
    (opened,) = [message["request"] for message in world.sent("after-sales") if message["kind"] == "open-case"]
    assert (opened["id"], opened["units"]) == ("801", [{"line": MORE, "quantity": 1}])
    world.arrive("after-sales")
    assert world.cases.load(KEY.shop, "refund-801") is not None


def test_a_refund_before_the_claim_takes_its_units_out_of_the_order(world):
    world.woo.sell(an_order())
    world.woo.refund(KEY.external_id, 801, line_315=1)
    push(world, refunds=[{"id": 801, "total": "-1.00"}])
    arrive(world)
    assert units(world) == {PINK: (1, 1), MORE: (1, 1)}
    world.arrive("after-sales")
    assert world.cases.load(KEY.shop, "refund-801").value.finished


def test_an_answer_about_another_order_is_not_taken_in(world):
    world.woo.sell(an_order())
    world.woo.orders[KEY.external_id] = an_order(id=999, number="999")
    with pytest.raises(Unavailable, match="answered with another"):
        world.wish(FETCH)
    assert known(world) == []


def test_an_order_that_was_deleted_and_is_gone_is_cancelled(world):
    placed(world)
    world.woo.orders.clear()
    push(world, "order.deleted")
    arrive(world)
    world.arrive("after-sales")
    assert order_of(world).status == "CANCELLED"
    assert world.acme.open == []


def test_an_old_order_that_is_deleted_at_the_shop_needs_nobody(world):
    placed(world)
    shipped(world)
    tell(world)
    scans = [
        TrackingEvent(at=NOW, raw_time="", stage=stage, code="")
        for stage in (TrackingStage.PICKED_UP, TrackingStage.DELIVERED)
    ]
    change_order(world.orders, KEY, world.moments, lambda order, moment: track(order, order.parcels[0], scans, moment))
    world.clock.advance(days=16)
    world.wish(OrderDue(order=str(KEY)))
    assert order_of(world).status == "COMPLETED"
    world.woo.orders.pop("727")
    push(world, "order.deleted")
    arrive(world)
    world.arrive("after-sales")
    assert order_of(world).tasks == []


@pytest.mark.parametrize("status", ["refunded", "cancelled"])
def test_an_order_that_is_off_is_not_sent_although_the_shop_cannot_be_asked_for_its_refunds(world, status):
    world.woo.sell(an_order())
    push(world, "order.created")
    fence, planned = world.planning.plan(KEY)
    world.woo.fail("order", answer(503))
    push(world, status=status, refunds=[{"id": 9}], date_modified_gmt="2026-12-30T00:00:00")
    with pytest.raises(Unavailable):
        arrive(world)
    assert [world.submission.submit(KEY, fence, one, "worker") for one in planned] == ["STALE"]
    assert (order_of(world).status, world.acme.open) == ("CANCELLED", [])


def test_an_order_in_the_trash_is_cancelled(world):
    placed(world)
    world.woo.sell(changed(727, status="trash"))
    push(world, "order.deleted")
    arrive(world)
    world.arrive("after-sales")
    assert order_of(world).status == "CANCELLED"


def test_an_order_that_we_never_had_may_be_deleted(world):
    push(world, "order.deleted")
    arrive(world)
    assert known(world) == []
    assert world.sent("after-sales") == []


def test_an_order_that_the_marketplace_names_and_does_not_know_is_waited_for(world):
    with pytest.raises(Unavailable, match="does not know the order"):
        world.wish(FETCH)
    world.woo.sell(an_order())
    world.wish(FETCH)
    assert known(world) == ["727"]


@pytest.mark.parametrize("operation", ["order", "refunds"])
@pytest.mark.parametrize(
    ("failure", "wait_s"),
    [(answer(429, retry_after="7"), 7), (answer(500), 0), (LOST, 0), (REFUSED_CONNECTION, 0), (answer(200, {}), 0)],
)
def test_a_marketplace_that_does_not_answer_is_asked_again(world, operation, failure, wait_s):
    world.woo.sell(an_order())
    world.woo.refund(KEY.external_id, 801, line_315=1)
    world.woo.fail(operation, failure)
    with pytest.raises(Unavailable) as later:
        world.wish(FETCH)
    assert later.value.retry_after == wait_s
    assert known(world) == []
    world.wish(FETCH)
    assert units(world) == {PINK: (1, 1), MORE: (1, 1)}


def test_a_no_of_the_marketplace_is_told_without_its_words(world):
    world.woo.sell(an_order())
    world.woo.fail("order", answer(400, {"code": "x", "message": "Jane Doe is not allowed"}))
    with pytest.raises(Unavailable, match=r"did not give order 727: it refused$"):
        world.wish(FETCH)


def test_a_key_that_is_not_taken_is_named(world):
    world.woo.sell(an_order())
    world.woo.fail("order", answer(401))
    with pytest.raises(Unavailable, match="WooCommerce answered 401"):
        world.wish(FETCH)


def test_an_order_cannot_be_fetched_where_the_connector_cannot(world):
    with pytest.raises(Incapable, match="Shopify lacks the capability Downloads"):
        world.wish(FetchOrder(shop="main-shop", order="1"))


# ---- Lists of changed orders


def test_changed_orders_are_taken_in_page_by_page_however_many_there_are(world):
    for minutes, number in enumerate(range(901, 906)):
        world.woo.sell(changed(number, minutes))
    world.wish(DOWNLOAD)
    assert known(world) == ["904", "905"]
    arrive(world)
    assert known(world) == ["901", "902", "903", "904", "905"]
    assert world.woo.requests("list") == ["1", "2", "3"]


def test_a_download_of_what_is_known_changes_nothing(world):
    placed(world)
    version = world.orders.load(KEY, fresh=True).version
    world.wish(DOWNLOAD)
    assert world.orders.load(KEY, fresh=True).version == version


def test_an_order_with_refunds_is_asked_for_by_itself(world):
    world.woo.sell(changed(901))
    world.woo.sell(changed(902))
    world.woo.refund("902", 801, line_315=1)
    world.wish(DOWNLOAD)
    assert known(world) == ["901"]
    arrive(world)
    assert known(world) == ["901", "902"]


def test_an_order_that_makes_no_sense_fails_alone(world):
    world.woo.sell(changed(901))
    world.woo.sell(changed(902, line_items=None))
    world.wish(DOWNLOAD)
    assert known(world) == ["901"]
    (fetch,) = [message for message in world.sent("inbox") if message["kind"] == "fetch-order"]
    assert fetch["order"] == "902"


def test_an_order_that_cannot_be_stored_now_is_left_to_a_message_of_its_own(world):
    world.woo.sell(changed(901))
    world.woo.sell(changed(902))
    real, failed = world.orders.save, []

    def save(order, version):
        if order.external_id == "902" and not failed:
            failed.append(True)
            raise Unavailable("not now")
        return real(order, version)

    world.orders.save = save
    world.wish(DOWNLOAD)
    assert known(world) == ["901"]
    arrive(world)
    assert known(world) == ["901", "902"]


def test_a_list_that_does_not_come_is_asked_for_again(world):
    world.woo.sell(changed(901))
    world.woo.fail("list", answer(503))
    with pytest.raises(Unavailable, match="did not list"):
        world.wish(DOWNLOAD)
    world.wish(DOWNLOAD)
    assert known(world) == ["901"]


# ---- When the sweep asks for a list


def sweep(world, at, **how):
    Sweep(world.orders, world.cases, world.registry, world.queues, world.clock).run(at, **how)
    found = [DownloadOrders.model_validate(one) for one in world.sent("inbox") if one["kind"] == "download-orders"]
    world.queues.drain("inbox")
    return [(one.shop, one.since, one.cursor) for one in found]


def test_every_quarter_of_an_hour_two_quarters_are_listed_of_shops_that_can_be(world):
    assert sweep(world, QUARTER + timedelta(seconds=7)) == [("woo-shop", QUARTER - timedelta(minutes=30), "")]
    for minutes in (5, 10):
        assert sweep(world, QUARTER + timedelta(minutes=minutes)) == []
    assert sweep(world, QUARTER + timedelta(minutes=15)) == [("woo-shop", QUARTER - timedelta(minutes=15), "")]


def test_at_midnight_two_days_are_listed(world):
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    assert sweep(world, midnight) == [("woo-shop", midnight - timedelta(days=2), "")]


def test_by_hand_it_is_as_long_as_the_look_back(world):
    assert sweep(world, None, period=timedelta(days=3)) == [("woo-shop", NOW - timedelta(days=3), "")]


def test_a_shop_of_a_channel_that_is_not_there_stops_no_sweep(world):
    world.registry.put(world.registry.shop("main-shop").model_copy(update={"channel": "gone"}))
    assert [shop for shop, *_ in sweep(world, QUARTER)] == ["woo-shop"]


def test_what_asks_a_marketplace_is_known_by_its_message():
    assert asks_a_marketplace(FETCH.model_dump_json())
    assert asks_a_marketplace(DOWNLOAD.model_dump_json())
    assert not asks_a_marketplace('{"kind":"webhook","body":"{\\"kind\\":\\"fetch-order\\"}"}')


# ---- A crash at any point


def _with_a_refund(world):
    placed(world)
    world.woo.refund(KEY.external_id, 801, line_316=1)
    push(world, refunds=[{"id": 801, "total": "-1.00"}])
    world.queues.drain("inbox")


def _deleted(world):
    placed(world)
    world.woo.orders.clear()


def _some_changed(world):
    for number in (901, 902):
        world.woo.sell(changed(number))


CRASHES = {
    "fetched": UseCase(_with_a_refund, lambda world: world.wish(FETCH)),
    "deleted": UseCase(_deleted, lambda world: world.wish(FETCH.model_copy(update={"deleted": True}))),
    "downloaded": UseCase(_some_changed, lambda world: world.wish(DOWNLOAD)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 4


def test_an_event_that_fails_does_not_lose_the_others_of_its_request(world):
    world.woo.sell(an_order())
    push(world)
    world.woo.refund(KEY.external_id, 801, line_316=1)

    def full(_order, _version):
        raise Unavailable("not now")

    world.orders.save = full
    with pytest.raises(Unavailable, match="not now"):
        world.wish(FETCH)
    assert [message["request"]["id"] for message in world.sent("after-sales")] == ["801"]
