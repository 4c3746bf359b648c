"""Runs in the emulator's process when it enforces IAM: records which function asked for which action and resource.

The file `$DAIFA_ACCESS_RECORD` gets one JSON line for each different request, no matter how often it was made.
"""
# mypy: disable-error-code="import-not-found"

import json
import os
import threading
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

VARIABLE = "DAIFA_ACCESS_RECORD"
_ASSUMED = ":assumed-role/"


def record_access(file: Path) -> None:
    """From now on, record what is requested with a function's role, and whether it was allowed."""
    enforce, known, writing = iam_evaluator.enforce, set[str](), threading.Lock()

    def enforcing(
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> object:
        denied = enforce(access_key, action, service, region, resource_arn, service_context)
        caller = str(iam_evaluator.caller_arn())
        if _ASSUMED in caller:  # the session is named after the function
            function = caller.rsplit("/", 1)[1]
            asked = {"function": function, "action": action, "resource": resource_arn, "allowed": denied is None}
            row = json.dumps(asked) + "\n"
            with writing:
                if row not in known:
                    known.add(row)
                    with file.open("a") as lines:
                        lines.write(row)
        return denied

    iam_evaluator.enforce = enforcing


def start_if_wanted() -> None:
    """Record if the environment names a file."""
    if file := os.environ.get(VARIABLE):
        record_access(Path(file))
