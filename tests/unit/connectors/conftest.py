"""Connectors do no input and output: no test here may open a socket."""

import pytest


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled):
    return socket_disabled
