"""The queues in memory."""

from collections.abc import Sequence
from typing import NamedTuple

from dropship.ports import Unavailable


class SentMessage(NamedTuple):
    """A message as it was sent."""

    queue: str
    body: str
    delay_s: int


class FakeQueues:
    """`ports.Queues`. `sent` has every message, the oldest first."""

    def __init__(self) -> None:
        self.sent: list[SentMessage] = []
        self.down = False
        """While this is true, every send is refused."""

    def send(self, queue: str, body: str, delay_s: int = 0) -> None:
        if self.down:
            raise Unavailable(f"cannot send to {queue} now")
        self.sent.append(SentMessage(queue, body, delay_s))

    def send_all(self, queue: str, bodies: Sequence[str]) -> None:
        for body in bodies:
            self.send(queue, body)

    def bodies(self, queue: str) -> list[str]:
        """The bodies sent to a queue."""
        return [message.body for message in self.sent if message.queue == queue]

    def drain(self, queue: str) -> list[str]:
        """The bodies sent to a queue. The queue is empty afterwards."""
        bodies = self.bodies(queue)
        self.sent = [message for message in self.sent if message.queue != queue]
        return bodies
