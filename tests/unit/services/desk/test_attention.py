"""The lists of what needs a person: their order, their filters, and their pages."""

from dataclasses import replace

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.orders.attention import ORDER_KINDS, HoldReason, TaskKind
from dropship.domain.remedies.case import CASE_KINDS
from dropship.services.changing import change_order
from dropship.services.desk.ops import Ops
from tests.support.service_world import KEY, from_shop, lines


@pytest.fixture
def ops(world):
    return Ops(world.orders, world.cases, world.registry, world.queues, world.clock)


def change(world, what):
    """Change the example order as a worker would."""
    change_order(world.orders, KEY, world.moments, what)


@pytest.fixture
def three(world):
    """Three orders: one without a source, one without an address, one with two holds and a task that costs money."""
    world.inbox.handle(from_shop("orders/paid", id=2, line_items=lines(sku="X")))
    world.clock.advance(minutes=1)
    world.inbox.handle(from_shop("orders/paid", id=1, shipping_address=None))
    world.planning.plan(KEY._replace(external_id="2"))
    world.hear("orders/paid")
    for reason in (HoldReason.DISPATCH_FAILED, HoldReason.NO_SOURCE):
        change(world, lambda order, moment, reason=reason: order.hold(reason, moment, "why"))
    world.clock.advance(minutes=1)
    change(world, lambda order, moment: order.open_task(TaskKind.WAYBILL_REUSED, moment, "why"))


def listed(page):
    return [entry["order"] for entry in page["attention"]]


def test_what_needs_a_person_is_listed_the_most_urgent_first_then_the_newest(world, ops, three):
    page = ops.attention()
    assert page["attention"] == [
        {
            "order": str(KEY),
            "kind": "WAYBILL_REUSED",
            "kinds": ["WAYBILL_REUSED", "HOLD_DISPATCH_FAILED", "HOLD_NO_SOURCE"],
            "urgency": "MONEY",
            "since": world.clock.now().isoformat(),
        },
        *page["attention"][1:],
    ]
    assert [(entry["order"], entry["kinds"], entry["urgency"]) for entry in page["attention"][1:]] == [
        ("main-shop#2", ["HOLD_NO_SOURCE"], "GOODS"),
        ("main-shop#1", ["HOLD_ADDRESS_MISSING"], "GOODS"),
    ]
    assert "next" not in page


def test_an_order_is_found_by_each_of_its_kinds(ops, three):
    for kind in ("WAYBILL_REUSED", "HOLD_DISPATCH_FAILED", "HOLD_NO_SOURCE"):
        assert str(KEY) in listed(ops.attention(kind=kind)), kind
    assert listed(ops.attention(kind="HOLD_NO_SOURCE")) == [str(KEY), "main-shop#2"]
    assert listed(ops.attention(kind="SHIP_LATE")) == []


def test_a_list_can_be_narrowed_to_a_shop(ops, three):
    assert len(listed(ops.attention(shop="main-shop"))) == 3
    assert ops.attention(shop="second-shop") == {"attention": []}
    assert ops.attention(shop="second-shop", kind="HOLD_NO_SOURCE") == {"attention": []}


def test_a_list_is_read_page_by_page(ops, three):
    whole = listed(ops.attention())
    page, found = ops.attention(limit="1"), []
    while "next" in page:
        assert len(page["attention"]) == 1
        found += listed(page)
        page = ops.attention(limit="1", after=page["next"])
    assert found + listed(page) == whole


def test_the_next_page_begins_at_its_place_though_the_entry_before_it_was_seen_to(world, ops, three):
    first = ops.attention(limit="1")
    for kind in ("DISPATCH_FAILED", "NO_SOURCE"):
        change(world, lambda order, moment, kind=kind: order.release(kind, moment))
    change(world, lambda order, moment: order.close_tasks("WAYBILL_REUSED", moment, "ann"))
    assert listed(ops.attention(after=first["next"])) == ["main-shop#2", "main-shop#1"]


@pytest.mark.parametrize("ask", ["attention", "open_cases"])
@pytest.mark.parametrize(
    "after",
    [
        "",
        "next",
        "4.1763712930000.main-shop",
        "0.1763712930000.main-shop.1",
        "5.1763712930000.main-shop.1",
        "4.176371293000.main-shop.1",
        "4.17637129300001.main-shop.1",
        "4.-763712930000.main-shop.1",
        "٤.1763712930000.main-shop.1",
        "4.1763712930000.Main Shop.1",
        "4.1763712930000.main-shop.a#b",
        "4.1763712930000.main-shop.1\n",
        "4.1763712930000.main-shop." + "9" * 5000,
        "4.1763712930000.main-shop.1,4.1763712930000.main-shop.1",
        "eyJwayI6ICJPI21haW4tc2hvcCJ9",
        "{}",
    ],
)
def test_a_place_that_was_never_given_is_refused_before_anything_is_asked_and_not_quoted(ops, ask, after):
    with pytest.raises(InvalidMessage, match="`next` of another page") as refused:
        getattr(replace(ops, orders=None, cases=None), ask)(after=after)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize(
    "after", ["4.9999999999999.main-shop.1", "1.0000000000000.a.1", "3.1763712930000.gone.refund-1"]
)
def test_a_place_may_be_anywhere(ops, three, after):
    assert set(listed(ops.attention(after=after))) <= set(listed(ops.attention()))


def test_everything_that_can_need_a_person_can_be_asked_for(ops):
    for kind in ORDER_KINDS:
        assert ops.attention(kind=kind) == {"attention": []}
    for kind in CASE_KINDS:
        assert ops.open_cases(kind=kind) == {"cases": []}


def test_attention_of_an_unknown_kind_is_refused_with_those_there_are(ops):
    with pytest.raises(InvalidMessage, match="HOLD_NO_SOURCE"):
        ops.attention(kind="no such kind")
    with pytest.raises(InvalidMessage, match="CASE_OPEN, "):
        ops.open_cases(kind="HOLD_NO_SOURCE")


@pytest.mark.parametrize("shop", ["", "Main Shop", "s" * 3000, "a#b"])
def test_attention_of_what_cannot_be_a_shop_is_refused_before_anything_is_asked(ops, shop):
    asks_nobody = replace(ops, orders=None, cases=None)
    for ask in (asks_nobody.attention, asks_nobody.open_cases):
        with pytest.raises(InvalidMessage, match="shop's id"):
            ask(shop=shop)
