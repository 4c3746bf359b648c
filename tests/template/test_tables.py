"""Tables: keys, sparse indexes, safety."""

import pytest

from tests.support.template_document import RESOURCES, TABLES

DUE = ("due_shard", "due_at", {"ProjectionType": "KEYS_ONLY"})
LISTED = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kinds", "shop"]}
CASE_LISTED = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kinds", "shop", "order_id"]}
RECENT = ("recent_shard", "created_at", {"ProjectionType": "KEYS_ONLY"})
POLLS = ("poll_shard", "shipped_at", {"ProjectionType": "KEYS_ONLY"})
INDEXES = {
    "OrdersTable": {"due": DUE, "attention": ("attention", "attention_at", LISTED), "recent": RECENT, "polls": POLLS},
    "CasesTable": {"due": DUE, "attention": ("attention", "attention_at", CASE_LISTED)},
    "RegistryTable": {},
}

each_table = pytest.mark.parametrize("table", INDEXES)


def keys(schema: list[dict]) -> tuple[str, ...]:
    assert [key["KeyType"] for key in schema] == ["HASH", "RANGE"]
    return tuple(key["AttributeName"] for key in schema)


def test_there_are_three_tables():
    assert set(TABLES) == set(INDEXES)


@each_table
def test_indexes_are_those_of_the_design_and_never_copy_whole_items(table):
    found = {
        index["IndexName"]: (*keys(index["KeySchema"]), index["Projection"])
        for index in TABLES[table].get("GlobalSecondaryIndexes", [])
    }
    assert found == INDEXES[table]
    assert keys(TABLES[table]["KeySchema"]) == ("pk", "sk")


@each_table
def test_a_table_can_be_restored_is_encrypted_and_costs_nothing_when_idle(table):
    assert TABLES[table]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert TABLES[table]["SSESpecification"] == {"SSEEnabled": True}
    assert TABLES[table]["BillingMode"] == "PAY_PER_REQUEST"


@each_table
def test_a_table_outlives_the_stack(table):
    assert RESOURCES[table]["DeletionPolicy"] == RESOURCES[table]["UpdateReplacePolicy"] == "Retain"
    assert "TableName" not in TABLES[table], "a fixed name would stop the next stack from being created"


@each_table
def test_nothing_expires_by_itself(table):
    assert "TimeToLiveSpecification" not in TABLES[table], "nothing writes when an item is to go"
