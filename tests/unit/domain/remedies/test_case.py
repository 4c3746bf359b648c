import pytest

from dropship.domain.errors import IllegalTransition
from dropship.domain.exchange.marketplace import AfterSalesRequested, RefundedUnits
from dropship.domain.lifecycle import AFTER_SALES_CASE
from dropship.domain.money import Money
from dropship.domain.remedies.case import CASE_EVENTS, Case
from tests.support.order_examples import DEADLINES, at

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
    return Case.open(request, at(), DEADLINES)


def check(case):
    assert (case.due is None) == (case.due_at is None) == case.finished
    assert case.status in AFTER_SALES_CASE.table or case.finished
    assert Case.model_validate_json(case.model_dump_json(exclude_defaults=True)) == case


def tell(case, *events, hours=1):
    for event in events:
        case.tell(event, "ann", at(hours), DEADLINES)
        check(case)


def late(case):
    ran_out = case.overdue(case.due, DEADLINES)
    check(case)
    return ran_out


def test_a_case_opens_with_the_platforms_clock_and_counts_units_by_line():
    case = opened(reason="x" * 9_999)
    assert (case.id, case.units, len(case.reason)) == ("refund-890088186047892319", {"L1": 3}, 500)
    assert case.due == at() + DEADLINES.after_sales
    assert case.attention == ("CASE_OPEN", at())
    check(case)


def test_the_history_names_the_person_of_each_step_that_a_person_took():
    case = opened("return")
    case.decide("approve", "boss", "", at(1), DEADLINES)
    tell(case, "buyer_shipped")
    assert [(entry.what, entry.about) for entry in case.timeline] == [
        ("opened", ""),
        ("agree_return", "boss"),
        ("buyer_shipped", "ann"),
    ]


def test_a_refund_that_is_approved_is_settled_since_the_money_has_moved():
    case = opened()
    case.decide("approve", "ops@example.com", "broken on arrival", at(1), DEADLINES)
    assert (case.status, case.decided_by, case.attention) == ("REFUNDED", "ops@example.com", None)
    check(case)


def test_a_refusal_stands_once_the_buyer_lets_the_appeal_pass():
    case = opened()
    case.decide("refuse", "ops", "used for a year", at(1), DEADLINES)
    assert case.due == at(1) + DEADLINES.appeal
    assert late(case)
    assert case.status == "CLOSED"


@pytest.mark.parametrize(("ruling", "end"), [("ruled_for_buyer", "REFUNDED"), ("ruled_for_merchant", "CLOSED")])
def test_an_appeal_ends_with_the_platforms_ruling(ruling, end):
    case = opened()
    case.decide("refuse", "ops", "", at(1), DEADLINES)
    tell(case, "buyer_escalates")
    assert case.attention[0] == "CASE_DISPUTED"
    tell(case, ruling)
    assert case.status == end


@pytest.mark.parametrize(("kind", "then"), [("refund", "REFUNDED"), ("return", "WAIT_BUYER_RETURN")])
def test_silence_agrees_as_the_platform_would(kind, then):
    case = opened(kind)
    assert not case.overdue(at(), DEADLINES), "not yet"
    assert late(case)
    assert case.status == then


def test_a_return_goes_its_way_to_the_refund_and_never_out_of_sight():
    case = opened("return")
    case.decide("approve", "ops", "", at(1), DEADLINES)
    assert case.due == at(1) + DEADLINES.buyer_return
    tell(case, "buyer_shipped", "received")
    assert case.attention[0] == "CASE_INSPECTING"
    tell(case, "pass_refund")
    assert (case.status, case.attention[0]) == ("REFUNDING", "CASE_REFUNDING")
    late(case)
    assert case.status == "REFUNDING", "nobody but a person knows that the money moved"
    tell(case, "refund_failed", "retry", "refund_ok")
    assert case.status == "REFUNDED"


def test_a_buyer_who_sends_nothing_back_closes_the_case():
    case = opened("return")
    case.decide("approve", "ops", "", at(1), DEADLINES)
    late(case)
    assert case.status == "CLOSED"


def test_goods_that_nobody_confirmed_count_as_received():
    case = opened("return")
    case.decide("approve", "ops", "", at(1), DEADLINES)
    tell(case, "buyer_shipped")
    late(case)
    assert case.status == "REFUNDING"


@pytest.mark.parametrize(("kind", "amount"), [("refund", PAID), ("refund", None), ("return", None)])
def test_units_withdrawn_in_time_settle_the_case(kind, amount):
    case = opened(kind, amount)
    case.withdrawn_in_time(at(1), DEADLINES)
    assert case.status == "REFUNDED"
    case.withdrawn_in_time(at(2), DEADLINES)
    check(case)


def test_units_withdrawn_after_a_refusal_change_nothing():
    case = opened()
    case.decide("refuse", "ops", "", at(1), DEADLINES)
    case.withdrawn_in_time(at(2), DEADLINES)
    assert case.status == "REJECTED"


def test_a_decided_case_takes_no_second_decision():
    case = opened()
    case.decide("refuse", "ops", "", at(1), DEADLINES)
    with pytest.raises(IllegalTransition, match="waits for no decision"):
        case.decide("approve", "ops", "", at(2), DEADLINES)
    assert case.decided_by == "ops"
    tell(case, "merchant_reopens")
    case.decide("approve", "boss", "", at(3), DEADLINES)
    assert case.decided_by == "boss"


def test_a_person_reports_only_what_people_see():
    case = opened()
    for event in ("merchant_timeout", "agree_refund", "no such event"):
        with pytest.raises(IllegalTransition):
            case.tell(event, "ann", at(1), DEADLINES)
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
        for event in sorted(CASE_EVENTS):
            if AFTER_SALES_CASE.allows(case.status, event):
                later.append(case.model_copy(deep=True))
                tell(later[-1], event)
        if case.status == "OPEN":
            for decision in ("approve", "refuse"):
                later.append(case.model_copy(deep=True))
                later[-1].decide(decision, "ops", "", at(), DEADLINES)
        if not case.finished:
            by_time = case.model_copy(deep=True)
            late(by_time)
            assert later or by_time.status != case.status, f"{case.status} is a dead end"
            assert by_time.status != case.status or case.attention, f"{case.status} waits for nobody, for ever"
            later.append(by_time)
        found += later
