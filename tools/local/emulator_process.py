"""The emulator's own process, run by its interpreter; corrects where the emulator differs from AWS (decision 19).

- On AWS a failed function's `errorType` is its exception's class. The emulator always answers `Runtime.HandlerError`,
  so a workflow that retries by error name would never match. Here the worker also sends the name of the class, and
  the answer to the caller has it.
- On AWS the worker goes on after an exception. The emulator ends it, so each retry would start cold. Here it goes on.
- `SendTaskSuccess` is authorised against the state machine that gave the token; the emulator needs a grant on `*`.
- `SendMessageBatch` is covered by `sqs:SendMessage`; the emulator needs an action that does not exist in IAM.
- A queue's `MaximumConcurrency` is meant for AWS. Here every concurrent batch is a Python process that starts cold, so
  a burst of a few hundred messages would keep a laptop busy for a minute. So each queue gets only a few.
- An event source waits for its batching window; the emulator takes at once what is there.
- A schedule puts its time into its input, if the input asks for it.
"""
# ruff: noqa: SLF001 - the emulator has no public interface for this
# mypy: disable-error-code="import-not-found"

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, lambda_runtime
from ministack.services import eventbridge, lambda_svc, sqs, stepfunctions

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
SENT = '{"status": "error", "error": str(e), "trace"'
SENT_WITH_TYPE = '{"status": "ok", "raised": str(e), "error_type": type(e).__name__, "trace"'
UNNAMED = "Runtime.HandlerError"

CONCURRENCY = 2 * (os.cpu_count() or 1)

_latest = threading.local()  # an invocation and its answer are on one thread


def _remember_type(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def remembering(*arguments: object, **named: object) -> dict[str, Any]:
        _latest.error_type = None
        answer = invoke(*arguments, **named)
        _latest.error_type = answer.get("error_type")
        if "raised" in answer:  # marked as an error only now, because the emulator ends the worker at an error
            answer |= {"status": "error", "error": answer.pop("raised")}
        return answer

    return remembering


def _answer_type(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def answering(*arguments: object, **named: object) -> dict[str, Any]:
        answer = execute(*arguments, **named)
        if answer.get("error") and answer["body"].get("errorType") == UNNAMED and _latest.error_type:
            answer["body"]["errorType"] = _latest.error_type
        return answer

    return answering


def name_errors() -> None:
    """Make the answer of every failed invocation have its exception's class name.

    Raises:
        RuntimeError: this version of the emulator works differently; check whether it still needs this module.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(SENT) != 1:
        raise RuntimeError("The emulator's worker script has changed: correct tools/local/emulator_process.py.")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(SENT, SENT_WITH_TYPE)
    lambda_runtime.Worker.invoke = _remember_type(lambda_runtime.Worker.invoke)
    lambda_svc._execute_function_warm = _answer_type(lambda_svc._execute_function_warm)


def bound_concurrency() -> None:
    """Allow each queue at most `CONCURRENCY` batches at the same time."""
    limit = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda *arguments: min(CONCURRENCY, limit(*arguments))


def gather_batches() -> None:
    """Make a queue with a batching window gather messages for that long, or until the batch is full."""
    receive = sqs._receive_messages_for_esm
    waiting_since: dict[str, float] = {}

    def gathering(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        window, now = _window(queue_url), time.time()
        ready = sum(message.get("visible_at", 0) <= now for message in sqs._queues[queue_url]["messages"])
        since = waiting_since.setdefault(queue_url, now) if ready else now
        if ready < batch_size and now - since < window:
            return []
        waiting_since.pop(queue_url, None)
        return list(receive(queue_url, batch_size))

    sqs._receive_messages_for_esm = gathering


def _window(queue_url: str) -> float:
    name = queue_url.rsplit("/", 1)[-1]
    sources = (source for _, _, source in lambda_svc._iter_all_esms())
    windows = (
        float(source.get("MaximumBatchingWindowInSeconds") or 0)
        for source in sources
        if str(source["EventSourceArn"]).endswith(f":{name}")
    )
    return max(windows, default=0.0)


def say_when_it_was_scheduled() -> None:
    """Put the time of a schedule into its input, if the input asks for it."""
    invoke = eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = str(target.get("Input") or "")
        invoke(target | ({"Input": given.replace(SCHEDULED_TIME, at)} if given else {}), event, rule)

    eventbridge._invoke_target = invoked


def authorise_as_aws_does() -> None:
    """Check the answer to a waiting task against the state machine that waits, and a batch as its messages."""
    resource_of, action_of = iam_actions.extract_resource_arn, iam_actions.extract_iam_action

    def action(*arguments: object, **named: object) -> object:
        found = action_of(*arguments, **named)
        return "sqs:SendMessage" if found == "sqs:SendMessageBatch" else found

    def resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: object) -> str:
        if service == "states" and b'"taskToken"' in (body or b""):
            for arn, machine in stepfunctions._state_machines.items():
                if ".waitForTaskToken" in machine["definition"]:
                    return str(arn)
        return str(resource_of(service, method, path, headers, body, *rest))

    iam_actions.extract_resource_arn, iam_actions.extract_iam_action = resource, action


if __name__ == "__main__":
    name_errors()
    authorise_as_aws_does()
    bound_concurrency()
    gather_batches()
    say_when_it_was_scheduled()
    if os.environ.keys() & {"DAIFA_CALL_RECORD", "DAIFA_ACCESS_RECORD"}:
        sys.path.append(str(Path(__file__).resolve().parents[2]))
        from tools.local import access_record, call_record

        call_record.start_if_wanted()
        access_record.start_if_wanted()
    main()
