"""Submission while the order changes, the supplier fails, or the process ends."""

import pytest

from dropship.domain.deadlines import Moment
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.orders.attention import HoldReason
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder
from dropship.services.changing import change_order
from dropship.services.purchasing.dispatch import STALE_DELAY_S, OutcomeUnknown, SupplierBusy
from tests.support.crashing import Dies, Fuse, UseCase, survives_every_crash
from tests.support.interleaving import once_before
from tests.support.order_examples import DEADLINES
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import KEY, NOW, PO, World, lines
from tests.support.submitting import CANCEL, NO, REPEATED, give_up, submit
from tests.support.submitting import planned as planned_order


@pytest.fixture
def planned():
    return planned_order()


# ---- The order has changed


def test_a_plan_made_before_a_change_is_stale_places_nothing_and_asks_for_a_new_one(planned):
    planned.hear("orders/updated")
    assert submit(planned) == "STALE"
    assert planned.acme.asked == []
    (again,) = planned.queues.sent
    assert (again.queue, again.delay_s) == ("inbox", STALE_DELAY_S)
    assert planned.sent("inbox")[0] == {"kind": "dispatch-again", "order": str(KEY), "by": "a change during dispatch"}


def test_an_order_cancelled_between_plan_and_claim_is_not_placed(planned):
    planned.hear("orders/cancelled")
    assert submit(planned) == "STALE"
    assert (planned.acme.asked, planned.order.status) == ([], "CANCELLED")


def test_a_change_between_load_and_claim_is_seen(planned):
    once_before(planned.orders, "save", lambda: planned.hear("orders/updated"))
    assert submit(planned) == "STALE"
    assert planned.acme.asked == []


def test_a_hold_between_plan_and_claim_stops_it(planned):
    change_order(
        planned.orders,
        KEY,
        planned.moments,
        lambda order, _: order.hold(HoldReason.DISPATCH_FAILED, Moment(NOW, DEADLINES), "wait"),
    )
    assert submit(planned) == "ON_HOLD"
    assert planned.acme.asked == []
    assert planned.queues.sent == []


def test_an_address_that_is_gone_holds_the_order(planned):
    version, _ = planned.orders.recipients[KEY]
    planned.orders.recipients[KEY] = (version, Recipient())
    assert submit(planned) == "ON_HOLD"
    assert planned.held() == {"ADDRESS_MISSING": "missing: name, address1, city, country_code"}
    assert planned.acme.asked == []


def test_two_workers_with_the_same_plan_place_it_under_one_key(planned):
    once_before(planned.http, "send", lambda: submit(planned))
    assert submit(planned) == "DISPATCHED"
    assert planned.acme.open == [PO]
    assert set(planned.acme.requests("place")) == {PO}


def test_a_plan_that_wants_more_units_than_there_are_is_stale(planned):
    fence, (one,) = planned.planned
    doubled = [line.model_copy(update={"quantity": 2}) for line in one.lines]
    assert planned.submission.submit(KEY, fence, one.model_copy(update={"lines": tuple(doubled)}), "worker") == "STALE"


def test_an_id_that_is_not_ours_places_nothing(planned):
    fence, (one,) = planned.planned
    with pytest.raises(InvalidMessage):
        planned.submission.submit(KEY, fence, PlannedPurchaseOrder(id="x", lines=one.lines), "worker")
    assert planned.acme.asked == []


# ---- Taken back meanwhile


def test_what_is_taken_back_before_it_was_placed_is_not_placed_and_after_sales_is_told(planned):
    planned.acme.fail("place", answer(503))
    with pytest.raises(SupplierBusy):
        submit(planned)
    planned.tell(CANCEL)
    assert planned.purchase_order.cancel == "WANTED"

    assert submit(planned) == "CANCELLED"
    assert planned.acme.requests("place") == [PO], "only the first, which was refused for now"
    assert planned.order.status == "CANCELLED"
    assert planned.kinds("after-sales") == ["check-withdrawals"]


def test_what_is_taken_back_while_the_supplier_answers_is_told_to_after_sales(planned):
    once_before(planned.http, "send", lambda: planned.tell(CANCEL))
    assert submit(planned) == "DISPATCHED"
    assert planned.kinds("after-sales") == ["check-withdrawals"]
    assert submit(planned) == "DISPATCHED"
    assert planned.kinds("after-sales") == 2 * ["check-withdrawals"], "a repeat tells again: the first may be lost"


# ---- Giving up


def test_giving_up_before_the_claim_holds_the_order(planned):
    for _ in range(2):
        assert give_up(planned, "Unavailable") == "ON_HOLD"
    assert planned.held() == {"DISPATCH_FAILED": "Unavailable"}
    assert planned.unseen() == []


@pytest.mark.parametrize(("failure", "task"), [(LOST, "DISPATCH_UNKNOWN"), (answer(503), "SUPPLIER_BUSY")])
def test_giving_up_after_the_claim_asks_a_person_and_leaves_the_clock_running(planned, failure, task):
    planned.acme.fail("place", failure)
    with pytest.raises(REPEATED):
        submit(planned)
    for _ in range(2):
        give_up(planned)
    assert planned.tasks() == {task: "SupplierBusy"}
    assert planned.held() == {}
    assert planned.order.needs_dispatch
    assert planned.unseen() == []

    assert submit(planned) == "DISPATCHED"
    assert planned.tasks() == {}


