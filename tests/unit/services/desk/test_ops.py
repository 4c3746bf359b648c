"""The back office: what it shows, what it refuses and why, and one message for each wish."""

from dataclasses import replace
from datetime import datetime

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.orders.attention import HoldReason
from dropship.domain.remedies.case import REPORTED_STEPS
from dropship.ports import NotFound, Unavailable
from dropship.services.changing import change_order
from dropship.services.desk.ops import DecisionBody, NotPossible, Ops, read_decision
from dropship.services.messages import DecideCase
from tests.support.service_world import CASE, KEY, NOW, PINK, from_shop

# Either the form is right and the calendar has no such day, or the day exists and the index uses another form.
NO_DAYS = ("2026-02-30", "2025-02-29", "2026-13-01", "0000-01-01", "20261121", "2026-W47-6", "٢٠٢٦-١١-٢١")
SINCE = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
APPROVE = DecisionBody(decision="approve", words="photos seen")


@pytest.fixture
def ops(world):
    return Ops(world.orders, world.cases, world.registry, world.queues, world.clock)


def hold(world, *reasons):
    for reason in reasons:
        change_order(
            world.orders,
            KEY,
            world.moments,
            lambda order, moment, reason=reason: order.hold(reason, moment, "why"),
        )


@pytest.fixture
def case(world):
    world.shipped()
    world.refund(PINK)
    world.after_sales.await_outcome(f"{KEY.shop}#{CASE}", "token-1")
    world.queues.sent.clear()


def test_an_order_is_shown_with_its_timeline_and_its_clock_and_nothing_of_the_buyer(world, ops):
    world.dispatched()
    shown = ops.order(*KEY)["order"]
    assert shown["key"] == str(KEY)
    assert [entry["what"] for entry in shown["timeline"]] == ["received", "claimed", "placed"]
    assert datetime.fromisoformat(shown["due"]) == world.order.due
    assert not [word for word in ("Steve", "Shipper", "digest", "@") if word in str(shown)]


def test_a_finished_order_is_shown_without_a_clock(world, ops):
    world.hear("orders/paid")
    world.hear("orders/cancelled")
    assert ops.order(*KEY)["order"]["due"] is None


def about_one(ops, shop, name):
    """Every call about one order or case."""
    return (
        lambda: ops.order(shop, name),
        lambda: ops.release(shop, name, "DISPATCH_FAILED", "ann"),
        lambda: ops.close_task(shop, name, "SHIP_LATE", "ann"),
        lambda: ops.dispatch(shop, name, "ann"),
        lambda: ops.case(shop, name),
        lambda: ops.decide(shop, name, APPROVE, "ann"),
    )


@pytest.mark.parametrize("name", ["9", "a-b_C", "x" * 64])
def test_an_order_or_case_that_is_not_there_is_not_found(ops, name):
    for ask in about_one(ops, "main-shop", name):
        with pytest.raises(NotFound, match=r"no (order|case) main-shop#"):
            ask()


NO_IDS = [
    *(("main-shop", name) for name in ("", "a#b", "a.b", "ö", "1\n", "9" * 3000)),
    *((shop, "9") for shop in ("", "Main Shop", "main#shop", "s" * 3000)),
]


@pytest.mark.parametrize(("shop", "name"), NO_IDS)
def test_what_cannot_be_an_id_is_refused_before_anything_is_asked_and_not_quoted(ops, shop, name):
    asks_nobody = replace(ops, orders=None, cases=None, registry=None, queues=None)
    for ask in about_one(asks_nobody, shop, name):
        with pytest.raises(InvalidMessage, match=r"shop's id|id of (an order|a case)") as refused:
            ask()
        assert len(str(refused.value)) < 120


@pytest.mark.parametrize("shop", ["Main Shop", "s" * 3000, "a#b"])
def test_a_list_of_what_cannot_be_a_shop_is_refused_before_anything_is_asked(ops, shop):
    with pytest.raises(InvalidMessage, match="shop's id"):
        replace(ops, orders=None, registry=None).recent(shop=shop)


