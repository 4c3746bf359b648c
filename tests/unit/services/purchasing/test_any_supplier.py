"""Placing and cancelling use only the port `Suppliers`: here with each of its answers, and without HTTP."""

import pytest

from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.ports import NotFound, Unavailable
from dropship.services.messages import CancelOrder
from dropship.services.purchasing.dispatch import OutcomeUnknown, SupplierBusy
from tests.support.crashing import UseCase, survives_every_crash
from tests.support.fakes import FakeSuppliers
from tests.support.interleaving import once_before
from tests.support.service_world import KEY, PO, World
from tests.support.submitting import REPEATED, submit

CANCEL = CancelOrder(order=str(KEY))
NO, WAIT, SILENCE = Refused(words="sold out"), Busy(why="the supplier is on holiday"), Unknown(why="no answer")


def reached_in_memory():
    """A world whose suppliers are reached without HTTP."""
    return World(in_memory=FakeSuppliers())


@pytest.fixture
def planned():
    world = reached_in_memory()
    planning(world)
    yield world
    assert world.http.asked == []


@pytest.fixture
def placed(planned):
    assert submit(planned) == "DISPATCHED"
    planned.in_memory.asked.clear()
    return planned


def planning(world):
    world.hear("orders/paid")
    world.planned = world.plan()


# ---- Placing


def test_placed(planned):
    assert submit(planned) == "DISPATCHED"
    assert planned.in_memory.asked == [("place", PO)]
    assert planned.purchase_order.supplier_reference == "SO-1"
    (kept,) = planned.in_memory.orders.values()
    assert (kept.request.order_number, kept.request.recipient.address1) == ("#9999", "123 Shipping Street")
    assert kept.request.packing_note == "No price list in the parcel, please."


def test_refused(planned):
    planned.in_memory.answer("place", NO)
    assert submit(planned) == "CANCELLED"
    assert planned.held() == {"SUPPLIER_REFUSED": "sold out"}


def test_busy(planned):
    planned.in_memory.answer("place", WAIT)
    with pytest.raises(SupplierBusy, match="on holiday"):
        submit(planned)
    assert planned.purchase_order.status == "DISPATCHING"
    assert submit(planned) == "DISPATCHED"
    assert planned.in_memory.asked == [("place", PO), ("find", PO), ("place", PO)]


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_unknown_is_looked_up_before_it_is_placed_again(planned, took):
    planned.in_memory.answer("place", SILENCE, after=took)
    with pytest.raises(OutcomeUnknown):
        submit(planned)
    assert planned.purchase_order.status == "DISPATCH_UNKNOWN"
    assert submit(planned) == "DISPATCHED"
    again = [] if took else [("place", PO)]
    assert planned.in_memory.asked == [("place", PO), ("find", PO), *again]
    assert planned.in_memory.open == [PO]


@pytest.mark.parametrize("answer", [WAIT, SILENCE])
def test_a_look_up_without_a_clear_answer_places_nothing(planned, answer):
    planned.in_memory.answer("place", SILENCE, after=True)
    planned.in_memory.answer("find", answer)
    for _ in range(2):
        with pytest.raises(REPEATED):
            submit(planned)
    assert planned.in_memory.asked == [("place", PO), ("find", PO)]


@pytest.mark.parametrize("error", [NotFound("no such secret"), Unavailable("not now")])
def test_a_supplier_that_cannot_be_asked_is_placed_with_later(planned, error):
    planned.in_memory.out_of_reach = error
    with pytest.raises(type(error)):
        submit(planned)
    planned.in_memory.out_of_reach = None
    assert submit(planned) == "DISPATCHED"


def test_two_workers_with_the_same_plan_place_it_once(planned):
    once_before(planned.in_memory, "place", lambda: submit(planned))
    assert submit(planned) == "DISPATCHED"
    assert planned.in_memory.open == [PO]


# ---- Cancelling


def test_agreed_to(placed):
    placed.cancellation.cancel(KEY)
    assert (placed.in_memory.open, placed.order.status) == ([], "CANCELLED")


def test_refused_is_for_a_person(placed):
    placed.in_memory.cancels = "no"
    placed.cancellation.cancel(KEY)
    assert placed.tasks() == {"CANCEL_REFUSED": "already packed"}


def test_answered_later_is_not_asked_again_before_that(placed):
    placed.in_memory.cancels = "later"
    for _ in range(2):
        placed.cancellation.cancel(KEY)
    assert placed.in_memory.asked == [("cancel", PO)]
    assert placed.purchase_order.status == "CANCEL_REQUESTED"


@pytest.mark.parametrize(("answer", "words"), [(WAIT, "on holiday"), (SILENCE, "gave no answer")])
def test_no_clear_answer_is_asked_again(placed, answer, words):
    placed.in_memory.answer("cancel", answer)
    with pytest.raises(Unavailable, match=words):
        placed.cancellation.cancel(KEY)
    assert placed.cancellation.check(KEY).key == KEY
    assert (placed.in_memory.open, placed.order.status) == ([], "CANCELLED")


# ---- A crash at any point


def refusing(world):
    planning(world)
    world.in_memory.answer("place", NO, NO)


def placing(world):
    planning(world)
    submit(world)


CRASHES = {
    "a fresh claim": UseCase(planning, submit),
    "refused": UseCase(refusing, submit),
    "cancelled": UseCase(placing, lambda world: world.tell(CANCEL)),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_try(name):
    assert survives_every_crash(CRASHES[name], reached_in_memory) >= 4
