"""After-sales cases: the same behaviour in memory and in DynamoDB."""

from datetime import timedelta

import pytest

from dropship.adapters.dynamodb_cases import DynamoCases
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.stamps import SHARDS
from dropship.adapters.stored_format import FORMAT
from dropship.domain.attention import Attention, AttentionPage, AttentionQuery, Entry, Urgency
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.identity import OrderKey
from dropship.ports import Conflict, Loaded, Unavailable
from tests.support.aggregate_examples import KEY, NOON, case
from tests.support.fakes import FakeCases

NAME = ("main-shop", "refund-509562969")
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb"])
def cases(request):
    if request.param == "memory":
        return FakeCases()
    return DynamoCases(ItemTable(request.getfixturevalue("tables")["CasesTable"]))


def due(cases, now):
    return [name for shard in range(SHARDS) for name in cases.due(shard, now)]


def test_a_case_is_loaded_as_it_was_saved(cases):
    assert cases.load(*NAME) is None
    assert cases.save(case(), 0) == 1
    assert cases.load(*NAME) == Loaded(case(), 1)


def test_the_same_case_id_in_another_shop_is_another_case(cases):
    cases.save(case(), 0)
    assert cases.save(case(shop="second-shop"), 0) == 1
    assert cases.load("second-shop", NAME[1]).value.shop == "second-shop"


@pytest.mark.parametrize("expected", [0, 2])
def test_a_save_on_another_version_than_the_stored_one_is_a_conflict(cases, expected):
    cases.save(case(), 0)
    with pytest.raises(Conflict):
        cases.save(case(), expected)


def test_a_case_is_due_from_its_clock_on_until_it_is_finished(cases):
    opened = case()
    cases.save(opened, 0)
    deadline = NOON + Deadlines().after_sales
    assert due(cases, deadline - SECOND) == []
    assert due(cases, deadline) == [NAME]
    opened.decide("approve", "ops", "", Moment(NOON, Deadlines()))
    cases.save(opened, 1)
    assert due(cases, deadline + timedelta(days=400)) == []


def listed(name, kind, urgency, at, shop="main-shop"):
    return Entry(f"{shop}#refund-{name}", OrderKey(shop, KEY.external_id), Attention((kind,), urgency, at))


def test_cases_come_with_their_orders_the_most_urgent_first_and_of_those_the_newest(cases):
    cases.save(case("1", NOON - 2 * SECOND), 0)
    cases.save(case("2", NOON - SECOND), 0)
    unpaid = case("3", NOON - 3 * SECOND).model_copy(update={"amount": None})
    unpaid.decide("approve", "ann", "", Moment(NOON, Deadlines()))
    cases.save(unpaid, 0)
    cases.save(case("4", shop="second-shop", at=NOON - 4 * SECOND), 0)
    expected = [
        listed("3", "CASE_REFUNDING", Urgency.MONEY, NOON),
        listed("2", "CASE_OPEN", Urgency.DEADLINE, NOON - SECOND),
        listed("1", "CASE_OPEN", Urgency.DEADLINE, NOON - 2 * SECOND),
        listed("4", "CASE_OPEN", Urgency.DEADLINE, NOON - 4 * SECOND, "second-shop"),
    ]
    assert cases.needing_attention(AttentionQuery(10)) == AttentionPage(expected, None)
    assert cases.needing_attention(AttentionQuery(10, kind="CASE_OPEN")).entries == expected[1:]
    assert cases.needing_attention(AttentionQuery(10, shop="second-shop")).entries == expected[3:]
    first = cases.needing_attention(AttentionQuery(1))
    assert first == AttentionPage(expected[:1], expected[0].position)
    assert cases.needing_attention(AttentionQuery(10, after=first.next)).entries == expected[1:]


def test_a_case_that_ended_needs_nobody(cases):
    opened = case()
    cases.save(opened, 0)
    opened.decide("approve", "ann", "", Moment(NOON, Deadlines()))
    cases.save(opened, 1)
    assert cases.needing_attention(AttentionQuery(10)) == AttentionPage([], None)


def test_a_case_in_a_format_of_tomorrow_is_tried_again(tables):
    items = ItemTable(tables["CasesTable"])
    cases = DynamoCases(items)
    cases.save(case(), 0)
    item = dict(items.read("C#main-shop#refund-509562969", "STATE"))
    item["body"] = {"B": bytes([FORMAT + 1]) + item["body"]["B"][1:]}
    items.put_if(item, "attribute_exists(pk)")
    with pytest.raises(Unavailable, match="C#main-shop#refund-509562969: its body was written by a newer version"):
        cases.load(*NAME)
