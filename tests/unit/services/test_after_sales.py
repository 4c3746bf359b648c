"""After-sales: one case for each refund or return, and nothing is both refunded and sent if that can be helped."""

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.marketplace import AfterSalesRequested, RefundedUnits
from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder, CaseDue, CheckWithdrawals, DecideCase, OpenCase, TellCase
from tests.unit.services.crashing import UseCase, survives_every_crash
from tests.unit.services.interleaving import once_before
from tests.unit.services.partners import LOST, REFUSED_CONNECTION, answer
from tests.unit.services.world import (
    CASE,
    GREEN,
    KEY,
    NOW,
    PINK,
    PO,
    PO_OF_BOLT,
    World,
    lines,
    order_of_two_suppliers,
)

NAME = f"{KEY.shop}#{CASE}"
CANCEL = CancelOrder(order=str(KEY))
CHECK = CheckWithdrawals(order=str(KEY))
DUE = CaseDue(case=NAME)
APPROVE = DecideCase(case=NAME, decision="approve", by="ann", words="photos seen")
REFUSE = DecideCase(case=NAME, decision="refuse", by="ann", words="used goods")
RETURN = AfterSalesRequested(
    kind="return",
    id=CASE.removeprefix("refund-"),
    shop=KEY.shop,
    order=KEY.external_id,
    requested_at=NOW,
    units=(RefundedUnits(line=PINK, quantity=1),),
)
RETURN_NAME = NAME.replace("refund", "return")


def outcomes(world):
    return {remedy.case: remedy.outcome for remedy in world.order.remedies}


def stations(case):
    return [entry.what for entry in case.timeline]


@pytest.fixture
def shipped(world):
    """A refund of an order that is on its way: a person has to decide."""
    world.shipped()
    world.refund(PINK)
    return world


# ---- Opening


def test_a_refund_that_comes_five_times_is_one_case_with_one_workflow(world):
    world.shipped()
    for _ in range(5):
        world.refund(PINK)
    assert stations(world.case) == ["opened"]
    assert world.workflows.cases == [NAME]
    assert len(world.order.remedies) == 1


def test_two_workers_with_the_same_refund_open_one_case(world):
    world.shipped()
    once_before(world.cases, "save", lambda: world.refund(PINK))
    world.refund(PINK)
    assert stations(world.case) == ["opened"]
    assert world.workflows.cases == [NAME]


def test_a_refund_of_an_order_that_is_not_there_yet_is_waited_for_and_leaves_nothing(world):
    with pytest.raises(Unavailable, match="not known yet"):
        world.refund(PINK)
    assert (list(world.cases.all()), world.workflows.cases) == ([], [])


def test_a_return_waits_for_a_person_and_takes_nothing_out_of_the_order(world):
    world.hear("orders/paid")
    order = world.order
    world.tell(OpenCase(request=RETURN))
    assert next(world.cases.all()).status == "OPEN"
    assert world.order == order


# ---- A refund before the claim


def test_a_refund_before_the_claim_takes_its_units_out_and_ends_its_case(world):
    world.hear("orders/paid")
    world.refund(PINK)
    assert world.case.status == "REFUNDED"
    assert outcomes(world) == {CASE: "REFUNDED"}
    assert world.dispatch() == ["DISPATCHED"]
    assert [line["line"] for line in world.acme.orders[PO]["request"]["lines"]] == [GREEN]


def test_a_refund_of_everything_before_the_claim_cancels_the_order(world):
    world.hear("orders/paid")
    world.refund(PINK, GREEN)
    assert world.order.status == "CANCELLED"
    assert world.plan()[1] == []


def test_a_refund_between_plan_and_claim_stops_the_dispatch(world):
    world.hear("orders/paid")
    fence, (planned,) = world.plan()
    world.refund(PINK)
    assert world.submission.submit(KEY, fence, planned) == "STALE"
    assert world.acme.asked == []


