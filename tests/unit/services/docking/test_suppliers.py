"""The port `Suppliers`: the same behaviour in memory and behind an API."""

from dataclasses import dataclass

import pytest

from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.suppliers import (
    CancelAccepted,
    CancelPending,
    Placed,
    PurchaseLine,
    PurchaseOrderRequest,
)
from dropship.domain.money import Money
from dropship.ports import NotFound, Suppliers, Unavailable
from dropship.services.docking import Dockings
from tests.support.fakes import FakeSuppliers
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import PO, PO_OF_BOLT, World, seed

ACME, BOLT = seed().suppliers
NO, WAIT, SILENCE = Refused(words="sold out"), Busy(retry_after=7), Unknown(why="the answer did not come")


def request(reference):
    line = PurchaseLine(line="1", supplier_sku="A-1", quantity=2, unit_cost=Money(minor=1250, currency="USD"))
    return PurchaseOrderRequest(id=reference, order_number="#1", lines=(line,), recipient=Recipient(name="Ann"))


@dataclass
class InMemory:
    """The fake, and ways to make it answer in a certain way."""

    port: FakeSuppliers

    def answers(self, question, outcome, *, after=False):
        self.port.answer(question, outcome, after=after)

    def will_cancel(self, how):
        self.port.cancels = how

    def lose_the_key(self):
        self.port.out_of_reach = NotFound("no such secret")

    def cannot_read_the_key(self):
        self.port.out_of_reach = Unavailable("not now")

    @property
    def asked(self):
        return self.port.asked

    @property
    def open(self):
        return self.port.open


@dataclass
class BehindAnApi:
    """The docking for APIs, and ways to make the supplier behind it answer in a certain way."""

    world: World

    @property
    def port(self) -> Suppliers:
        return Dockings(self.world)

    def answers(self, question, outcome, *, after=False):
        said = {
            NO: answer(422, {"error": {"message": "sold out"}}),
            WAIT: answer(429, retry_after="7"),
            SILENCE: LOST,
        }
        self.world.acme.fail(question, said[outcome], after=after)

    def will_cancel(self, how):
        self.world.acme.cancels = how

    def lose_the_key(self):
        self.world.secrets.known.pop("api/supplier-v1/acme")

    def cannot_read_the_key(self):
        self.world.secrets.down = True

    @property
    def asked(self):
        return self.world.acme.asked

    @property
    def open(self):
        return self.world.acme.open


@pytest.fixture(params=["memory", "api"])
def acme(request):
    return InMemory(FakeSuppliers()) if request.param == "memory" else BehindAnApi(World())


QUESTIONS = {
    "place": lambda port, supplier=ACME: port.place(supplier, request(PO)),
    "find": lambda port, supplier=ACME: port.find(supplier, PO),
    "cancel": lambda port, supplier=ACME: port.cancel(supplier, PO),
}
every_question = pytest.mark.parametrize("question", QUESTIONS)


def test_what_is_placed_is_told_under_our_reference_and_the_suppliers_number(acme):
    assert acme.port.place(ACME, request(PO)) == Placed(purchase_order=PO, supplier_reference="SO-1")
    assert (acme.asked, acme.open) == ([("place", PO)], [PO])


def test_what_is_placed_again_is_the_same_purchase_order(acme):
    first = acme.port.place(ACME, request(PO))
    assert acme.port.place(ACME, request(PO)) == first
    assert acme.open == [PO]


def test_another_reference_is_another_purchase_order(acme):
    acme.port.place(ACME, request(PO))
    second = acme.port.place(ACME, request(PO.replace(".1.1", ".1.2")))
    assert second.supplier_reference == "SO-2"
    assert len(acme.open) == 2


def test_a_look_up_finds_what_was_placed_and_nothing_else(acme):
    assert acme.port.find(ACME, PO) == Absent()
    placed = acme.port.place(ACME, request(PO))
    assert acme.port.find(ACME, PO) == placed
    assert acme.port.find(ACME, PO.replace(".1.1", ".1.2")) == Absent()


def test_what_is_at_one_supplier_is_not_at_another(acme):
    acme.port.place(ACME, request(PO))
    assert acme.port.find(BOLT, PO) == Absent()


def test_a_no_leaves_nothing_at_the_supplier(acme):
    acme.answers("place", NO)
    assert acme.port.place(ACME, request(PO)) == NO
    assert acme.port.find(ACME, PO) == Absent()


@every_question
def test_a_supplier_that_is_busy_says_when_to_come_again_and_did_nothing(acme, question):
    if question == "cancel":
        acme.port.place(ACME, request(PO))
    before = list(acme.open)
    acme.answers(question, WAIT)
    assert QUESTIONS[question](acme.port) == WAIT
    assert acme.open == before


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_a_silence_is_an_answer_and_a_look_up_tells_what_it_means(acme, took):
    acme.answers("place", SILENCE, after=took)
    assert acme.port.place(ACME, request(PO)) == SILENCE
    found = acme.port.find(ACME, PO)
    assert found == (Placed(purchase_order=PO, supplier_reference="SO-1") if took else Absent())


@pytest.mark.parametrize(
    ("how", "expected", "left"),
    [("yes", CancelAccepted(), []), ("no", Refused(words="already packed"), [PO]), ("later", CancelPending(), [PO])],
)
def test_a_cancellation_is_agreed_to_refused_or_answered_later(acme, how, expected, left):
    acme.port.place(ACME, request(PO))
    acme.will_cancel(how)
    for _ in range(2):
        assert acme.port.cancel(ACME, PO) == expected
    assert acme.open == left


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_a_silence_about_a_cancellation_is_asked_again_without_harm(acme, took):
    acme.port.place(ACME, request(PO))
    acme.answers("cancel", SILENCE, after=took)
    assert acme.port.cancel(ACME, PO) == SILENCE
    assert acme.open == ([] if took else [PO])
    assert acme.port.cancel(ACME, PO) == CancelAccepted()
    assert acme.open == []


@every_question
def test_without_credentials_nothing_is_asked(acme, question):
    acme.lose_the_key()
    with pytest.raises(NotFound):
        QUESTIONS[question](acme.port)
    assert acme.asked == []


@every_question
def test_credentials_that_cannot_be_read_now_are_an_error_that_passes(acme, question):
    acme.cannot_read_the_key()
    with pytest.raises(Unavailable):
        QUESTIONS[question](acme.port)
    assert acme.asked == []


# ---- Cases that only an API has


def test_each_question_goes_to_the_suppliers_own_address_with_its_own_key():
    world = World()
    world.acme.orders[PO] = {"request": {}, "cancelled": False}
    for supplier, reference in ((ACME, PO), (BOLT, PO_OF_BOLT)):
        Dockings(world).find(supplier, reference)
    told = [(asked.base_url, asked.request.headers["authorization"]) for asked in world.http.asked]
    assert told == [(each.base_url, f"Bearer key-of-{each.id}") for each in (ACME, BOLT)]


@every_question
def test_a_connection_that_was_never_made_reached_nobody(question):
    world = World()
    world.acme.fail(question, REFUSED_CONNECTION)
    assert QUESTIONS[question](Dockings(world)) == Busy()
