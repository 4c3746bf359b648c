"""One real stack for the whole run: the real template in the emulator, the sandbox for partners.

`AUTH=true` enforces IAM; the whole suite runs like this. Tests marked `without_iam` also run without it, because the
emulator then works differently: functions have no role of their own, and callers are not checked. `KEEP=1` leaves the
stack up afterwards.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.world import World
from tools.local.stack import ROOT, Options, Stack, down, up

AUTH = os.environ.get("AUTH") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that check the traces of the whole run come last. The time limit allows several waits, and the start."""
    for item in items:
        item.add_marker(pytest.mark.timeout(300))
    items.sort(key=lambda item: item.get_closest_marker("afterwards") is not None)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    directory = ROOT / ".local" / ("e2e-auth" if AUTH else "e2e")
    down(directory)
    stack = up(Options(directory, port=0, sandbox_port=0, auth=AUTH, wait_scale=0.05))
    start_what_is_scheduled_once(stack)
    yield World(stack)
    if not os.environ.get("KEEP"):
        down(directory)


def start_what_is_scheduled_once(stack: Stack) -> None:
    """Let each schedule start its function once, at once, and never again: no test must meet a sweep by chance."""
    stack.stop_schedules()
    scheduler = stack.client("scheduler")
    for one in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=one["Name"])
        scheduler.create_schedule(
            Name=f"{one['Name']}-once",
            ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
            Target=schedule["Target"],
        )


@pytest.fixture(autouse=True)
def well_partners(world: World) -> Iterator[None]:
    """After every test, let all partners behave well again."""
    yield
    world.sandbox.heal()
    for supplier in ("acme", "bolt"):
        world.sandbox.behave(supplier)
