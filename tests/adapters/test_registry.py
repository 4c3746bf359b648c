"""The registry: the same answers in memory and from DynamoDB, and how long answers from DynamoDB are cached."""

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_registry import DynamoRegistry
from dropship.adapters.dynamodb_registry_writer import RegistryWriter
from dropship.adapters.seed_file import Seed
from dropship.domain.money import Money
from dropship.domain.registry.connections import Carrier, Shop, Supplier, Tracker
from dropship.domain.registry.offers import Offer
from dropship.ports import NotFound, Unavailable
from tests.support.fakes import FakeRegistry

PINK = Offer(supplier="acme", supplier_sku="A-1", unit_cost=Money(minor=12000, currency="USD"))
SHOP = Shop(id="main-shop", channel="shopify", base_url="https://example.myshopify.com", domain="example.myshopify.com")
SUPPLIER = Supplier(
    id="acme", channel="supplier-v1", base_url="https://acme.example", name="Acme", carriers={"圆通": "yto"}
)
TRACKER = Tracker(id="kd100", channel="kuaidi100", base_url="https://poll.kuaidi100.com", codes={"yuantong": "yto"})
CARRIER = Carrier(id="yto", name="YTO Express", tracker="kd100")
SEED = Seed(
    shops=(SHOP,),
    suppliers=(SUPPLIER,),
    trackers=(TRACKER,),
    carriers=(CARRIER,),
    offers={"main-shop": {"PINK": (PINK,), "粉色 #1": (PINK, PINK), "NOBODY": ()}},
)


class Monotonic:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def monotonic():
    return Monotonic()


@pytest.fixture
def table(tables):
    return tables["RegistryTable"]


@pytest.fixture
def stored(table, monotonic):
    RegistryWriter(table).put_all(SEED)
    return DynamoRegistry(table, clock=monotonic)


@pytest.fixture(params=["memory", "dynamodb"])
def registry(request):
    return FakeRegistry(SEED) if request.param == "memory" else request.getfixturevalue("stored")


@pytest.fixture
def calls(stored, watch):
    return watch(session.dynamodb())


def test_connections_are_read_as_they_were_seeded(registry):
    assert registry.shop("main-shop") == SHOP
    assert registry.supplier("acme") == SUPPLIER
    assert registry.tracker("kd100") == TRACKER
    assert registry.carrier("yto") == CARRIER


@pytest.mark.parametrize("kind", ["shop", "supplier", "tracker", "carrier"])
def test_an_unknown_id_is_not_found_each_time_it_is_asked_for(registry, kind):
    for _ in range(2):
        with pytest.raises(NotFound, match=f"no {kind} 'nobody'"):
            getattr(registry, kind)("nobody")


def test_an_id_is_known_only_as_what_it_is(registry):
    with pytest.raises(NotFound):
        registry.supplier("main-shop")


def test_offers_come_by_sku_without_those_that_nobody_offers(registry):
    assert registry.offers("main-shop", ["PINK", "粉色 #1", "NOBODY", "UNHEARD-OF", "PINK", ""]) == {
        "PINK": (PINK,),
        "粉色 #1": (PINK, PINK),
    }
    assert registry.offers("second-shop", ["PINK"]) == {}
    assert registry.offers("main-shop", []) == {}


def test_a_connection_is_read_once_a_minute(stored, calls, monotonic):
    for _ in range(3):
        stored.shop("main-shop")
    assert calls.operations() == ["GetItem"]
    monotonic.seconds += 60
    stored.shop("main-shop")
    assert calls.operations() == ["GetItem", "GetItem"]


def test_a_new_connection_is_seen_after_five_seconds(stored, table, monotonic):
    with pytest.raises(NotFound):
        stored.shop("new-shop")
    RegistryWriter(table).put_all(Seed(shops=(SHOP.model_copy(update={"id": "new-shop"}),)))
    with pytest.raises(NotFound):
        stored.shop("new-shop")
    monotonic.seconds += 5
    assert stored.shop("new-shop").id == "new-shop"


