import pytest

from dropship.domain.attention import Urgency
from dropship.domain.deadlines import Moment
from dropship.domain.errors import IllegalTransition
from dropship.domain.exchange.marketplace import AfterSalesRequested, RefundedUnits
from dropship.domain.money import Money
from dropship.domain.remedies.case import REPORTED_STEPS, Case, reported_step
from dropship.domain.remedies.lifecycle import AFTER_SALES_CASE
from tests.support.order_examples import DEADLINES, at, moment

PAID = Money(minor=1990, currency="EUR")


def opened(kind="refund", amount=PAID, **other):
    request = AfterSalesRequested(
        kind=kind,
        id="890088186047892319",
        shop="main-shop",
        order="820982911946154508",
        requested_at=at(),
        units=(RefundedUnits(line="L1", quantity=1), RefundedUnits(line="L1", quantity=2)),
        amount=amount if kind == "refund" else None,
        **other,
    )
    case = Case.open(request, moment())
    case.arm(moment())
    return case


def saved(case, now):
    """Arm the case's clock, as a save does, then check the case."""
    case.arm(now)
    assert (case.due is None) == (case.due_at is None) == case.finished
    assert case.status in AFTER_SALES_CASE.table or case.finished
    assert Case.model_validate_json(case.model_dump_json(exclude_defaults=True)) == case


def tell(case, *events, hours=1):
    for event in events:
        case.tell(event, "ann", moment(hours))
        saved(case, moment(hours))


def late(case):
    now = Moment(case.due, DEADLINES)
    case.overdue(now)
    saved(case, now)
    assert case.due is None or case.due > now.now


def test_a_case_opens_with_the_platforms_clock_and_counts_units_by_line():
    case = opened(reason="x" * 9_999)
    assert (case.id, case.units, len(case.reason)) == ("refund-890088186047892319", {"L1": 3}, 500)
    assert case.due == at() + DEADLINES.after_sales
    assert case.attention == (("CASE_OPEN",), Urgency.DEADLINE, at())
    saved(case, moment())


def test_the_history_names_the_person_of_each_step_that_a_person_took():
    case = opened("return")
    case.decide("approve", "boss", "", moment(1))
    saved(case, moment(1))
    tell(case, "buyer_shipped")
    assert [(event.kind, event.by) for event in case.timeline] == [
        ("opened", ""),
        ("agree_return", "boss"),
        ("buyer_shipped", "ann"),
    ]


def test_a_refund_that_is_approved_is_settled_since_the_money_has_moved():
    case = opened()
    case.decide("approve", "ops@example.com", "broken on arrival", moment(1))
    saved(case, moment(1))
    assert (case.status, case.decided_by, case.attention) == ("REFUNDED", "ops@example.com", None)
    saved(case, moment())


def test_a_refusal_stands_once_the_buyer_lets_the_appeal_pass():
    case = opened()
    case.decide("refuse", "ops", "used for a year", moment(1))
    saved(case, moment(1))
    assert case.due == at(1) + DEADLINES.appeal
    late(case)
    assert case.status == "CLOSED"


@pytest.mark.parametrize(("ruling", "end"), [("ruled_for_buyer", "REFUNDED"), ("ruled_for_merchant", "CLOSED")])
def test_an_appeal_ends_with_the_platforms_ruling(ruling, end):
    case = opened()
    case.decide("refuse", "ops", "", moment(1))
    saved(case, moment(1))
    tell(case, "buyer_escalates")
    assert case.attention == (("CASE_DISPUTED",), Urgency.DEADLINE, at(1))
    tell(case, ruling)
    assert case.status == end


@pytest.mark.parametrize(("kind", "then"), [("refund", "REFUNDED"), ("return", "WAIT_BUYER_RETURN")])
def test_silence_agrees_as_the_platform_would(kind, then):
    case = opened(kind)
    before = case.model_copy(deep=True)
    case.overdue(moment())
    assert case == before, "not yet"
    late(case)
    assert case.status == then


