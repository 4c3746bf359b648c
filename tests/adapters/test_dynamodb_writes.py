"""What happens only with the real table: lost answers, throttling, items in parts, cost."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from dropship.adapters import attention_index, session
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.attention import AttentionQuery
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.identity import Waybill
from dropship.domain.orders.attention import HoldReason
from dropship.domain.orders.polling import slot_of
from dropship.ports import Conflict, Loaded, Sourced, Unavailable
from tests.support.aggregate_examples import KEY, NOON, marketplace_order, order, shipped

WAYBILL = Waybill("yto", "YT6789012345678")


@pytest.fixture
def orders(tables):
    return DynamoOrders(ItemTable(tables["OrdersTable"]))


@pytest.fixture
def calls(orders, watch):
    return watch(session.dynamodb())


def item(pk, sk):
    return session.dynamodb().get_item(TableName="OrdersTable", Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]


@pytest.mark.parametrize("version", [0, 1])
def test_a_write_that_committed_and_lost_its_answer_is_done_when_the_sdk_repeats_it(orders, calls, version):
    for stored in range(version):
        orders.save(order(), stored)
    calls.lose_next_answer()
    assert orders.save(order(missing=["city"]), version) == version + 1
    assert orders.load(KEY) == (order(missing=["city"]), version + 1)


def test_the_same_save_asked_for_twice_is_a_conflict(orders):
    orders.save(order(), 0)
    with pytest.raises(Conflict, match="expected version 0, stored is 1"):
        orders.save(order(), 0)


def test_a_claim_that_lost_its_answer_is_ours(orders, calls):
    calls.lose_next_answer()
    assert orders.claim_waybill(WAYBILL, KEY) == KEY


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "PutItem"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem"),
        ClientError({"Error": {"Code": "TransactionConflictException"}}, "PutItem"),
        ClientError({"Error": {"Code": "Odd"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "PutItem"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_what_passes_by_itself_is_unavailable(orders, calls, error):
    calls.fail(error, error, error)
    for attempt in (lambda: orders.save(order(), 0), lambda: orders.load(KEY), lambda: list(orders.due(0, NOON))):
        with pytest.raises(Unavailable):
            attempt()
    assert orders.load(KEY) is None


def test_an_error_that_will_not_pass_stays_what_it_is(orders, calls):
    calls.fail(ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem"))
    with pytest.raises(ClientError, match="AccessDenied"):
        orders.save(order(), 0)


def test_the_state_item_has_the_attributes_of_its_indexes_and_no_others(orders):
    orders.save(order(missing=["city"]), 0)
    stored = item("O#main-shop#820982911946154508", "STATE")
    assert set(stored) == {
        *("pk", "sk", "version", "write_id", "body", "due_shard", "due_at"),
        *("attention", "attention_at", "kinds", "shop", "recent_shard", "created_at"),
    }
    assert (stored["attention"]["S"], stored["attention_at"]["S"]) == ("OPEN", "3#2026-11-21T12:00:00.250Z")
    assert stored["due_at"]["S"] == "2026-11-22T12:00:00.250Z"
    assert stored["due_shard"]["S"] in {f"D#{shard}" for shard in range(8)}
    assert stored["recent_shard"]["S"] in {f"main-shop#2026-11-21#{shard}" for shard in range(4)}
    assert stored["created_at"]["S"] == "2026-11-21T12:00:00.250Z"


def test_a_quiet_order_is_only_in_the_index_of_recent_ones(orders):
    orders.save(order(), 0)
    stored = item("O#main-shop#820982911946154508", "STATE")
    assert set(stored) == {"pk", "sk", "version", "write_id", "body", "recent_shard", "created_at"}


def test_an_order_with_a_followed_parcel_is_in_the_index_of_polls_and_in_no_other_beside_the_recent_ones(orders):
    orders.save(shipped(), 0)
    stored = item("O#main-shop#820982911946154508", "STATE")
    indexed = {"recent_shard", "created_at", "poll_shard", "shipped_at"}
    assert set(stored) == {"pk", "sk", "version", "write_id", "body"} | indexed
    assert stored["poll_shard"]["S"] == f"P#{slot_of(KEY)}"
    assert stored["shipped_at"]["S"] == "2026-11-21T12:00:00.250Z"


def test_no_entry_of_the_polls_is_read_whose_turn_it_is_not(orders, calls):
    orders.save(shipped(), 0)
    assert list(orders.polled(slot_of(KEY), NOON)) == []
    request = calls.made[-1][1]
    assert request["KeyConditionExpression"] == "poll_shard = :shard AND shipped_at > :since"
    assert "FilterExpression" not in request


def test_a_waybill_keeps_only_its_order(orders):
    orders.claim_waybill(WAYBILL, KEY)
    assert item("W#yto#YT6789012345678", "WAYBILL") == {
        "pk": {"S": "W#yto#YT6789012345678"},
        "sk": {"S": "WAYBILL"},
        "order_key": {"S": str(KEY)},
    }


def test_a_known_waybill_costs_one_cheap_read(orders, calls):
    orders.claim_waybill(WAYBILL, KEY)
    orders.order_of(WAYBILL)
    operation, parameters = calls.made[-1]
    assert (operation, parameters["ConsistentRead"]) == ("GetItem", False)
    assert calls.operations() == ["PutItem", "GetItem"]


def test_a_waybill_that_the_cheap_read_does_not_see_yet_is_read_consistently(orders, calls, monkeypatch):
    orders.claim_waybill(WAYBILL, KEY)
    real = calls._real
    monkeypatch.setattr(calls, "_real", lambda name, given: real(name, given) if given["ConsistentRead"] else {})
    assert orders.order_of(WAYBILL) == KEY


def test_a_list_for_people_reads_no_more_than_it_shows(orders, calls):
    for name in ("a", "b", "c"):
        orders.save(order(KEY._replace(external_id=name), missing=["city"]), 0)
    assert len(orders.needing_attention(AttentionQuery(2)).entries) == 2
    assert calls.made[-1][1]["Limit"] == 2


@pytest.mark.parametrize("wanted", [{}, {"kind": "HOLD_ADDRESS_MISSING"}, {"shop": "main-shop"}])
def test_a_page_of_the_list_is_one_query_and_nothing_else(orders, calls, wanted):
    for name in ("a", "b", "c"):
        orders.save(order(KEY._replace(external_id=name), missing=["city"]), 0)
    calls.made.clear()
    page = orders.needing_attention(AttentionQuery(2, **wanted))
    assert (len(page.entries), calls.operations()) == (2, ["Query"])
    assert len(orders.needing_attention(AttentionQuery(2, after=page.next, **wanted)).entries) == 1
    assert calls.operations() == ["Query", "Query"]


def test_a_narrowed_page_looks_through_so_many_entries_and_says_where_to_go_on(orders, calls, monkeypatch):
    monkeypatch.setattr(attention_index, "LOOKED_THROUGH", 4)
    for number in range(10):
        missing = order(KEY._replace(external_id=str(number)), NOON - timedelta(seconds=number), missing=["city"])
        if number == 7:
            missing.hold(HoldReason.NO_SOURCE, Moment(NOON - timedelta(seconds=number), Deadlines()))
        orders.save(missing, 0)
    calls.made.clear()
    query, found = AttentionQuery(2, kind="HOLD_NO_SOURCE"), []
    while query is not None:
        page = orders.needing_attention(query)
        found.append([entry.order.external_id for entry in page.entries])
        query = page.next and query._replace(after=page.next)
    assert found == [[], ["7"], []]
    assert [given["Limit"] for _, given in calls.made] == [4, 4, 4]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_state_is_one_write_and_one_read_dearer_only_where_it_must_be_fresh(orders, calls, fresh):
    orders.save(order(), 0)
    orders.load(KEY, fresh=fresh)
    assert calls.operations() == ["PutItem", "GetItem"]
    assert calls.made[-1][1]["ConsistentRead"] is fresh


def test_an_order_and_its_source_are_one_write_each_and_one_query_together(orders, calls):
    sold, to = marketplace_order(), Recipient(name="李四")
    saved = order(recipient_digest=to.digest)
    orders.put_source(sold, to)
    orders.save(saved, 0)
    assert orders.load_with_source(KEY) == Sourced(Loaded(saved, 1), sold, to)
    assert calls.operations() == ["PutItem", "PutItem", "Query"]


def test_an_address_that_is_not_the_one_the_order_knows_is_read_again_fresh(orders, calls):
    orders.put_source(marketplace_order(), Recipient(name="李四"))
    orders.save(order(recipient_digest="of another"), 0)
    assert orders.load_with_source(KEY).recipient.name == "李四"
    reads = [parameters.get("ConsistentRead") for operation, parameters in calls.made if operation == "GetItem"]
    assert reads
    assert all(reads)


def test_entries_come_page_by_page(orders, calls, monkeypatch):
    keys = [KEY._replace(external_id=str(number)) for number in range(60)]
    for key in keys:
        orders.save(order(key), 0)
    real = calls._real
    monkeypatch.setattr(
        calls, "_real", lambda name, given: real(name, given | ({"Limit": 2} if name == "Query" else {}))
    )
    found = list(orders.received("main-shop", NOON, NOON + timedelta(seconds=1)))
    assert sorted(found) == sorted(keys)
    assert calls.operations().count("Query") >= 30
