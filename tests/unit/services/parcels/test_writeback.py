"""Writeback: the marketplace is told of each parcel once, although its create call has no idempotency key."""

import pytest

from dropship.domain.deadlines import Deadlines
from dropship.ports import NotFound, Unavailable
from dropship.services.changing import change_order
from dropship.services.messages import TellMarketplace
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.interleaving import once_before
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import GREEN, KEY, PINK, WAYBILL, World

LEASE_S = Deadlines().writeback_lease.total_seconds()
THROTTLED = answer(200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})
REFUSAL = {"fulfillment": None, "userErrors": [{"message": "the order was cancelled"}]}
NO = answer(200, {"data": {"fulfillmentCreate": REFUSAL}})


@pytest.fixture
def world(world):
    world.shipped()
    return world


def told(world):
    with pytest.raises(Unavailable) as later:
        world.tell_marketplace()
    return later.value


def test_a_parcel_is_told_with_carrier_number_and_its_units(world):
    world.tell_marketplace()

    (wanted,) = world.shop.created
    assert wanted["trackingInfo"] == {"number": WAYBILL.number, "company": "YTO Express"}
    assert [line["quantity"] for line in wanted["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderLineItems"]] == [
        1,
        1,
    ]
    assert wanted["notifyCustomer"] is True
    assert (world.parcel.writeback, world.parcel.fulfilment) == ("DONE", "gid://shopify/Fulfillment/0")
    assert [operation for operation, _ in world.shop.asked] == ["ask", "create"]


def test_a_shop_that_mails_its_buyers_itself_says_so(world):
    world.registry.put(world.registry.shop("main-shop").model_copy(update={"notify_buyer": False}))
    world.tell_marketplace()
    assert world.shop.created[0]["notifyCustomer"] is False


def test_a_carrier_without_an_entry_is_shown_by_its_id(world):
    world.registry.entries = {key: entry for key, entry in world.registry.entries.items() if key[1] != "yto"}
    world.tell_marketplace()
    assert world.shop.created[0]["trackingInfo"]["company"] == "yto"


def test_a_repeat_asks_nobody(world):
    world.tell_marketplace()
    asked, version = len(world.shop.asked), world.version
    world.tell_marketplace()
    assert (len(world.shop.asked), world.version) == (asked, version)


def test_what_the_marketplace_knows_already_is_not_created_again(world):
    world.shop.created.append({"trackingInfo": {"number": WAYBILL.number}})
    world.tell_marketplace()
    assert world.shop.requests("create") == []
    assert (world.parcel.writeback, world.parcel.fulfilment) == ("DONE", "gid://shopify/Fulfillment/0")


def test_each_of_two_parcels_is_told_with_its_own_units():
    world = World()
    world.dispatched()
    for number, line in (("A1", PINK), ("A2", GREEN)):
        rows = [{"line": line, "quantity": 1}]
        world.supplier_says("shipped", shipment={"carrier": "YTO", "tracking_number": number, "lines": rows})
    world.arrive("outbound")
    assert world.shop.told == ["A1", "A2"]
    assert world.shop.units == {PINK: 0, GREEN: 0}


# ---- The marketplace is busy


@pytest.mark.parametrize("operation", ["ask", "create"])
@pytest.mark.parametrize(
    ("failure", "wait_s"),
    [(answer(429, retry_after="7"), 7), (answer(503), 0), (THROTTLED, 0), (REFUSED_CONNECTION, 0)],
)
def test_a_marketplace_that_is_busy_is_told_later_by_whoever_comes_first(world, operation, failure, wait_s):
    world.shop.fail(operation, failure)
    assert told(world).retry_after == wait_s
    assert world.parcel.writeback == "DUE"
    assert world.unseen() == []

    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


@pytest.mark.parametrize("failure", [LOST, answer(500), answer(200, {"data": {"order": 7}})])
def test_a_question_without_an_answer_has_no_effect_and_is_asked_again(world, failure):
    world.shop.fail("ask", failure)
    told(world)
    assert world.parcel.writeback == "DUE"
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


