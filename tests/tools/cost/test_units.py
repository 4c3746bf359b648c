"""DynamoDB's and SQS's units, on made-up items, by the rules and examples of AWS's developer guides."""

import pytest

from tools.cost.units import (
    SQS_BYTES,
    Index,
    chunks,
    entry_of,
    index_change,
    index_write_units,
    item_bytes,
    read_units,
    write_units,
)

DUE = Index("due", ("due_shard", "due_at"), ())
KEYS = ("pk", "sk")


def an_item(**more: str) -> dict:
    return {name: {"S": value} for name, value in {"pk": "O#1", "sk": "STATE", **more}.items()}


def test_an_item_is_as_large_as_its_names_and_values_in_utf_8():
    assert item_bytes({"pk": {"S": "O#1"}, "名": {"S": "代发"}}) == (2 + 3) + (3 + 6)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "12345"}, 4),
        ({"N": "-12345"}, 5),
        ({"N": "0.00120"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": "AAAA"}, 3),
        ({"B": b"\x00\x01\x02\x03"}, 4),
        ({"BS": ["AAAA", "AA=="]}, 4),
        ({"SS": ["ab", "cde"]}, 5),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + (1 + 2) + (1 + 1)),
        ({"M": {"ab": {"S": "cde"}}}, 3 + 1 + 2 + 3),
    ],
)
def test_values_have_the_sizes_of_the_developer_guide(value, size):
    assert item_bytes({"a": value}) == 1 + size


@pytest.mark.parametrize(
    ("old", "new", "units"), [(0, 1, 1), (0, 1024, 1), (0, 1025, 2), (3000, 100, 3), (100, 3000, 3), (0, 0, 1)]
)
def test_a_write_is_billed_by_the_larger_of_the_item_before_and_after(old, new, units):
    assert write_units(old, new) == units


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (3500, True, 1), (4096, False, 0.5), (4097, True, 2), (8192, False, 1)],
)
def test_a_read_takes_whole_4_kb_found_or_not_and_half_if_not_consistent(size, consistent, units):
    assert read_units(size, consistent=consistent) == units


def test_a_sparse_index_has_an_entry_of_keys_only_while_its_key_is_there():
    item = an_item(due_shard="D#1", due_at="2026", body="long")
    assert entry_of(item, DUE, KEYS).keys() == {"pk", "sk", "due_shard", "due_at"}
    assert entry_of(an_item(due_shard="D#1"), DUE, KEYS) is None
    assert entry_of(item, Index("all", ("due_at",), None), KEYS) == item
    assert entry_of(item, Index("some", ("due_at",), ("body",)), KEYS).keys() == {"pk", "sk", "due_at", "body"}


@pytest.mark.parametrize(
    ("old", "new", "change", "units"),
    [
        (None, an_item(due_shard="D#1", due_at="1"), "put", 1),
        (an_item(due_shard="D#1", due_at="1"), an_item(due_shard="D#1", due_at="2"), "move", 2),
        (an_item(due_shard="D#1", due_at="1"), an_item(), "remove", 1),
        (an_item(due_shard="D#1", due_at="1"), an_item(due_shard="D#1", due_at="1", body="new"), "same", 0),
        (an_item(), an_item(body="new"), "same", 0),
    ],
)
def test_an_index_costs_one_write_for_an_entry_put_or_removed_and_two_for_one_whose_key_changed(
    old, new, change, units
):
    found, size = index_change(old, new, DUE, KEYS)
    assert (found, index_write_units(found, size)) == (change, units)


def test_an_entry_with_more_of_the_item_is_rewritten_when_that_changes():
    index = Index("some", ("due_at",), ("body",))
    found, size = index_change(an_item(due_at="1", body="a"), an_item(due_at="1", body="b" * 2000), index, KEYS)
    assert (found, index_write_units(found, size)) == ("rewrite", 2)


def test_a_payload_is_as_many_requests_as_it_has_begun_chunks():
    assert [chunks(size, SQS_BYTES) for size in (0, 1, 65_536, 65_537)] == [1, 1, 1, 2]