def test_offers_are_read_together_and_once_a_minute_absent_ones_after_five_seconds(stored, calls, monotonic):
    for _ in range(2):
        stored.offers("main-shop", ["PINK", "UNHEARD-OF"])
    assert calls.operations() == ["BatchGetItem"]
    monotonic.seconds += 5
    stored.offers("main-shop", ["PINK", "UNHEARD-OF"])
    assert [key["pk"]["S"] for key in calls.made[-1][1]["RequestItems"]["RegistryTable"]["Keys"]] == [
        "SKU#main-shop#UNHEARD-OF"
    ]


def test_many_offers_are_read_in_batches_of_a_hundred(table):
    skus = {f"SKU-{number}": (PINK,) for number in range(130)}
    RegistryWriter(table).put_all(Seed(offers={"main-shop": skus}))
    assert DynamoRegistry(table).offers("main-shop", skus) == skus


def test_what_dynamodb_leaves_unanswered_is_asked_for_again(stored, calls, monkeypatch):
    real, parts = calls._real, []

    def in_parts(operation, parameters):
        keys = parameters["RequestItems"]["RegistryTable"]["Keys"]
        parts.append(len(keys))
        answer = real(operation, {"RequestItems": {"RegistryTable": {"Keys": keys[:1]}}})
        return answer | {"UnprocessedKeys": {"RegistryTable": {"Keys": keys[1:]}} if keys[1:] else {}}

    monkeypatch.setattr(calls, "_real", in_parts)
    assert set(stored.offers("main-shop", ["PINK", "粉色 #1"])) == {"PINK", "粉色 #1"}
    assert parts == [2, 1]


def test_offers_that_stay_unanswered_are_unavailable_and_not_taken_for_absent(stored, calls, monkeypatch):
    def nothing(operation, parameters):
        return {"Responses": {}, "UnprocessedKeys": parameters["RequestItems"]}

    monkeypatch.setattr(calls, "_real", nothing)
    for _ in range(2):
        with pytest.raises(Unavailable):
            stored.offers("main-shop", ["PINK"])


def test_seeding_again_changes_and_pruning_removes_what_is_gone(table):
    writer = RegistryWriter(table)
    writer.put_all(SEED)
    closed = SUPPLIER.model_copy(update={"active": False})
    smaller = Seed(suppliers=(closed,), carriers=(CARRIER,), trackers=(TRACKER,))
    assert writer.put_all(smaller) == 0
    assert DynamoRegistry(table).supplier("acme") == closed
    assert DynamoRegistry(table).shop("main-shop") == SHOP
    assert writer.put_all(smaller, prune=True) == 4
    with pytest.raises(NotFound):
        DynamoRegistry(table).shop("main-shop")
    assert DynamoRegistry(table).offers("main-shop", ["PINK"]) == {}


def test_pruning_leaves_what_is_not_from_a_seed(table):
    session.dynamodb().put_item(TableName=table, Item={"pk": {"S": "NOTE#1"}, "sk": {"S": "NOTE"}})
    assert RegistryWriter(table).put_all(Seed(), prune=True) == 0


# ---- The list of shops


def test_the_shops_are_read_once_a_minute(table, stored, calls, monotonic):
    assert [stored.shops(), stored.shops()] == 2 * [("main-shop",)]
    assert calls.operations() == ["GetItem"]
    monotonic.seconds += 60
    stored.shops()
    assert calls.operations() == ["GetItem", "GetItem"]


def test_a_registry_that_was_never_written_has_no_list_of_shops(table):
    with pytest.raises(NotFound, match="write the seed"):
        DynamoRegistry(table).shops()


def test_the_list_of_shops_grows_with_each_seed_and_shrinks_only_when_it_is_pruned(table):
    writer, other = RegistryWriter(table), SHOP.model_copy(update={"id": "a-shop"})
    writer.put_all(SEED)
    writer.put_all(Seed(shops=(other,)))
    assert DynamoRegistry(table).shops() == ("a-shop", "main-shop")
    writer.put_all(Seed(shops=(other,)), prune=True)
    assert DynamoRegistry(table).shops() == ("a-shop",)


def test_a_shop_is_in_the_list_before_it_can_receive_orders(table, watch):
    calls = watch(session.dynamodb())
    RegistryWriter(table).put_all(SEED)
    written = [
        request["PutRequest"]["Item"]["pk"]["S"]
        for operation, given in calls.made
        if operation == "BatchWriteItem"
        for request in given["RequestItems"][table]
    ]
    assert written[0] == "SHOPS"