def test_a_return_goes_its_way_to_the_refund_and_never_out_of_sight():
    case = opened("return")
    case.decide("approve", "ops", "", moment(1))
    saved(case, moment(1))
    assert case.due == at(1) + DEADLINES.buyer_return
    tell(case, "buyer_shipped", "received")
    assert case.attention.kinds == ("CASE_INSPECTING",)
    tell(case, "pass_refund")
    assert (case.status, case.attention) == ("REFUNDING", (("CASE_REFUNDING",), Urgency.MONEY, at(1)))
    needed = case.attention
    late(case)
    assert case.status == "REFUNDING", "nobody but a person knows that the money moved"
    assert case.attention == needed, "a reminder is no news"
    tell(case, "refund_failed", "retry", "refund_ok")
    assert case.status == "REFUNDED"


def test_a_buyer_who_sends_nothing_back_closes_the_case():
    case = opened("return")
    case.decide("approve", "ops", "", moment(1))
    saved(case, moment(1))
    late(case)
    assert case.status == "CLOSED"


def test_goods_that_nobody_confirmed_count_as_received():
    case = opened("return")
    case.decide("approve", "ops", "", moment(1))
    saved(case, moment(1))
    tell(case, "buyer_shipped")
    late(case)
    assert case.status == "REFUNDING"


@pytest.mark.parametrize(("kind", "amount"), [("refund", PAID), ("refund", None), ("return", None)])
def test_units_withdrawn_in_time_settle_the_case(kind, amount):
    case = opened(kind, amount)
    case.withdrawn_in_time(moment(1))
    saved(case, moment(1))
    assert case.status == "REFUNDED"
    case.withdrawn_in_time(moment(2))
    saved(case, moment(2))
    saved(case, moment())


def test_units_withdrawn_after_a_refusal_change_nothing():
    case = opened()
    case.decide("refuse", "ops", "", moment(1))
    saved(case, moment(1))
    case.withdrawn_in_time(moment(2))
    saved(case, moment(2))
    assert case.status == "REJECTED"


def test_a_decided_case_takes_no_second_decision():
    case = opened()
    case.decide("refuse", "ops", "", moment(1))
    saved(case, moment(1))
    with pytest.raises(IllegalTransition, match="waits for no decision"):
        case.decide("approve", "ops", "", moment(2))
    assert case.decided_by == "ops"
    tell(case, "merchant_reopens")
    case.decide("approve", "boss", "", moment(3))
    saved(case, moment(3))
    assert case.decided_by == "boss"


def test_a_person_reports_only_what_people_see():
    case = opened()
    for event in ("merchant_timeout", "agree_refund", "no such event"):
        assert reported_step(event) is None
    for event in ("received", "refund_ok", "merchant_reopens"):
        with pytest.raises(IllegalTransition):
            case.tell(event, "ann", moment(1))
    tell(case, "withdraw")
    assert case.status == "WITHDRAWN"
    with pytest.raises(IllegalTransition):
        tell(case, "withdraw")


def test_every_state_a_person_can_lead_to_has_a_way_on_by_time_or_by_a_person():
    seen, found = set(), [opened(), opened("return"), opened("refund", None)]
    while found:
        case = found.pop()
        if (case.kind, case.amount, case.status) in seen:
            continue
        seen.add((case.kind, case.amount, case.status))
        later = []
        for event in sorted(REPORTED_STEPS):
            if AFTER_SALES_CASE.allows(case.status, event):
                later.append(case.model_copy(deep=True))
                tell(later[-1], event)
        if case.status == "OPEN":
            for decision in ("approve", "refuse"):
                later.append(case.model_copy(deep=True))
                later[-1].decide(decision, "ops", "", moment())
        if not case.finished:
            by_time = case.model_copy(deep=True)
            late(by_time)
            assert later or by_time.status != case.status, f"{case.status} is a dead end"
            assert by_time.status != case.status or case.attention, f"{case.status} waits for nobody, for ever"
            later.append(by_time)
        found += later


def test_a_save_on_the_way_does_not_put_the_clock_off_even_when_it_has_run_out():
    case = opened()
    for hours in (5, 49):
        case.remember_workflow(f"token {hours}")
        saved(case, moment(hours))
        assert case.due == at() + DEADLINES.after_sales
    case.overdue(moment(49))
    assert case.status == "REFUNDED"
