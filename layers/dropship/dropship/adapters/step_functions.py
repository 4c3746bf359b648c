"""Workflow executions, on Step Functions. The same code starts STANDARD and EXPRESS workflows."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from dropship.domain.identity import OrderKey
from dropship.domain.orders.unrouted import Unrouted

from . import session
from .session import unavailable_if_passing

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

LONGEST_NAME = 80
INPUT_BYTES = 200_000
"""Limit for the input. Step Functions allows 256 KiB, and the results of the steps repeat parts of the input."""
_DIGEST = 16


class Arns(Protocol):
    """The state machines to start. An ARN is read only when its state machine is started."""

    @property
    def fulfilment_workflow_arn(self) -> str:
        """The ARN of `order_fulfilment`."""

    @property
    def case_workflow_arn(self) -> str:
        """The ARN of `after_sales_case`."""


class StepFunctionsWorkflows:
    """Implements `ports.Workflows`."""

    def __init__(self, arns: Arns, stepfunctions: "Callable[[], SFNClient]" = session.stepfunctions) -> None:
        self._arns = arns
        self._stepfunctions = stepfunctions

    def start_fulfilment(self, order: OrderKey, name: str, reason: str, unrouted: Unrouted | None = None) -> None:
        """Start `order_fulfilment` for an order; `unrouted` is left out if it is too long for the input."""
        wanted = {"order": str(order), "reason": reason}
        known = "" if unrouted is None else _text({**wanted, "unrouted": unrouted.model_dump(mode="json")})
        short = 0 < len(known.encode()) <= INPUT_BYTES
        self._start(self._arns.fulfilment_workflow_arn, name, known if short else _text(wanted))

    def start_case(self, shop: str, case: str) -> None:
        """Start `after_sales_case`. A shop's id has no underscore, so no two cases share a name."""
        self._start(self._arns.case_workflow_arn, f"{shop}_{case}", _text({"case": f"{shop}#{case}"}))

    def finish(self, task_token: str, output: Mapping[str, str]) -> None:
        """Answer a waiting task; if it was answered, timed out or ended before, nothing happens."""
        client = self._stepfunctions()
        gone = (client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut, client.exceptions.InvalidToken)
        try:
            with unavailable_if_passing("answer a workflow"):
                client.send_task_success(taskToken=task_token, output=json.dumps(dict(output)))
        except gone:
            return

    def _start(self, arn: str, name: str, payload: str) -> None:
        client = self._stepfunctions()
        try:
            with unavailable_if_passing("start a workflow"):
                client.start_execution(stateMachineArn=arn, name=execution_name(name), input=payload)
        except client.exceptions.ExecutionAlreadyExists:
            return


def _text(payload: Mapping[str, object]) -> str:
    return json.dumps(payload, ensure_ascii=False)


def execution_name(wanted: str) -> str:
    """The name as Step Functions allows it: at most 80 letters, digits, `-` and `_`.

    If the name has to be changed, it ends with a digest of the whole name, so that different names stay different.
    """
    if re.fullmatch(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}", wanted):
        return wanted
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:_DIGEST]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted)[: LONGEST_NAME - _DIGEST - 1]
    return f"{readable}-{digest}"
