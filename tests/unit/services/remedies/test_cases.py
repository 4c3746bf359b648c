"""After-sales cases: each is decided once, by a person or by the clock, and its workflow is answered."""

from typing import get_args

import pytest
from pydantic import ValidationError

from dropship.domain.exchange.marketplace import AfterSalesRequested, RefundedUnits
from dropship.domain.remedies.case import REPORTED_STEPS
from dropship.domain.remedies.lifecycle import CaseStep
from dropship.services.messages import CaseDue, DecideCase, OpenCase, TellCase
from tests.support.crashing import Dies, Fuse
from tests.support.interleaving import once_before
from tests.support.service_world import CASE, KEY, NOW, PINK

NAME = f"{KEY.shop}#{CASE}"
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
    return [event.kind for event in case.timeline]


@pytest.fixture
def shipped(world):
    """A refund of an order that is on its way: a person has to decide."""
    world.shipped()
    world.refund(PINK)
    return world


# ---- Decisions


@pytest.mark.parametrize("times", [1, 3])
def test_an_approved_refund_is_settled_once(shipped, times):
    for _ in range(times):
        shipped.tell(APPROVE)
    assert (shipped.case.decided_by, shipped.case.decision, shipped.case.words) == ("ann", "approve", "photos seen")
    assert shipped.case.status == "REFUNDED"
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


@pytest.mark.parametrize("event", sorted({*get_args(CaseStep), "no such event"} - REPORTED_STEPS))
def test_an_event_that_people_do_not_report_is_no_message(event):
    with pytest.raises(ValidationError, match="event"):
        TellCase(case=NAME, event=event, by="ann")


@pytest.mark.parametrize("event", ["received", "retry", "buyer_escalates"])
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


def test_recording_does_what_a_process_that_died_left_undone(shipped):
    shipped.fuse = Fuse(at=1, side="after")
    with pytest.raises(Dies, match=r"after cases\.save"):
        shipped.tell(APPROVE)
    assert outcomes(shipped) == {CASE: ""}
    assert shipped.after_sales.record(NAME) == "REFUNDED"
    assert outcomes(shipped) == {CASE: "REFUNDED"}


def test_recording_a_case_that_outlived_its_workflow_leaves_it_open_under_its_own_clock(shipped):
    assert shipped.after_sales.record(NAME) == "OPEN"
    assert outcomes(shipped) == {CASE: ""}
    assert shipped.case.due is not None
