"""A partner that rejects our key says nothing about the order: everything is done once the key is right."""

import pytest

from dropship.ports import Unavailable
from dropship.services.messages import CancelOrder, PollParcels, WatchParcel
from dropship.services.purchasing.dispatch import SupplierBusy
from tests.support.partner_apis import answer
from tests.support.service_world import KEY, PO, WAYBILL
from tests.support.submitting import give_up, planned, submit

REFUSALS = [answer(401), answer(402), answer(403, {"errors": "[API] forbidden"}), answer(423)]
POLL, WATCH = PollParcels(orders=[str(KEY)]), WatchParcel(waybill=str(WAYBILL))
SHOP, ACME = "api/shopify/main-shop", "api/supplier-v1/acme"


@pytest.fixture
def secrets_asked(world):
    world.secrets.reads.clear()
    return lambda: [wanted for name, wanted in world.secrets.reads if name in {SHOP, ACME}]


@pytest.mark.parametrize("operation", ["ask", "create"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: str(refusal.status))
def test_a_parcel_is_told_when_the_shop_takes_our_key_again(world, operation, refusal):
    world.shipped()
    world.shop.fail(operation, refusal)
    with pytest.raises(Unavailable, match=f"Shopify answered {refusal.status}"):
        world.tell_marketplace()
    assert (world.parcel.writeback, world.tasks()) == ("DUE", {})
    world.tell_marketplace()
    assert world.shop.told == [WAYBILL.number]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: str(refusal.status))
def test_a_cancellation_is_asked_again_until_the_supplier_takes_our_key(world, refusal):
    world.dispatched()
    world.acme.fail("cancel", refusal)
    with pytest.raises(Unavailable, match=f"does not take our key: it answered {refusal.status}"):
        world.tell(CancelOrder(order=str(KEY)))
    assert (world.purchase_order.cancel, world.acme.open) == ("WANTED", [PO])
    world.tell(CancelOrder(order=str(KEY)))
    assert (world.order.status, world.acme.open) == ("CANCELLED", [])


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: str(refusal.status))
def test_a_purchase_order_stays_claimed_and_is_placed_once_by_whoever_comes_next(refusal):
    world = planned()
    world.acme.fail("place", refusal)
    world.acme.fail("find", refusal)
    for _ in ("place", "find"):
        with pytest.raises(SupplierBusy, match=f"does not take our key: it answered {refusal.status}"):
            submit(world)
    assert give_up(world) == "DISPATCHING"
    assert (list(world.tasks()), world.held()) == (["SUPPLIER_BUSY"], {})
    assert submit(world) == "DISPATCHED"
    assert (world.acme.requests("place"), world.acme.open, world.tasks()) == ([PO, PO], [PO], {})


def test_a_tracker_that_does_not_take_our_key_is_counted_and_asked_again_by_the_next_round(world):
    world.shipped()
    world.tracker.fail("query", answer(403))
    world.tracking.handle(POLL)
    assert world.counted == [("TrackerRefused", "kd100: 快递100 answered 403")]
    world.tracking.handle(POLL)
    assert world.tracker.requests("query") == [WAYBILL.number] * 2


def test_a_subscription_is_asked_again_until_the_tracker_takes_our_key(world):
    world.shipped()
    world.tracker.fail("subscribe", answer(401))
    with pytest.raises(Unavailable, match="快递100 answered 401"):
        world.tracking.handle(WATCH)
    world.tracking.handle(WATCH)
    assert world.tracker.requests("subscribe") == [WAYBILL.number] * 2


def rotating(world, monkeypatch):
    """When the secret is read again, it has changed."""
    known, real = dict(world.secrets.known[SHOP]), world.secrets.get

    def get(name, *, newer_than_s=None):
        if name == SHOP and newer_than_s is not None:
            return known | {"access_token": "shpat_new"}
        return real(name, newer_than_s=newer_than_s)

    monkeypatch.setattr(world.secrets, "get", get)


def test_a_key_that_was_rotated_a_moment_ago_is_read_anew_and_used_at_once(world, monkeypatch):
    world.shipped()
    rotating(world, monkeypatch)
    sent, real = [], world.http.send
    monkeypatch.setattr(world.http, "send", lambda url, request: (sent.append(request), real(url, request))[1])
    world.shop.fail("ask", answer(401))
    world.tell_marketplace()
    tokens = [request.headers["x-shopify-access-token"] for request in sent]
    assert tokens[1] == "shpat_new" != tokens[0]
    assert world.shop.told == [WAYBILL.number]


def test_a_refused_key_that_is_still_the_one_we_have_is_not_tried_twice(world, secrets_asked):
    world.shipped()
    secrets_asked()
    world.shop.fail("ask", answer(401), answer(401))
    with pytest.raises(Unavailable):
        world.tell_marketplace()
    assert world.shop.requests("ask") == ["gid://shopify/Order/" + KEY.external_id]
    assert any(wanted is not None for wanted in secrets_asked())