# ---- The outcome is unknown


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
@pytest.mark.parametrize("failure", [LOST, answer(500), answer(502), answer(200, {})])
def test_an_unknown_outcome_is_not_repeated_before_the_lease_is_over_and_then_looked_up(world, failure, took):
    world.shop.fail("create", failure, after=took)
    assert told(world).retry_after > LEASE_S
    assert world.parcel.writeback == "SENDING"

    asked = len(world.shop.asked)
    world.clock.advance(seconds=LEASE_S - 1)
    told(world)
    assert len(world.shop.asked) == asked, "nobody is asked while the first may be under way"

    world.clock.advance(seconds=2)
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]
    assert world.parcel.writeback == "DONE"


def test_two_workers_at_once_create_once(world):
    once_before(world.http, "send", lambda: told(world))
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


def test_a_worker_slower_than_its_lease_finds_the_work_done_and_records_nothing(world):
    def meanwhile():
        world.clock.advance(seconds=LEASE_S)
        world.tell_marketplace()

    once_before(world.http, "send", meanwhile)
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]
    assert [event.kind for event in world.order.timeline].count("written_back") == 1


def test_two_workers_that_begin_in_the_same_moment_create_once(world):
    once_before(world.orders, "save", world.tell_marketplace)
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


def test_a_worker_that_died_is_followed_after_its_lease(world):
    world.shop.fail("ask", answer(429))
    told(world)
    change_order(
        world.orders,
        KEY,
        world.moments,
        lambda order, moment: order.parcels[0].begin_writeback(moment),
    )
    assert told(world).retry_after == LEASE_S
    world.clock.advance(seconds=LEASE_S)
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


# ---- The marketplace refuses


def test_a_no_becomes_a_task_with_the_marketplaces_words(world):
    world.shop.fail("create", NO)
    world.tell_marketplace()
    world.tell_marketplace()
    assert world.parcel.writeback == "REFUSED"
    assert world.tasks() == {"WRITEBACK_REFUSED": "the order was cancelled"}
    assert len(world.shop.requests("create")) == 1


def test_an_order_the_marketplace_does_not_know_becomes_a_task(world):
    world.shop.fail("ask", answer(200, {"data": {"order": None}}))
    world.tell_marketplace()
    assert world.tasks() == {"WRITEBACK_REFUSED": "Shopify does not know the order"}


def test_a_parcel_of_which_nothing_is_open_becomes_a_task_and_is_not_sent(world):
    world.shop.units = {PINK: 0, GREEN: 0}
    world.tell_marketplace()
    assert world.tasks() == {"WRITEBACK_REFUSED": "the marketplace waits for none of the parcel's units"}
    assert world.shop.created == []


def test_units_refunded_at_the_marketplace_are_left_out(world):
    world.shop.units[GREEN] = 0
    world.tell_marketplace()
    (wanted,) = world.shop.created
    assert len(wanted["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderLineItems"]) == 1


# ---- Something is missing


def test_a_parcel_that_is_not_there_is_over(world):
    version = world.version
    world.writeback.handle(TellMarketplace(order=str(KEY), carrier="yto", number="none"))
    assert (world.version, world.shop.asked) == (version, [])


def test_an_order_that_is_not_there_yet_is_waited_for():
    with pytest.raises(Unavailable, match="not known yet"):
        World().tell_marketplace()


def test_without_credentials_nothing_is_sent_and_the_parcel_stays_to_be_told(world):
    del world.secrets.known["api/shopify/main-shop"]
    with pytest.raises(NotFound):
        world.tell_marketplace()
    assert world.shop.asked == []
    assert world.parcel.writeback in {"DUE", "SENDING"}
    assert world.unseen() == []


# ---- A crash at any point


def again_after_the_lease(prepare):
    return UseCase(prepare, World.tell_marketplace, pause_s=LEASE_S, again=(Unavailable,))


def unknown(took):
    def prepare(world):
        world.shipped()
        world.shop.fail("create", LOST, after=took)

    return prepare


def refused(world):
    world.shipped()
    world.shop.fail("create", NO, NO)


CRASHES = {
    "told": again_after_the_lease(World.shipped),
    "refused": again_after_the_lease(refused),
    "unknown, and it took effect": again_after_the_lease(unknown(took=True)),
    "unknown, and it did not": again_after_the_lease(unknown(took=False)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 10
