"""Unit tests reach nothing outside their process."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network():
    """Opening a socket fails the test. Unix sockets stay allowed: an event loop uses one to wake itself."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