def test_a_refund_while_the_claim_is_saved_is_asked_of_the_supplier(world):
    world.hear("orders/paid")
    once_before(world.orders, "save", world.dispatch)
    world.refund(PINK, GREEN)
    assert world.acme.open == []
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")


# ---- A refund after the claim


def test_after_the_claim_a_suppliers_yes_ends_the_case(world):
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.acme.requests("cancel") == [PO]
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")


def test_after_the_claim_a_suppliers_no_leaves_it_to_a_person(world):
    world.acme.cancels = "no"
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.case.status == "OPEN"
    assert world.tasks() == {"CANCEL_REFUSED": "already packed"}
    world.supplier_says("shipped")
    assert world.order.status == "SHIPPED"


def test_a_supplier_that_answers_later_ends_the_case_later(world):
    world.acme.cancels = "later"
    world.dispatched()
    world.refund(PINK, GREEN)
    assert world.purchase_order.status == "CANCEL_REQUESTED"
    assert world.case.status == "OPEN"

    world.supplier_says("cancelled")
    world.arrive("after-sales")
    assert (world.order.status, world.case.status) == ("CANCELLED", "REFUNDED")
    assert outcomes(world) == {CASE: "REFUNDED"}


def test_a_refund_of_a_part_of_a_purchase_order_asks_no_supplier(world):
    world.dispatched()
    world.refund(PINK)
    assert world.acme.requests("cancel") == []
    assert world.case.status == "OPEN"


