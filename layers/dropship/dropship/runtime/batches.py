"""Batches from SQS: each message on its own, a failed one soon again (decision 12), the others done."""

from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from dropship.adapters.sqs import delay_redelivery
from dropship.ports import Outbox
from dropship.services.several import kept_for_the_end

from .application import Application
from .failures import describe, is_permanent

MOST_DELAY_S = 900


class _Batch(BatchProcessor):
    """Logs a failure by class and place, and sets the wait for the next try.

    What may pass waits 5 s, 20 s, 80 s and so on: the five tries outlast some minutes of trouble at AWS or a partner.
    What can never be done is set aside soon.
    """

    def __init__(self, app: Application) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._app = app

    def failure_handler(self, record: SQSRecord, exception: object) -> object:  # type: ignore[override] # Powertools' type of it is private
        error = exception[1] if isinstance(exception, tuple) else None
        tries = int(record.attributes.approximate_receive_count)
        failed = describe(error) if isinstance(error, BaseException) else {}
        self._app.logger.error("message failed", extra={"message_id": record.message_id, "tries": tries, **failed})
        wanted = float(getattr(error, "retry_after", 0))
        base = self._app.settings.retry_base_s
        delay = max(wanted, base if is_permanent(error) else base * 4 ** (tries - 1))
        delay_redelivery(record.event_source_arn, record.receipt_handle, min(int(delay), MOST_DELAY_S))
        return super().failure_handler(record, exception)  # type: ignore[arg-type] # Powertools' type of it is private


def consume(
    app: Application,
    event: dict[str, Any],
    context: LambdaContext,
    handle: Callable[[str], None],
    *,
    at_once: Callable[[str], bool] | bool = False,
) -> PartialItemFailureResponse:
    """Hand each message's body to `handle`; the answer names those that failed.

    A function that waits for partners is billed for waiting, so it waits for several at once: for all messages, or for
    those whose body `at_once` picks, while it works on the others.
    """
    records, picks = event["Records"], at_once if callable(at_once) else lambda _: bool(at_once)
    picked = [record for record in records if picks(record["body"])] if len(records) > 1 else []
    begun = {record["messageId"]: app.threads.submit(handle, record["body"]) for record in picked}

    def finish(record: SQSRecord) -> None:
        if record.message_id in begun:
            begun[record.message_id].result()
        else:
            handle(record.body)

    return _process(app, event, context, finish)


class _Worked:
    """A message of a batch that is being worked off. Implements `ports.Outbox`: it keeps what the message sends."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failures: list[Exception] = []

    def send(self, queue: str, body: str) -> None:
        """Keep it for the end of the batch."""
        self.sent.append((queue, body))

    def fail(self, errors: Sequence[Exception]) -> None:
        """It failed with these errors; with none it did not."""
        self.failures += errors

    def bodies(self, queue: str) -> list[str]:
        """What it sends to one queue."""
        return [body for name, body in self.sent if name == queue]


def consume_gathering(
    app: Application, event: dict[str, Any], context: LambdaContext, handle: Callable[[str, Outbox], None]
) -> PartialItemFailureResponse:
    """Hand each message's body to `handle`, with an outbox; the answer names those that failed.

    What the messages of a batch send goes to each queue in as few requests as SQS allows. It goes when all of them
    are handled, and before any of them counts as done. A message also fails if what it sends may not have been sent.
    """
    worked = {record["messageId"]: _Worked() for record in event["Records"]}
    for record in event["Records"]:
        message = worked[record["messageId"]]
        with kept_for_the_end(message.failures):
            handle(record["body"], message)
    for queue in sorted({queue for message in worked.values() for queue, _ in message.sent}):
        senders = [message for message in worked.values() if message.bodies(queue)]
        refused: list[Exception] = []
        with kept_for_the_end(refused):
            app.queues.send_all(queue, [body for sender in senders for body in sender.bodies(queue)])
        for sender in senders:
            sender.fail(refused)

    def finish(record: SQSRecord) -> None:
        if failures := worked[record.message_id].failures:
            raise failures[0]

    return _process(app, event, context, finish)


def _process(
    app: Application, event: dict[str, Any], context: LambdaContext, handle: Callable[[SQSRecord], None]
) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=handle, processor=_Batch(app), context=context)
