"""AWS in this process as fixtures: moto, with the tables as the template defines them."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from dropship.adapters import session
from tests.support.deployed import create_tables


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account, and clients that know it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    session.reset()
    with mock_aws():
        yield
    session.reset()


@pytest.fixture
def tables(aws: None) -> dict[str, str]:
    """Names of the template's tables by logical id."""
    return create_tables()


class Calls:
    """Every call of one client. A test can make each of them fail."""

    def __init__(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self._real = client._make_api_call
        self._faults: list[Any] = []
        monkeypatch.setattr(client, "_make_api_call", self._call)

    def fail(self, *errors: Exception) -> None:
        """Let the next calls fail with these errors, without effect."""
        self._faults.extend(errors)

    def lose_next_answer(self) -> None:
        """The next call takes effect, but its answer is lost, and the SDK sends it again."""
        self._faults.append(None)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.made]

    def _call(self, operation: str, parameters: dict[str, Any]) -> Any:
        self.made.append((operation, parameters))
        if self._faults:
            fault = self._faults.pop(0)
            if fault is not None:
                raise fault
            self._real(operation, parameters)
        return self._real(operation, parameters)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch):
    """Watch the calls of a client."""
    return lambda client: Calls(client, monkeypatch)