def test_of_two_suppliers_only_the_one_with_the_refunded_goods_is_asked(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.refund(GREEN)
    assert (world.acme.asked, world.bolt.requests("cancel")) == ([("place", PO)], [PO_OF_BOLT])
    assert world.case.status == "REFUNDED"
    assert world.order.status == "IN_FULFILMENT"


@pytest.mark.parametrize("failure", [LOST, REFUSED_CONNECTION, answer(503), answer(500), answer(200, {})])
@pytest.mark.parametrize("took", [True, False], ids=["it took effect", "it did not"])
def test_a_cancellation_without_an_answer_is_asked_again(world, failure, took):
    world.dispatched()
    world.acme.fail("cancel", failure, after=took)
    with pytest.raises(Unavailable, match="gave no answer"):
        world.tell(CANCEL)
    assert world.purchase_order.status == "CANCEL_REQUESTED"
    assert world.order.due is not None

    world.tell(CANCEL)
    assert world.acme.open == []
    assert world.order.status == "CANCELLED"


def test_after_shipping_a_refund_waits_for_a_person(shipped):
    assert shipped.case.status == "OPEN"
    assert shipped.case.attention is not None
    assert shipped.acme.requests("cancel") == []


# ---- The whole order is cancelled


def test_a_cancelled_order_asks_each_of_its_suppliers(world):
    world.hear("orders/paid", **order_of_two_suppliers())
    world.dispatch()
    world.tell(CANCEL)
    world.tell(CANCEL)
    assert (world.acme.requests("cancel"), world.bolt.requests("cancel")) == ([PO], [PO_OF_BOLT])
    assert world.order.status == "CANCELLED"


def test_a_cancellation_after_shipping_needs_a_person(world):
    world.shipped()
    for _ in range(2):
        world.tell(CANCEL)
    assert list(world.tasks()) == ["CANCEL_REFUSED"]
    assert world.order.status == "SHIPPED"


def test_a_cancellation_before_the_claim_asks_nobody(world):
    world.hear("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    world.tell(CANCEL)
    assert world.order.status == "CANCELLED"


@pytest.mark.parametrize("message", [CANCEL, CHECK, DUE, APPROVE])
def test_what_is_not_there_yet_is_waited_for(world, message):
    with pytest.raises(Unavailable, match="not known yet"):
        world.tell(message)


@pytest.mark.parametrize("name", ["", "main-shop", "main-shop#", "#refund-1", "a#b#c", "UPPER#1", "main-shop#a.b"])
def test_a_name_that_is_no_case_is_refused(world, name):
    with pytest.raises(InvalidMessage, match="not a case"):
        world.tell(CaseDue(case=name))


# ---- Decisions


@pytest.mark.parametrize("times", [1, 3])
def test_an_approved_refund_is_settled_once(shipped, times):
    for _ in range(times):
        shipped.tell(APPROVE)
    assert (shipped.case.status, shipped.case.decided_by, shipped.case.decision) == ("REFUNDED", "ann", "photos seen")
    assert outcomes(shipped) == {CASE: "REFUNDED"}
    assert stations(shipped.case) == ["opened", "agree_refund", "refund_ok"]


def test_a_refusal_waits_for_the_buyer_and_then_closes(shipped):
    shipped.tell(REFUSE)
    assert shipped.case.status == "REJECTED"
    assert outcomes(shipped) == {CASE: ""}
    shipped.clock.time = shipped.case.due
    shipped.tell(DUE)
    assert outcomes(shipped) == {CASE: "CLOSED"}


@pytest.mark.parametrize(("first", "second", "status"), [(APPROVE, REFUSE, "REFUNDED"), (REFUSE, APPROVE, "REJECTED")])
def test_the_first_of_two_decisions_counts(shipped, first, second, status):
    shipped.tell(first)
    shipped.tell(second)
    assert shipped.case.status == status


def test_two_people_who_decide_at_once_decide_once(shipped):
    once_before(shipped.cases, "save", lambda: shipped.tell(REFUSE))
    shipped.tell(APPROVE)
    assert shipped.case.status == "REJECTED"
    assert outcomes(shipped) == {CASE: ""}


def test_an_approved_return_is_followed_to_its_end(world):
    world.shipped()
    world.tell(OpenCase(request=RETURN))
    world.tell(DecideCase(case=RETURN_NAME, decision="approve", by="ann"))
    for event in ("buyer_shipped", "received", "pass_refund", "refund_ok"):
        for _ in range(2):
            world.tell(TellCase(case=RETURN_NAME, event=event, by="ann"))
    assert next(world.cases.all()).status == "REFUNDED"
    assert outcomes(world) == {RETURN_NAME.partition("#")[2]: "REFUNDED"}


@pytest.mark.parametrize("event", ["received", "agree_refund", "no such event"])
def test_an_event_that_cannot_happen_now_changes_nothing(shipped, event):
    before = shipped.case
    shipped.tell(TellCase(case=NAME, event=event, by="ann"))
    assert shipped.case == before


def test_a_case_nobody_decides_in_time_is_decided_as_the_platform_would(shipped):
    shipped.tell(DUE)
    assert shipped.case.status == "OPEN", "not before its time"
    shipped.clock.time = shipped.case.due
    for _ in range(2):
        shipped.tell(DUE)
    assert shipped.case.status == "REFUNDED"
    assert "merchant_timeout" in stations(shipped.case)
    assert outcomes(shipped) == {CASE: "REFUNDED"}


# ---- The workflow of a case


def test_a_waiting_workflow_is_answered_when_the_case_ends(shipped):
    shipped.after_sales.await_outcome(NAME, "token-1")
    assert shipped.workflows.finished == {}
    shipped.tell(APPROVE)
    assert shipped.workflows.finished == {"token-1": {"status": "REFUNDED"}}


def test_a_workflow_that_starts_to_wait_after_the_end_is_answered_at_once(shipped):
    shipped.tell(APPROVE)
    shipped.after_sales.await_outcome(NAME, "token-1")
    assert shipped.workflows.finished == {"token-1": {"status": "REFUNDED"}}


def test_a_case_that_ends_while_the_token_is_saved_is_answered(shipped):
    once_before(shipped.cases, "save", lambda: shipped.tell(APPROVE))
    shipped.after_sales.await_outcome(NAME, "token-1")
    assert shipped.workflows.finished == {"token-1": {"status": "REFUNDED"}}


def test_a_refund_settled_before_its_workflow_waits_is_answered_at_once(world):
    world.hear("orders/paid")
    world.refund(PINK)
    world.after_sales.await_outcome(NAME, "token-1")
    assert world.workflows.finished == {"token-1": {"status": "REFUNDED"}}


def test_the_token_is_no_part_of_a_message_or_of_the_order(shipped):
    shipped.after_sales.await_outcome(NAME, "token-1")
    assert "token-1" not in shipped.order.model_dump_json()
    assert not [message for message in shipped.queues.sent if "token-1" in message.body]


def test_recording_an_ended_case_puts_it_into_the_ledger_once(shipped):
    shipped.tell(APPROVE)
    version = shipped.version
    assert shipped.after_sales.record(NAME) == "REFUNDED"
    assert shipped.version == version


def test_recording_a_case_that_outlived_its_workflow_leaves_it_open_under_its_own_clock(shipped):
    assert shipped.after_sales.record(NAME) == "OPEN"
    assert outcomes(shipped) == {CASE: ""}
    assert shipped.case.due is not None


# ---- However the process ends


def opened(prepare):
    def prepared(world):
        prepare(world)
        world.hear(
            "refunds/create", refund_line_items=[{"line_item_id": each, "quantity": 1} for each in (PINK, GREEN)]
        )
        world.messages = world.queues.take("after-sales")

    def deliver(world):
        world.queues.sent = [message for message in world.queues.sent if message.queue != "after-sales"]
        for body in world.messages:
            world.queues.send("after-sales", body)
        world.arrive("after-sales")

    return UseCase(prepared, deliver, pause_s=5, again=(Unavailable,))


def slow(world):
    world.acme.cancels = "later"
    world.dispatched()


def unwilling(world):
    world.acme.cancels = "no"
    world.dispatched()


def silent(world):
    world.dispatched()
    world.acme.fail("cancel", LOST, after=True)


def waiting(world):
    world.shipped()
    world.refund(PINK)
    world.after_sales.await_outcome(NAME, "token-1")


def answered_later(world):
    slow(world)
    world.refund(PINK, GREEN)
    world.supplier_says("cancelled")
    world.queues.take("after-sales")


def overdue(world):
    waiting(world)
    world.clock.time = world.case.due


CRASHES = {
    "a refund before the claim": opened(lambda world: world.hear("orders/paid")),
    "a refund, and the supplier says yes": opened(World.dispatched),
    "a refund, and the supplier says no": opened(unwilling),
    "a refund, and the supplier says nothing": opened(silent),
    "a refund, and the supplier answers later": opened(slow),
    "a refund after shipping": opened(World.shipped),
    "a cancellation": UseCase(World.dispatched, lambda world: world.tell(CANCEL)),
    "a cancellation after shipping": UseCase(World.shipped, lambda world: world.tell(CANCEL)),
    "the supplier's yes, later": UseCase(answered_later, lambda world: world.tell(CHECK)),
    "approved": UseCase(waiting, lambda world: world.tell(APPROVE)),
    "refused": UseCase(waiting, lambda world: world.tell(REFUSE)),
    "overdue": UseCase(overdue, lambda world: world.tell(DUE)),
    "awaited": UseCase(
        lambda world: (World.shipped(world), world.refund(PINK), world.tell(APPROVE)),
        lambda world: world.after_sales.await_outcome(NAME, "token-1"),
    ),
    "recorded": UseCase(waiting, lambda world: world.after_sales.record(NAME)),
}


@pytest.mark.parametrize("use_case", CRASHES.values(), ids=CRASHES)
def test_a_crash_anywhere_is_repaired_by_the_next_delivery(use_case):
    assert survives_every_crash(use_case, World) >= 2
