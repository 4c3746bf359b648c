"""One real stack for the whole run: the real template in the emulator, the sandbox for partners.

`AUTH=true` runs everything with IAM enforced. `KEEP=1` leaves the stack up afterwards.
"""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.world import World
from tools.local.stack import ROOT, Options, down, up

AUTH = os.environ.get("AUTH") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the traces of the whole run comes last."""
    items.sort(key=lambda item: item.get_closest_marker("afterwards") is not None)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    directory = ROOT / ".local" / ("e2e-auth" if AUTH else "e2e")
    down(directory)
    stack = up(Options(directory, port=0, sandbox_port=0, auth=AUTH, wait_scale=0.1))
    yield World(stack)
    if not os.environ.get("KEEP"):
        down(directory)


@pytest.fixture(autouse=True)
def well_partners(world: World) -> Iterator[None]:
    """Every test begins and ends with partners that do as they should."""
    world.sandbox.heal()
    for supplier in ("acme", "bolt"):
        world.sandbox.behave(supplier)
    yield
    world.sandbox.heal()
