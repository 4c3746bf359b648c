"""A writeback that takes several requests: the parcel is told once, whatever happens between two requests."""

import pytest

from dropship.domain.deadlines import Deadlines
from dropship.ports import Unavailable
from tests.support import made_up
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import World
from tests.support.woocommerce import KEY, MORE, NUMBER, PINK, order_of, placed, push, shipped, tell

LEASE_S = Deadlines().writeback_lease.total_seconds()
TOLD = f"Shipped by YTO Express, tracking number {NUMBER}"


@pytest.fixture
def world(world):
    placed(world)
    shipped(world)
    return world


def operations(world):
    return [operation for operation, _ in world.woo.asked]


def parcel(world, number=NUMBER):
    return order_of(world).parcel("yto", number)


def test_the_last_parcel_is_told_by_the_status_and_a_note(world):
    tell(world)
    assert operations(world) == ["order", "notes", "status", "note"]
    assert world.woo.mails == ["completed", TOLD]
    assert (parcel(world).writeback, parcel(world).fulfilment) == ("DONE", "281")
    tell(world)
    assert len(operations(world)) == 4


def test_our_own_completed_needs_nobody(world):
    tell(world)
    push(world, status="completed", date_modified_gmt="2026-11-21T09:00:00")
    assert (order_of(world).status, order_of(world).tasks) == ("SHIPPED", [])


def test_a_shop_that_mails_its_buyers_itself_gets_a_private_note(world):
    world.registry.put(world.registry.shop(KEY.shop).model_copy(update={"notify_buyer": False}))
    tell(world)
    assert world.woo.mails == ["completed"]
    assert world.woo.notes[0]["note"] == TOLD


def test_a_first_parcel_leaves_the_status_and_the_last_one_sets_it():
    world = World()
    placed(world)
    shipped(world, "A1", line_315=2)
    tell(world, "A1")
    assert world.woo.orders["727"]["status"] == "processing"
    shipped(world, "A2", line_316=1)
    tell(world, "A2")
    assert world.woo.orders["727"]["status"] == "completed"
    assert [note["note"].rpartition(" ")[2] for note in world.woo.notes] == ["A1", "A2"]
    assert {line.id: line.units.open for line in order_of(world).lines} == {PINK: 2, MORE: 1}


@pytest.mark.parametrize("status", ["on-hold", "cancelled", "refunded", "completed"])
def test_an_order_that_somebody_put_elsewhere_stays_there(world, status):
    world.woo.orders["727"]["status"] = status
    tell(world)
    assert (world.woo.orders["727"]["status"], operations(world)) == (status, ["order", "notes", "note"])


@pytest.mark.parametrize("step", ["status", "note"])
@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
@pytest.mark.parametrize("failure", [LOST, answer(500), answer(200, {}), answer(502)])
def test_an_unknown_step_is_looked_up_after_the_lease_and_nothing_is_told_twice(world, step, failure, took):
    world.woo.fail(step, failure, after=took)
    with pytest.raises(Unavailable):
        tell(world)
    assert parcel(world).writeback == "SENDING"
    world.clock.advance(seconds=LEASE_S)
    tell(world)
    assert world.woo.mails == ["completed", TOLD]
    assert parcel(world).writeback == "DONE"


@pytest.mark.parametrize("step", ["order", "notes", "status", "note"])
def test_a_busy_step_is_told_by_whoever_comes_next(world, step):
    world.woo.fail(step, answer(429, retry_after="7"))
    with pytest.raises(Unavailable) as later:
        tell(world)
    assert later.value.retry_after == 7
    tell(world)
    assert world.woo.mails == ["completed", TOLD]


@pytest.mark.parametrize("step", ["order", "notes"])
@pytest.mark.parametrize("failure", [LOST, answer(500), answer(200, {"x": 1})])
def test_a_question_without_an_answer_has_no_effect(world, step, failure):
    world.woo.fail(step, failure)
    with pytest.raises(Unavailable):
        tell(world)
    assert parcel(world).writeback == "DUE"
    tell(world)
    assert world.woo.mails == ["completed", TOLD]


@pytest.mark.parametrize("step", ["status", "note"])
def test_a_no_to_a_step_is_a_task_with_the_marketplaces_words(world, step):
    world.woo.fail(step, answer(400, {"code": "rest_invalid_param", "message": "Invalid parameter(s): status"}))
    tell(world)
    (task,) = order_of(world).tasks
    assert (task.kind, task.detail) == (
        "WRITEBACK_REFUSED",
        "WooCommerce answered 400: Invalid parameter(s): status",
    )


def test_an_order_that_is_gone_there_is_a_task(world):
    world.woo.orders.clear()
    tell(world)
    assert [task.detail for task in order_of(world).tasks] == ["WooCommerce does not know the order"]


def test_a_marketplace_that_nobody_tells_is_told_by_a_person(world):
    assert "doudian" in made_up.CHANNELS
    world.registry.put(world.registry.shop(KEY.shop).model_copy(update={"channel": "doudian"}))
    tell(world)
    assert [task.detail for task in order_of(world).tasks] == [
        "doudian is not told of parcels by us: enter the number there yourself"
    ]


def _told(world):
    placed(world)
    shipped(world)


def _begun(world):
    _told(world)
    world.woo.fail("note", LOST, after=True)


def _half_told(world):
    _told(world)
    world.woo.fail("note", LOST)


@pytest.mark.parametrize("prepare", [_told, _begun, _half_told])
def test_a_crash_anywhere_between_the_requests_ends_with_one_note(prepare):
    use_case = UseCase(prepare, tell, pause_s=LEASE_S, again=(Unavailable,))
    assert survives_every_crash(use_case, World) >= 8
