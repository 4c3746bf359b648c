"""The queues between the functions, on SQS."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dropship.ports import Unavailable

from . import session
from .session import unavailable_if_passing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
BATCH_BYTES = 1024 * 1024
BATCH_ATTEMPTS = 3
LONGEST_DELAY_S = 900


class SqsQueues:
    """Implements `ports.Queues`. `url_of` gives the URL of a queue by its name."""

    def __init__(self, url_of: Callable[[str], str], sqs: "Callable[[], SQSClient]" = session.sqs) -> None:
        self._url_of = url_of
        self._sqs = sqs

    def send(self, queue: str, body: str, delay_s: int = 0) -> None:
        """Send one message; a delay beyond the 900 seconds that SQS knows is cut to them."""
        with unavailable_if_passing(f"send to {queue}"):
            self._sqs().send_message(
                QueueUrl=self._url_of(queue), MessageBody=body, DelaySeconds=min(delay_s, LONGEST_DELAY_S)
            )

    def send_all(self, queue: str, bodies: Sequence[str]) -> None:
        """Send many. After Unavailable some may have been sent; repeating them all must be harmless."""
        for chunk in _batches(bodies):
            self._send_batch(queue, chunk)

    def _send_batch(self, queue: str, bodies: list[str]) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef]
        entries = [{"Id": str(position), "MessageBody": body} for position, body in enumerate(bodies)]
        refusal = ""
        for _ in range(BATCH_ATTEMPTS):
            with unavailable_if_passing(f"send to {queue}"):
                answer = self._sqs().send_message_batch(QueueUrl=self._url_of(queue), Entries=entries)
            refused = {failed["Id"]: failed["Code"] for failed in answer.get("Failed", [])}
            if not refused:
                return
            entries = [entry for entry in entries if entry["Id"] in refused]
            refusal = ", ".join(sorted(set(refused.values())))
        raise Unavailable(f"cannot send to {queue} now: {len(entries)} messages refused ({refusal})")


def delay_redelivery(
    queue_arn: str, receipt_handle: str, delay_s: int, sqs: "Callable[[], SQSClient]" = session.sqs
) -> None:
    """Let a received message come back after `delay_s` seconds, instead of the queue's visibility timeout.

    Where that cannot be done the message comes back all the same, only at its own time.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a client has imported it

    client = sqs()
    account, name = queue_arn.split(":")[-2:]
    with suppress(BotoCoreError, ClientError):
        client.change_message_visibility(
            QueueUrl=f"{client.meta.endpoint_url}/{account}/{name}",
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=delay_s,
        )


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Bodies in batches of at most ten messages and one MiB."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
