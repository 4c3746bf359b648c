"""A fresh world for each test."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from dropship.runtime.application import AT_ONCE
from tests.support.service_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def several_at_once(world):
    """Trackers are asked in threads, as in the function."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        world.ask_all = threads.map
        yield
