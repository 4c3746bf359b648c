"""Order intake: one stored order and one started workflow, whatever webhooks come, and in whatever sequence."""

import json

import pytest

from dropship.domain.errors import InvalidMessage
from dropship.ports import NotFound
from dropship.services.messages import Webhook
from tests.support.interleaving import once_before
from tests.support.service_world import CASE, GREEN, KEY, PINK, from_shop, lines, payload

ADDRESS = payload("orders_paid")["shipping_address"]


def reasons(world):
    return [started["reason"] for started in world.workflows.fulfilments.values()]


def test_a_paid_order_is_stored_with_its_source_and_address_and_its_workflow_started(world):
    world.hear("orders/paid")

    assert world.order.status == "READY"
    assert [(line.id, line.sku, line.units.unrouted) for line in world.order.lines] == [
        (PINK, "IPOD2008PINK", 1),
        (GREEN, "IPOD2008PINK", 1),
    ]
    assert world.orders.source(KEY).chosen_shipping == "Generic Shipping"
    assert world.orders.recipient(KEY).name == "Steve Shipper"
    name = f"main-shop-{KEY.external_id}-{world.order.fence}-received"
    assert world.workflows.fulfilments == {name: {"order": str(KEY), "reason": "received"}}


def test_the_stored_state_holds_nothing_of_the_buyer(world):
    world.hear("orders/paid")
    stored = world.orders.states.stored[KEY].body
    for personal in ("Steve", "Shipper", "Shipping Street", "40003", "jon@example.com", "555"):
        assert personal not in stored


def test_the_same_event_again_changes_nothing_and_starts_nothing_more(world):
    world.hear("orders/paid")
    world.hear("orders/paid")
    assert world.version == 1
    assert len(world.workflows.fulfilments) == 1


def test_created_unpaid_is_ignored_until_it_is_paid(world):
    world.inbox.handle(from_shop("orders/paid", financial_status="pending"))
    assert world.orders.load(KEY) is None
    assert (world.orders.sources, world.workflows.fulfilments) == ({}, {})

    world.hear("orders/paid")
    assert world.order.status == "READY"


def test_updated_before_paid_takes_the_order_in_and_the_later_event_changes_nothing(world):
    world.hear("orders/updated")
    world.hear("orders/paid")

    assert world.version == 1
    assert world.orders.recipient(KEY).address1 == "125 Shipping Street", "the later address stays"
    assert len(world.workflows.fulfilments) == 1


def test_a_later_address_replaces_the_earlier_one_before_the_claim(world):
    world.hear("orders/paid")
    fence = world.order.fence
    world.hear("orders/updated")

    assert world.orders.recipient(KEY).address1 == "125 Shipping Street"
    assert world.order.fence > fence, "a plan made before is stale"
    assert len(world.workflows.fulfilments) == 2


def test_an_address_changed_after_the_claim_needs_a_person(world):
    world.dispatched()
    world.hear("orders/updated")
    assert list(world.tasks()) == ["ADDRESS_CHANGED"]


def test_an_order_without_an_address_is_held_and_freed_when_the_address_comes(world):
    world.hear("orders/paid", shipping_address=ADDRESS | {"city": "", "address1": ""})
    assert world.held() == {"ADDRESS_MISSING": "missing: address1, city"}
    assert world.workflows.fulfilments == {}

    world.hear("orders/updated")
    assert (world.held(), world.order.status) == ({}, "READY")
    assert reasons(world) == ["received"]


def test_cancelled_before_paid_is_cancelled_and_stays_so(world):
    world.hear("orders/cancelled")
    world.hear("orders/paid")

    assert world.order.status == "CANCELLED"
    assert (world.workflows.fulfilments, world.queues.sent) == ({}, [])


def test_cancelled_before_the_claim_ends_the_order_here_and_now(world):
    world.hear("orders/paid")
    world.hear("orders/cancelled")

    assert world.order.status == "CANCELLED"
    assert world.queues.sent == []
    assert world.plan()[1] == []


def test_cancelled_after_the_claim_is_asked_of_after_sales_each_time_it_comes(world):
    world.dispatched()
    world.hear("orders/cancelled")
    world.hear("orders/cancelled")

    assert world.order.status == "IN_FULFILMENT"
    assert world.sent("after-sales") == 2 * [{"kind": "cancel-order", "order": str(KEY)}]


def test_an_edit_that_leaves_nothing_to_ship_cancels_the_order(world):
    world.hear("orders/paid")
    world.hear("orders/updated", line_items=lines(fulfillable_quantity=0))
    assert world.order.status == "CANCELLED"


def test_an_order_with_nothing_to_ship_is_complete_at_once(world):
    world.hear("orders/paid", line_items=lines(requires_shipping=False))
    assert world.order.status == "COMPLETED"
    assert world.workflows.fulfilments == {}


def test_a_refund_goes_to_after_sales_and_touches_no_order(world):
    world.inbox.handle(from_shop("refunds/create"))

    (message,) = world.sent("after-sales")
    assert message["kind"] == "open-case"
    assert f"refund-{message['request']['id']}" == CASE
    assert world.orders.load(KEY) is None


def test_a_topic_that_is_not_for_us_is_done_with(world):
    webhook = from_shop("orders/paid")
    world.inbox.handle(webhook.model_copy(update={"headers": webhook.headers | {"x-shopify-topic": "app/uninstalled"}}))
    assert (world.queues.sent, list(world.orders.all())) == ([], [])


def test_a_webhook_of_another_shops_domain_is_refused(world):
    webhook = from_shop("orders/paid").model_copy(update={"connection": "second-shop"})
    with pytest.raises(InvalidMessage, match="came to shop second-shop"):
        world.inbox.handle(webhook)


def test_the_same_order_number_in_two_shops_is_two_orders(world):
    world.hear("orders/paid")
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-shop-domain": "second-shop.myshopify.com"}
    body = json.dumps(payload("orders_paid"))
    world.inbox.handle(Webhook(channel="shopify", connection="second-shop", headers=headers, body=body))
    assert {order.shop for order in world.orders.all()} == {"main-shop", "second-shop"}
    assert len(world.workflows.fulfilments) == 2


def test_a_webhook_of_an_unknown_shop_is_an_error(world):
    with pytest.raises(NotFound, match="'gone'"):
        world.inbox.handle(from_shop("orders/paid").model_copy(update={"connection": "gone"}))


# ---- Two workers at once


def test_two_workers_with_the_same_new_order_store_it_once_and_start_one_workflow(world):
    once_before(world.orders, "save", lambda: world.hear("orders/paid"))
    world.hear("orders/paid")
    assert world.version == 1
    assert len(world.workflows.fulfilments) == 1


@pytest.mark.parametrize(("ours", "theirs"), [("orders/paid", "orders/updated"), ("orders/updated", "orders/paid")])
def test_whichever_of_two_versions_is_saved_first_the_later_one_stays(world, ours, theirs):
    once_before(world.orders, "save", lambda: world.hear(theirs))
    world.hear(ours)
    assert world.order.source_version.minute == 17
    assert world.orders.recipient(KEY).address1 == "125 Shipping Street"


def test_a_claim_between_load_and_save_of_a_cancellation_leaves_it_to_after_sales(world):
    world.hear("orders/paid")
    once_before(world.orders, "save", world.dispatch)
    world.hear("orders/cancelled")

    assert world.order.status == "IN_FULFILMENT"
    assert world.kinds("after-sales") == ["cancel-order"]
    assert world.acme.open