def test_giving_up_on_what_was_placed_after_all_changes_nothing(planned):
    submit(planned)
    version = planned.version
    assert give_up(planned) == "DISPATCHED"
    assert planned.version == version


def test_giving_up_on_a_cancelled_order_changes_nothing(planned):
    planned.hear("orders/cancelled")
    give_up(planned)
    assert planned.held() == {}


# ---- A crash at any point


def once(*failures, after=False):
    def prepare(world):
        world.hear("orders/paid")
        world.planned = world.plan()
        world.acme.fail("place", *failures, after=after)

    return prepare


def taken_back(world):
    once(answer(503))(world)
    with pytest.raises(SupplierBusy):
        submit(world)
    world.tell(CANCEL)


def stale(world):
    once()(world)
    world.hear("orders/updated")


def no_source(world):
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))


CRASHES = {
    "a fresh claim": UseCase(once(), submit),
    "refused": UseCase(once(NO, NO), submit),
    "busy": UseCase(once(answer(503)), submit, again=REPEATED),
    "taken back": UseCase(taken_back, submit),
    "stale": UseCase(stale, submit),
    "given up": UseCase(once(), give_up),
    "no source": UseCase(no_source, lambda world: world.plan()),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_workflows_retry(name):
    assert survives_every_crash(CRASHES[name], World) >= 4


@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_an_unknown_outcome_and_a_crash_on_top_of_it_place_once(took):
    """The number of look-ups may differ, and so may the timeline. The supplier's orders and the units may not."""
    for at in range(8):
        world = World()
        once(LOST, after=took)(world)
        with pytest.raises(OutcomeUnknown):
            submit(world)
        world.fuse = Fuse(at=at, side="after")
        for _ in range(3):
            try:
                submit(world)
            except (Dies, *REPEATED):
                continue
        assert world.purchase_order.status == "DISPATCHED"
        assert world.acme.open == [PO]
        assert len(world.acme.requests("place")) <= 3


# ---- Two executions at once


def another_tries(world):
    fence, (one, *_) = world.planned
    return world.submission.submit(KEY, fence, one, "another execution")


def test_while_one_worker_places_another_neither_looks_nor_places(planned):
    def meanwhile():
        with pytest.raises(SupplierBusy, match="another worker"):
            another_tries(planned)

    once_before(planned.http, "send", meanwhile)
    assert submit(planned) == "DISPATCHED"
    assert [operation for operation, _ in planned.acme.asked] == ["place"]


def test_a_cancellation_while_the_request_is_under_way_drops_nothing_that_may_arrive(planned):
    def meanwhile():
        planned.hear("orders/cancelled")
        with pytest.raises(SupplierBusy):
            another_tries(planned)

    once_before(planned.http, "send", meanwhile)
    assert submit(planned) == "DISPATCHED"
    assert planned.acme.open == [PO]
    planned.after_sales.handle(CANCEL)
    assert planned.acme.open == []
    assert planned.order.status == "CANCELLED"


@pytest.mark.parametrize("failure", [LOST, answer(503)])
def test_when_a_try_is_over_another_worker_may_follow_at_once(planned, failure):
    planned.acme.fail("place", failure)
    with pytest.raises(REPEATED):
        submit(planned)
    assert another_tries(planned) == "DISPATCHED"
    assert planned.acme.open == [PO]


def test_a_worker_that_died_is_followed_by_another_after_its_lease(planned):
    once_before(planned.http, "send", lambda: (_ for _ in ()).throw(Dies))
    with pytest.raises(Dies):
        submit(planned)
    with pytest.raises(SupplierBusy):
        another_tries(planned)
    planned.clock.advance(seconds=46)
    assert another_tries(planned) == "DISPATCHED"


def test_a_supplier_that_has_what_it_refused_stops_the_next_purchase_order(planned):
    planned.acme.fail("place", NO, after=True)
    submit(planned)
    planned.supplier_says("acknowledged", reference=PO)
    assert "SUPPLIER_CONTRADICTS" in planned.held()


def test_a_failed_plan_holds_the_order(planned):
    assert planned.submission.give_up(KEY, "", "NotFound") == "ON_HOLD"
    assert planned.held() == {"DISPATCH_FAILED": "NotFound"}


def test_a_failed_plan_of_an_order_that_is_all_placed_needs_nobody(planned):
    submit(planned)
    assert planned.submission.give_up(KEY, "", "NotFound") == "IN_FULFILMENT"
    assert (planned.held(), planned.tasks()) == ({}, {})


@pytest.mark.parametrize(("failure", "task"), [(LOST, "DISPATCH_UNKNOWN"), (answer(503), "SUPPLIER_BUSY")])
def test_a_failed_plan_asks_a_person_about_what_is_in_dispatch(planned, failure, task):
    planned.acme.fail("place", failure)
    with pytest.raises(REPEATED):
        submit(planned)
    planned.submission.give_up(KEY, "", "NotFound")
    assert planned.held() == {}
    assert list(planned.tasks()) == [task]
