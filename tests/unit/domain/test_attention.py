"""What needs a person: each kind once, the most urgent first, of equal urgency the newest first."""

import random
from itertools import permutations

from dropship.domain.attention import Attention, AttentionKind, Entry, Reason, Urgency
from dropship.domain.identity import OrderKey
from tests.support.order_examples import at


def reason(kind, urgency, hours=0.0):
    return Reason(AttentionKind(kind), urgency, at(hours))


def test_nothing_needs_nobody():
    assert Attention.of([]) is None


def test_what_is_lost_counts_before_what_is_new_and_the_new_before_the_old():
    reasons = [
        reason("late today", Urgency.DEADLINE, 9),
        reason("held yesterday", Urgency.GOODS, 1),
        reason("held today", Urgency.GOODS, 8),
        reason("money", Urgency.MONEY, 0),
    ]
    for given in permutations(reasons):
        assert Attention.of(given) == (
            ("money", "held today", "held yesterday", "late today"),
            Urgency.MONEY,
            at(0),
        )


def test_a_kind_that_is_there_twice_is_named_once_with_its_newest_time():
    twice = [reason("late", Urgency.DEADLINE, 1), reason("late", Urgency.DEADLINE, 5), reason("look", Urgency.OTHER)]
    assert Attention.of(twice) == (("late", "look"), Urgency.DEADLINE, at(5))


def test_a_lesser_reason_does_not_move_the_position():
    money = reason("money", Urgency.MONEY, 1)
    alone, both = Attention.of([money]), Attention.of([money, reason("late", Urgency.DEADLINE, 9)])
    assert (alone.urgency, alone.since) == (both.urgency, both.since)
    assert both.kinds == ("money", "late")


def test_places_sort_as_the_list_does():
    entries = [
        Entry(f"main-shop#{number}", OrderKey("main-shop", str(number)), Attention((), urgency, at(hours)))
        for number, (urgency, hours) in enumerate([(Urgency.MONEY, 5), (Urgency.MONEY, 2), (Urgency.OTHER, 7)])
    ]
    shuffled = random.Random(1).sample(entries, 3)
    assert sorted(shuffled, key=lambda entry: entry.position, reverse=True) == entries
