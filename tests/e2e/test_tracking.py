"""Following parcels: the newest scan by time counts, and nothing ever moves back."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.order_views import dispatched
from tests.e2e.world import World, eventually


@pytest.fixture
def shipped(world: World) -> tuple[dict, str]:
    order = world.buy()
    world.when(order, dispatched)
    number = world.ship(order)["number"]
    eventually(lambda: any(p.get("callback_url") for p in world.sandbox.parcels(number)), lambda: "subscribed")
    return order, number


def state(order: dict) -> str:
    return str(order["parcels"][0]["state"])


def test_repeated_out_of_order_and_unknown_scans_never_move_a_parcel_back(world: World, shipped):
    order, number = shipped
    world.sandbox.scan(number, "yuantong", ["103", "0", "5"])
    world.when(order, lambda seen: state(seen) == "OUT_FOR_DELIVERY")
    world.sandbox.scan(number, "yuantong", [], repeat=4, parallel=True)
    world.sandbox.scan(number, "yuantong", ["987654"])
    world.sandbox.scan(number, "yuantong", ["3"], repeat=3, parallel=True)
    world.until(order, "DELIVERED")
    earlier = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    world.sandbox.scan(number, "yuantong", ["0"], at=earlier)
    world.quiet("TrackingQueue")
    seen = world.until(order, "DELIVERED")
    assert state(seen) == "DELIVERED"
    assert [entry["what"] for entry in seen["timeline"]].count("parcel DELIVERED") == 1


def test_without_pushes_the_poll_round_finds_the_news(world: World, shipped):
    order, number = shipped
    world.sandbox.scan(number, "yuantong", ["0", "3"], push=False)
    assert world.invoke("tracking-schedule", {"everything": True})["orders"] >= 1
    world.until(order, "DELIVERED")

    def retired() -> bool:
        world.invoke("tracking-schedule", {"everything": True})
        before = len(world.sandbox.records("kuaidi100", "query", number))
        world.invoke("tracking-schedule", {"everything": True})
        world.quiet("TrackingQueue")
        return len(world.sandbox.records("kuaidi100", "query", number)) == before

    eventually(retired, lambda: "a delivered parcel is polled no more")


def test_one_waybill_cannot_serve_two_orders(world: World, shipped):
    _, number = shipped
    other = world.buy()
    world.when(other, dispatched)
    (purchase_order,) = world.purchase_orders(other)
    world.sandbox.ship("acme", purchase_order["reference"], carrier="YTO", tracking_number=number)
    seen = world.when(other, lambda seen: any(task["kind"] == "WAYBILL_REUSED" for task in seen["tasks"]))
    assert seen["parcels"] == []
