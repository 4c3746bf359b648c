"""Orders and waybills: the same behaviour in memory and in DynamoDB."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.adapters.stamps import SHARDS
from dropship.adapters.stored_format import FORMAT, pack, unpack
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.domain.orders.polling import SLOTS, slot_of
from dropship.ports import Conflict, Loaded, NotFound, Unavailable
from tests.support.aggregate_examples import KEY, NOON, marketplace_order, order, shipped
from tests.support.fakes import FakeOrders

WAYBILL = Waybill("yto", "YT6789012345678")
OTHER = OrderKey("main-shop", "another")
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
REMIND = Deadlines().remind


@pytest.fixture
def heard():
    """What saving orders reported: (order, events)."""
    return []


@pytest.fixture(params=["memory", "dynamodb"])
def orders(request, heard):
    def hear(*told):
        heard.append(told)

    if request.param == "memory":
        return FakeOrders(hear)
    return DynamoOrders(ItemTable(request.getfixturevalue("tables")["OrdersTable"]), hear)


def due(orders, now):
    return [key for shard in range(SHARDS) for key in orders.due(shard, now)]


def polled(orders, since=None):
    return [key for slot in range(SLOTS) for key in orders.polled(slot, since)]


def test_an_order_that_was_never_saved_is_not_there(orders):
    assert orders.load(KEY) is None


def test_an_order_is_loaded_as_it_was_saved(orders):
    saved = order(missing=["city"])
    assert orders.save(saved, 0) == 1
    assert orders.load(KEY) == Loaded(saved, 1)


def test_each_save_makes_the_version_one_greater(orders):
    saved = order()
    assert [orders.save(saved, version) for version in range(3)] == [1, 2, 3]
    assert orders.load(KEY).version == 3


@pytest.mark.parametrize(("stored", "expected"), [(1, 0), (2, 1), (1, 2), (0, 1)])
def test_a_save_on_another_version_than_the_stored_one_is_a_conflict_and_changes_nothing(orders, stored, expected):
    for version in range(stored):
        orders.save(order(), version)
    with pytest.raises(Conflict, match="main-shop#820982911946154508"):
        orders.save(order(missing=["city"]), expected)
    assert orders.load(KEY) == (Loaded(order(), stored) if stored else None)


def test_what_is_loaded_can_be_changed_without_changing_what_is_stored(orders):
    orders.save(order(), 0)
    orders.load(KEY).value.open_task(TaskKind.ADDRESS_CHANGED, Moment(NOON, Deadlines()))
    assert orders.load(KEY).value == order()


def test_what_happened_since_it_was_read_or_saved_is_told_once_and_only_when_it_is_stored(orders, heard):
    saved = order()
    orders.save(saved, 0)
    assert [(key, [event.kind for event in events]) for key, events in heard] == [(KEY, ["received"])]
    heard.clear()
    first, second = orders.load(KEY), orders.load(KEY)
    for copy in (first, second):
        copy.value.hold(HoldReason.DISPATCH_FAILED, Moment(NOON, Deadlines()))
    orders.save(*first)
    with pytest.raises(Conflict):
        orders.save(*second)
    orders.save(first.value, 2)
    assert [[event.kind for event in events] for _, events in heard] == [["held"], []]


def test_an_order_is_due_from_its_clock_on(orders):
    orders.save(order(missing=["city"]), 0)
    assert due(orders, NOON + REMIND - MILLISECOND) == []
    assert due(orders, NOON + REMIND) == [KEY]


def test_a_fresh_order_is_in_no_index_of_clocks(orders):
    orders.save(order(), 0)
    assert due(orders, NOON + timedelta(days=400)) == []


def test_an_order_due_between_two_milliseconds_is_found_only_when_it_is_due(orders):
    at = NOON + timedelta(microseconds=1)
    orders.save(order(at=at, missing=["city"]), 0)
    assert due(orders, NOON + REMIND) == []
    assert due(orders, NOON + REMIND + MILLISECOND) == [KEY]


def test_orders_of_a_shard_come_with_the_most_overdue_first(orders):
    times = {OrderKey("main-shop", str(number)): NOON - number * 37 % 23 * SECOND for number in range(40)}
    for key, at in times.items():
        orders.save(order(key, at, missing=["city"]), 0)
    shards = [list(orders.due(shard, NOON + REMIND)) for shard in range(SHARDS)]
    assert sorted(key for shard in shards for key in shard) == sorted(times)
    assert all(times[first] <= times[second] for shard in shards for first, second in pairwise(shard))


def test_an_order_without_a_clock_is_no_longer_due(orders):
    saved = order(missing=["city"])
    orders.save(saved, 0)
    assert due(orders, NOON + REMIND) == [KEY]
    saved.stop_clock()
    orders.save(saved, 1)
    assert due(orders, NOON + timedelta(days=400)) == []


def test_recent_orders_are_those_of_the_shop_and_day_the_newest_first(orders):
    first, second = OrderKey("main-shop", "first"), OrderKey("main-shop", "second")
    orders.save(order(first, NOON), 0)
    orders.save(order(second, NOON + SECOND), 0)
    orders.save(order(OrderKey("main-shop", "yesterday"), NOON - timedelta(days=1)), 0)
    orders.save(order(OrderKey("second-shop", "first"), NOON), 0)
    expected = [(second, NOON + SECOND), (first, NOON)]
    assert list(orders.recent("main-shop", "2026-11-21", 10)) == expected
    assert list(orders.recent("main-shop", "2026-11-21", 1)) == expected[:1]


def test_an_order_stays_among_the_recent_ones_when_it_is_saved_again(orders):
    orders.save(order(), 0)
    orders.save(order(missing=["city"]), 1)
    assert list(orders.recent("main-shop", "2026-11-21", 10)) == [(KEY, NOON)]


def test_source_and_recipient_are_read_as_they_were_put(orders):
    source, recipient = marketplace_order(), Recipient(name="李四", city="杭州", country_code="CN")
    orders.put_source(source, recipient)
    assert orders.source(KEY) == source
    assert orders.recipient(KEY) == recipient


def test_a_missing_source_is_not_found_and_a_missing_recipient_is_empty(orders):
    with pytest.raises(NotFound):
        orders.source(KEY)
    assert orders.recipient(KEY) == Recipient()


def test_an_earlier_version_of_the_source_does_not_replace_a_later_one(orders):
    orders.put_source(marketplace_order(updated_at=NOON), Recipient(name="later"))
    orders.put_source(marketplace_order(updated_at=NOON - SECOND), Recipient(name="earlier"))
    assert orders.source(KEY).updated_at == NOON
    assert orders.recipient(KEY).name == "later"


def test_the_same_version_of_the_source_can_be_put_again(orders):
    orders.put_source(marketplace_order(), Recipient())
    orders.put_source(marketplace_order(), Recipient(name="李四"))
    assert orders.recipient(KEY).name == "李四"


def test_of_two_sources_of_the_same_version_the_last_one_stays(orders):
    for name in ("first", "second"):
        orders.put_source(marketplace_order(), Recipient(name=name))
    assert orders.recipient(KEY).name == "second"


def test_a_later_source_without_an_address_takes_the_address_away(orders):
    orders.put_source(marketplace_order(), Recipient(name="李四"))
    orders.put_source(marketplace_order(updated_at=NOON + SECOND), Recipient())
    assert orders.source(KEY).updated_at == NOON + SECOND
    assert orders.recipient(KEY) == Recipient()


def test_a_waybill_is_tied_to_the_first_order_that_claims_it(orders):
    assert orders.order_of(WAYBILL) is None
    assert orders.claim_waybill(WAYBILL, KEY) == KEY
    assert orders.claim_waybill(WAYBILL, KEY) == KEY
    assert orders.claim_waybill(WAYBILL, OTHER) == KEY
    assert orders.order_of(WAYBILL) == KEY


def test_the_same_number_of_another_carrier_is_another_waybill(orders):
    orders.claim_waybill(WAYBILL, KEY)
    assert orders.claim_waybill(Waybill("sf", WAYBILL.number), OTHER) == OTHER


def test_a_waybill_is_in_no_index(orders):
    orders.claim_waybill(WAYBILL, KEY)
    assert polled(orders) == []
    assert due(orders, NOON + timedelta(days=400)) == []


# ---- The index `polls`


def test_an_order_is_polled_while_a_parcel_of_it_is_followed(orders):
    saved = shipped()
    orders.save(order(), 0)
    assert polled(orders) == []
    orders.save(saved, 1)
    assert polled(orders) == [KEY]
    saved.parcels[0].state = "DELIVERED"
    orders.save(saved, 2)
    assert polled(orders) == []


def test_orders_of_a_slot_come_with_the_oldest_parcel_first_and_none_older_than_wanted(orders):
    times = {OrderKey("main-shop", str(number)): NOON - number * 37 % 23 * SECOND for number in range(60)}
    for key, at in times.items():
        orders.save(shipped(key, at), 0)
    slots = {slot: list(orders.polled(slot, None)) for slot in range(SLOTS)}
    assert sorted(key for slot in slots.values() for key in slot) == sorted(times)
    assert all(slot_of(key) == slot for slot, keys in slots.items() for key in keys)
    assert all(times[first] <= times[second] for slot in slots.values() for first, second in pairwise(slot))
    fresh = {key for key, at in times.items() if at > NOON - 9 * SECOND}
    assert set(polled(orders, NOON - 9 * SECOND)) == fresh


# ---- Orders by the time of reception


def test_received_orders_are_those_of_the_shop_from_one_moment_on_and_before_another(orders):
    for number in range(40):
        orders.save(order(OrderKey("main-shop", str(number)), NOON + number * SECOND), 0)
    orders.save(order(OrderKey("second-shop", "1"), NOON + SECOND), 0)
    found = orders.received("main-shop", NOON + 10 * SECOND, NOON + 30 * SECOND)
    assert {int(key.external_id) for key in found} == set(range(10, 30))


def test_received_orders_are_found_across_midnights(orders):
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    times = [midnight - MILLISECOND, midnight, midnight + timedelta(days=1), midnight + timedelta(days=2)]
    for number, at in enumerate(times):
        orders.save(order(OrderKey("main-shop", str(number)), at), 0)

    def found(since, before):
        return sorted(int(key.external_id) for key in orders.received("main-shop", since, before))

    assert found(midnight - SECOND, midnight + SECOND) == [0, 1]
    assert found(midnight - SECOND, midnight) == [0]
    assert found(midnight, midnight + SECOND) == [1]
    assert found(midnight - SECOND, midnight + timedelta(days=3)) == [0, 1, 2, 3]
    ahead = timezone(timedelta(hours=9))
    assert found((midnight - SECOND).astimezone(ahead), (midnight + SECOND).astimezone(ahead)) == [0, 1]


def test_recent_orders_of_all_shards_come_in_one_order(orders):
    keys = [OrderKey("main-shop", str(number)) for number in range(30)]
    for number, key in enumerate(keys):
        orders.save(order(key, NOON + number * SECOND), 0)
    newest = [key for key, _ in orders.recent("main-shop", "2026-11-21", 12)]
    assert newest == keys[:-13:-1]


def test_many_orders_are_read_at_once_and_those_that_are_not_there_are_left_out(orders):
    keys = [OrderKey("main-shop", str(number)) for number in range(120)]
    for key in keys:
        orders.save(order(key), 0)
    found = orders.load_all([*keys, OTHER])
    assert {key: (loaded.value.key, loaded.version) for key, loaded in found.items()} == {key: (key, 1) for key in keys}
    assert orders.load_all([]) == {}


def test_an_item_that_makes_no_sense_is_left_out_of_many_and_an_error_of_its_own(tables):
    items = ItemTable(tables["OrdersTable"])
    orders = DynamoOrders(items)
    orders.save(order(), 0)
    items.put_if(
        {"pk": {"S": f"O#{OTHER}"}, "sk": {"S": "STATE"}, "body": {"S": "?"}, "version": {"N": "1"}},
        "attribute_not_exists(pk)",
    )
    assert list(orders.load_all([KEY, OTHER])) == [KEY]
    with pytest.raises(Unavailable, match=f"O#{OTHER}: its body is in no format of ours"):
        orders.load(OTHER)


@pytest.mark.parametrize("sort", ["STATE", "SOURCE"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda packed: bytes([FORMAT + 1]) + packed[1:], f"written by a newer version, in format {FORMAT + 1}"),
        (lambda packed: packed[:-1], "damaged"),
    ],
    ids=["another format", "cut off"],
)
def test_an_item_in_a_format_of_tomorrow_or_damaged_is_tried_again_and_named(tables, sort, change, words):
    items = ItemTable(tables["OrdersTable"])
    orders = DynamoOrders(items)
    orders.save(order(), 0)
    orders.put_source(marketplace_order(), Recipient(name="Steve Shipper"))
    item = dict(items.read(f"O#{KEY}", sort))
    items.put_if(item | {"body": {"B": change(item["body"]["B"])}}, "attribute_exists(pk)")
    with pytest.raises(Unavailable, match=f"O#{KEY}: .*{words}"):
        orders.load_with_source(KEY)


@pytest.mark.parametrize("sort", ["STATE", "SOURCE"])
def test_what_a_newer_version_wrote_is_tried_again_and_its_fields_are_named_without_what_is_in_them(tables, sort):
    items = ItemTable(tables["OrdersTable"])
    orders = DynamoOrders(items)
    orders.save(order(), 0)
    orders.put_source(marketplace_order(), Recipient(name="Steve Shipper"))
    item = dict(items.read(f"O#{KEY}", sort))
    item["body"] = pack(unpack(item["body"]).decode()[:-1] + ',"tomorrow":"Steve Shipper"}')
    items.put_if(item, "attribute_exists(pk)")
    with pytest.raises(Unavailable, match="version: tomorrow") as newer:
        orders.load_with_source(KEY)
    assert "Steve" not in str(newer.value)
