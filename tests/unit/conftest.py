"""Unit tests reach nothing outside their process. In CI their random examples are the same in every run."""

import os

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def no_network():
    """Opening a socket fails the test. Unix sockets stay allowed: an event loop uses one to wake itself."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
