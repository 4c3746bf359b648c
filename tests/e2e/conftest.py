"""One real stack for the whole run: the real template in the emulator, the sandbox for partners.

`AUTH=true` enforces IAM: so the whole suite runs. Tests marked `without_iam` run without it as well, for there the
emulator takes another way: functions have no role of their own, and nobody asks who calls. `KEEP=1` leaves the stack
up afterwards.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.world import World
from tools.local.stack import ROOT, Options, Stack, down, up

AUTH = os.environ.get("AUTH") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the traces of the whole run comes last. A test may wait for several things, and for the stack."""
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
    """Each schedule starts its function soon, once, and then no more: no test is to meet a sweep by chance."""
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
    """Every test ends with partners that do as they should."""
    yield
    world.sandbox.heal()
    for supplier in ("acme", "bolt"):
        world.sandbox.behave(supplier)