def test_recent_orders_are_those_of_a_shop_and_a_day_the_newest_first(world, ops):
    for number in range(3):
        world.inbox.handle(from_shop("orders/paid", id=1000 + number))
        world.clock.advance(minutes=1)
    found = ops.recent(shop="main-shop", limit="2")["orders"]
    assert [order["key"] for order in found] == ["main-shop#1002", "main-shop#1001"]
    assert ops.recent(shop="main-shop", day="2026-11-21", limit="2")["orders"] == found, "today if no day is given"
    assert ops.recent(shop="main-shop", day="2026-11-20") == {"orders": []}
    assert ops.recent(shop="second-shop") == {"orders": []}
    with pytest.raises(NotFound):
        ops.recent(shop="gone")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"limit": "0"}, "whole number from 1 to 100"),
        ({"limit": "101"}, "whole number"),
        ({"limit": "-1"}, "whole number"),
        ({"limit": "ten"}, "whole number"),
        ({"limit": ""}, "whole number"),
        ({"limit": "9" * 5000}, "whole number"),
        ({"limit": "٣"}, "whole number"),
        ({"colour": "red"}, "unknown parameters: colour"),
        ({"self": "1"}, "unknown parameters: self"),
    ],
)
def test_a_list_asked_for_in_another_way_is_refused_in_words(ops, query, words):
    for ask in (ops.recent, ops.attention, ops.open_cases):
        with pytest.raises(InvalidMessage, match=words) as refused:
            ask(**query)
        assert len(str(refused.value)) < 120


@pytest.mark.parametrize("day", ["2024-02-29", "1999-12-31"])
def test_any_day_of_the_calendar_may_be_asked_for(ops, day):
    assert ops.recent(shop="main-shop", day=day) == {"orders": []}


@pytest.mark.parametrize("day", ["today", "2026-11-2", "2026-11-21T00:00", "21.11.2026", *NO_DAYS])
def test_a_day_that_is_none_is_refused(ops, day):
    with pytest.raises(InvalidMessage, match="UTC day"):
        ops.recent(shop="main-shop", day=day)


def test_recent_orders_of_no_shop_are_refused(ops):
    with pytest.raises(InvalidMessage, match="which shop"):
        ops.recent()


def test_cases_that_wait_for_a_person_are_listed_until_they_are_decided(world, ops, case):
    (entry,) = ops.open_cases()["cases"]
    assert entry == {
        "case": f"main-shop#{CASE}",
        "order": str(KEY),
        "kind": "CASE_OPEN",
        "kinds": ["CASE_OPEN"],
        "urgency": "DEADLINE",
        "since": world.case.opened_at.isoformat(),
    }
    assert ops.open_cases(kind="CASE_OPEN", shop="main-shop")["cases"] == [entry]
    assert ops.open_cases(kind="CASE_DISPUTED") == {"cases": []}
    world.tell(DecideCase(case=entry["case"], decision="refuse", by="ann"))
    assert ops.open_cases() == {"cases": []}


def test_a_case_is_shown_without_its_workflows_token(ops, case):
    shown = ops.case("main-shop", CASE)["case"]
    assert (shown["id"], shown["status"]) == (CASE, "OPEN")
    assert "token-1" not in str(shown)


# ---- Wishes


def test_a_release_is_one_message_and_changes_nothing_itself(world, ops):
    world.hear("orders/paid")
    hold(world, HoldReason.DISPATCH_FAILED)
    version = world.version
    ops.release(*KEY, "DISPATCH_FAILED", "ann")
    assert world.sent("inbox") == [
        {"kind": "release-hold", "order": str(KEY), "reason": "DISPATCH_FAILED", "by": "ann", "since": SINCE}
    ]
    assert world.version == version


def test_a_release_of_another_hold_is_refused_with_those_it_has(world, ops):
    world.hear("orders/paid")
    hold(world, HoldReason.DISPATCH_FAILED)
    with pytest.raises(NotPossible, match=r"no hold NO_SOURCE; it has: \['DISPATCH_FAILED'\]"):
        ops.release(*KEY, "NO_SOURCE", "ann")
    assert world.queues.sent == []


def test_closing_a_task_is_one_message_and_changes_nothing_itself(world, ops):
    world.dispatched()
    world.hear("orders/updated")
    version = world.version
    ops.close_task(*KEY, "ADDRESS_CHANGED", "ann")
    assert world.sent("inbox") == [
        {"kind": "close-task", "order": str(KEY), "task": "ADDRESS_CHANGED", "by": "ann", "since": SINCE}
    ]
    assert world.version == version


