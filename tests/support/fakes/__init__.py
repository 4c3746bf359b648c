"""The ports in memory. They keep the same contract as the real adapters: tests/adapters tests both against it."""

from tests.support.fakes.clock import FakeClock
from tests.support.fakes.http import FakeHttp
from tests.support.fakes.queues import FakeQueues, SentMessage
from tests.support.fakes.registry import FakeRegistry
from tests.support.fakes.secrets import FakeSecrets
from tests.support.fakes.stores import FakeCases, FakeOrders
from tests.support.fakes.suppliers import FakeSuppliers
from tests.support.fakes.workflows import FakeWorkflows

__all__ = [
    "FakeCases",
    "FakeClock",
    "FakeHttp",
    "FakeOrders",
    "FakeQueues",
    "FakeRegistry",
    "FakeSecrets",
    "FakeSuppliers",
    "FakeWorkflows",
    "SentMessage",
]
