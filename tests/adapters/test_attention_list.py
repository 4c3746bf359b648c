"""The list of orders that need a person: the same behaviour in memory and in DynamoDB."""

from datetime import timedelta

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.attention import Attention, AttentionPage, AttentionQuery, Entry, Urgency
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.identity import OrderKey
from dropship.domain.orders.attention import HoldReason, TaskKind
from tests.support.aggregate_examples import NOON, order
from tests.support.fakes import FakeOrders

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb"])
def orders(request):
    if request.param == "memory":
        return FakeOrders()
    return DynamoOrders(ItemTable(request.getfixturevalue("tables")["OrdersTable"]))


def needing(orders, limit=10, **wanted):
    """Names of the orders of one page."""
    return [entry.name for entry in orders.needing_attention(AttentionQuery(limit, **wanted)).entries]


def page_by_page(orders, limit, **wanted):
    """Names of all pages together."""
    names, after = [], None
    while True:
        page = orders.needing_attention(AttentionQuery(limit, after=after, **wanted))
        assert len(page.entries) <= limit
        names += [entry.name for entry in page.entries]
        if page.next is None:
            return names
        after = page.next


def in_need(name, *kinds, shop="main-shop", age=1):
    """An order that needs a person for these holds and tasks, each `age` seconds old."""
    found, moment = order(OrderKey(shop, name)), Moment(NOON - age * SECOND, Deadlines())
    for kind in kinds:
        if kind in set(HoldReason):
            found.hold(kind, moment)
        else:
            found.open_task(kind, moment)
    return found


def test_orders_that_need_a_person_come_with_the_most_urgent_first_and_of_those_the_newest(orders):
    orders.save(in_need("old", HoldReason.NO_SOURCE, age=9), 0)
    orders.save(in_need("new", HoldReason.DISPATCH_FAILED, age=2), 0)
    orders.save(in_need("late", TaskKind.SHIP_LATE, age=1), 0)
    orders.save(in_need("money", TaskKind.WAYBILL_REUSED, TaskKind.SHIP_LATE, age=20), 0)
    orders.save(order(OrderKey("main-shop", "quiet")), 0)
    page = orders.needing_attention(AttentionQuery(10))
    assert page == AttentionPage(
        [
            listed("money", ("WAYBILL_REUSED", "SHIP_LATE"), Urgency.MONEY, 20),
            listed("new", ("HOLD_DISPATCH_FAILED",), Urgency.GOODS, 2),
            listed("old", ("HOLD_NO_SOURCE",), Urgency.GOODS, 9),
            listed("late", ("SHIP_LATE",), Urgency.DEADLINE, 1),
        ],
        None,
    )


def listed(name, kinds, urgency, age):
    key = OrderKey("main-shop", name)
    return Entry(str(key), key, Attention(kinds, urgency, NOON - age * SECOND))


def test_an_order_with_two_holds_and_a_task_is_found_by_each_of_the_three(orders):
    orders.save(in_need("three", HoldReason.NO_SOURCE, HoldReason.DISPATCH_FAILED, TaskKind.SHIP_LATE), 0)
    orders.save(in_need("one", HoldReason.NO_SOURCE, age=2), 0)
    assert needing(orders, kind="HOLD_NO_SOURCE") == ["main-shop#three", "main-shop#one"]
    assert needing(orders, kind="HOLD_DISPATCH_FAILED") == ["main-shop#three"]
    assert needing(orders, kind="SHIP_LATE") == ["main-shop#three"]
    assert needing(orders, kind="HOLD_SUPPLIER_REFUSED") == []


def test_a_kind_is_found_by_its_whole_name(orders):
    orders.save(in_need("a", TaskKind.DISPATCH_UNKNOWN), 0)
    assert needing(orders, kind="DISPATCH") == []


def test_the_list_of_a_shop_has_nothing_of_another(orders):
    orders.save(in_need("a", HoldReason.NO_SOURCE, shop="main-shop"), 0)
    orders.save(in_need("b", HoldReason.NO_SOURCE, shop="main-shop-2"), 0)
    orders.save(in_need("c", TaskKind.SHIP_LATE, shop="main-shop"), 0)
    assert needing(orders, shop="main-shop") == ["main-shop#a", "main-shop#c"]
    assert needing(orders, shop="main-shop", kind="SHIP_LATE") == ["main-shop#c"]
    assert needing(orders, shop="main-shop-2") == ["main-shop-2#b"]
    assert needing(orders, shop="gone") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_together_are_the_whole_list_each_entry_once(orders, limit):
    for number in range(12):  # some have the same time
        kind = (TaskKind.SHIP_LATE, HoldReason.NO_SOURCE, TaskKind.CANCEL_REFUSED)[number % 3]
        orders.save(in_need(str(number), kind, age=number % 4), 0)
    whole = needing(orders, 100)
    assert len(set(whole)) == 12
    assert page_by_page(orders, limit) == whole
    of_a_kind = [name for name in whole if int(name.partition("#")[2]) % 3 == 1]
    assert page_by_page(orders, limit, kind="HOLD_NO_SOURCE", shop="main-shop") == of_a_kind


def test_the_next_page_begins_after_an_entry_that_is_no_longer_there(orders):
    for age, name in enumerate(("a", "b", "c")):
        orders.save(in_need(name, HoldReason.NO_SOURCE, age=age), 0)
    first = orders.needing_attention(AttentionQuery(1))
    orders.save(order(OrderKey("main-shop", "a")), 1)
    assert needing(orders, after=first.next) == ["main-shop#b", "main-shop#c"]


def test_an_order_whose_last_hold_is_released_needs_nobody(orders):
    saved = order(missing=["city"])
    orders.save(saved, 0)
    saved.release("ADDRESS_MISSING", Moment(NOON, Deadlines()))
    orders.save(saved, 1)
    assert needing(orders) == []


def test_an_order_that_needs_somebody_for_something_else_is_found_by_that_alone(orders):
    saved = in_need("a", HoldReason.NO_SOURCE, TaskKind.WAYBILL_REUSED)
    orders.save(saved, 0)
    saved.close_tasks(TaskKind.WAYBILL_REUSED, Moment(NOON, Deadlines()), "ann")
    orders.save(saved, 1)
    assert needing(orders, kind="WAYBILL_REUSED") == []
    assert needing(orders, kind="HOLD_NO_SOURCE") == ["main-shop#a"]