def test_closing_another_task_is_refused_with_those_it_has(world, ops):
    world.dispatched()
    world.hear("orders/updated")
    with pytest.raises(NotPossible, match=r"no task SHIP_LATE; it has: \['ADDRESS_CHANGED'\]"):
        ops.close_task(*KEY, "SHIP_LATE", "ann")
    assert world.queues.sent == []


def test_a_dispatch_is_one_message(world, ops):
    world.hear("orders/paid")
    ops.dispatch(*KEY, "ann")
    assert world.sent("inbox") == [{"kind": "dispatch-again", "order": str(KEY), "by": "ann"}]


def test_a_dispatch_of_what_is_dispatched_or_on_hold_is_refused_in_words(world, ops):
    world.dispatched()
    with pytest.raises(NotPossible, match="nothing to dispatch: it is IN_FULFILMENT"):
        ops.dispatch(*KEY, "ann")
    hold(world, HoldReason.DISPATCH_FAILED)
    with pytest.raises(NotPossible, match=r"it is on hold: \['DISPATCH_FAILED'\]"):
        ops.dispatch(*KEY, "ann")
    assert world.queues.sent == []


def test_a_decision_is_one_message_with_who_and_why(world, ops, case):
    ops.decide("main-shop", CASE, APPROVE, "ann")
    assert world.sent("after-sales") == [
        {
            "kind": "decide-case",
            "case": f"main-shop#{CASE}",
            "decision": "approve",
            "by": "ann",
            "words": "photos seen",
            "steps": 1,
        }
    ]
    world.arrive("after-sales")
    assert world.case.status == "REFUNDED"


def test_a_decision_on_a_decided_case_is_refused_in_words(world, ops, case):
    ops.decide("main-shop", CASE, APPROVE, "ann")
    world.arrive("after-sales")
    with pytest.raises(NotPossible, match="the case is REFUNDED and waits for no decision"):
        ops.decide("main-shop", CASE, APPROVE, "ann")
    assert world.queues.sent == []


@pytest.mark.parametrize("body", [DecisionBody(), DecisionBody(decision="approve", event="withdraw")])
def test_neither_or_both_of_decision_and_event_are_refused(world, ops, case, body):
    with pytest.raises(NotPossible, match="either a decision"):
        ops.decide("main-shop", CASE, body, "ann")
    assert world.queues.sent == []


def test_an_event_of_a_case_is_one_message(world, ops, case):
    ops.decide("main-shop", CASE, DecisionBody(event="withdraw"), "ann")
    world.arrive("after-sales")
    assert world.case.status == "WITHDRAWN"


@pytest.mark.parametrize("event", ["", "received", "agree_refund", "merchant_timeout", "no such", "x" * 400])
def test_an_event_that_cannot_happen_or_is_not_for_a_person_is_refused(world, ops, case, event):
    with pytest.raises(NotPossible) as refused:
        ops.decide("main-shop", CASE, DecisionBody(event=event), "ann")
    assert len(str(refused.value)) < 120
    assert world.queues.sent == []


def test_whatever_ops_may_send_is_what_the_case_takes(world, ops, case):
    """If a wish is accepted, its worker carries it out."""
    for event in sorted(REPORTED_STEPS):
        world.queues.sent.clear()
        try:
            ops.decide("main-shop", CASE, DecisionBody(event=event), "ann")
        except NotPossible:
            continue
        before = world.case
        world.arrive("after-sales")
        assert world.case != before, event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "null",
        '{"decision": "perhaps"}',
        '{"refund": 1}',
        '{"words": 7}',
        '{"words": "' + "x" * 501 + '"}',
        "[" * 100_000,
        "9" * 5000,
        '{"decision": "approve", "decision": true}',
        '{"decision": "refuse", "decision": "approve"}',
        "\ufeff{}",
        '{"words": "\\ud800"}',
    ],
)
def test_a_decision_that_cannot_be_read_is_refused_without_quoting_it(body):
    with pytest.raises(InvalidMessage) as refused:
        read_decision(body)
    assert "xxx" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_nothing_is_told_of_a_wish_that_could_not_be_kept(world, ops):
    world.hear("orders/paid")
    hold(world, HoldReason.DISPATCH_FAILED)
    world.queues.down = True
    with pytest.raises(Unavailable):
        ops.release(*KEY, "DISPATCH_FAILED", "ann")
    assert world.held() == {"DISPATCH_FAILED": "why"}
