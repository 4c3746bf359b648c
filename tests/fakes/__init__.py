"""The ports in memory. They keep the same contract as the real adapters: tests/adapters runs both through it."""

from .clock import FakeClock
from .http import FakeHttp
from .queues import FakeQueues, SentMessage
from .registry import FakeRegistry
from .secrets import FakeSecrets
from .stores import FakeCases, FakeOrders
from .workflows import FakeWorkflows

__all__ = [
    "FakeCases",
    "FakeClock",
    "FakeHttp",
    "FakeOrders",
    "FakeQueues",
    "FakeRegistry",
    "FakeSecrets",
    "FakeWorkflows",
    "SentMessage",
]
