"""The functions as Lambda runs them: each file by itself, with the environment that the template gives it."""

import importlib.util
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.support.template_document import FUNCTIONS, QUEUES, ROOT, TABLES, WORKFLOWS, environment, folder

EVENTS = ROOT / "events"
STAGE = "test"
LOGICAL_IDS = {folder(name): name for name in FUNCTIONS}
_VALUES = {"Stage": STAGE, "LogLevel": "INFO", "AllowPrivateAddresses": "false", "RetryBaseSeconds": "5"}
_numbers = itertools.count()


def event(path: str) -> dict[str, Any]:
    """An example event, e.g. `order_ingest/orders_paid`."""
    return dict(json.loads((EVENTS / f"{path}.json").read_text(encoding="utf-8")))


def events_of(function: str) -> list[str]:
    """Names of a function's example events."""
    return sorted(path.stem for path in (EVENTS / function).glob("*.json"))


def sqs_batch(*bodies: str, like: str, tries: int = 1) -> dict[str, Any]:
    """A batch with these bodies, otherwise like an example event; message ids are `m0`, `m1` and so on."""
    record = event(like)["Records"][0]
    attributes = record["attributes"] | {"ApproximateReceiveCount": str(tries)}
    return {
        "Records": [
            record | {"messageId": f"m{number}", "body": body, "attributes": attributes}
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: Mapping[str, Any]) -> list[str]:
    """The message ids that an answer to a batch reports as failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


class Context(LambdaContext):
    """What Lambda tells a function about its invocation."""

    def __init__(self) -> None:
        self._aws_request_id = "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@dataclass
class Function:
    """A function, freshly loaded. To replace its ports, set them on `app`."""

    name: str
    module: ModuleType
    environment: Mapping[str, str]

    @property
    def app(self) -> Any:
        return self.module.app

    def __call__(self, event: object) -> Any:
        for handler in self.app.logger._logger.handlers:
            handler.setStream(sys.stdout)  # the stream of this test; the logger was made with another one
        with _only(self.environment):
            answer = self.module.handler(json.loads(json.dumps(event)), Context())
        return json.loads(json.dumps(answer))


def load(name: str, resources: Mapping[str, str]) -> Function:
    """Load a function with its own environment; `resources` are values of the template's logical ids.

    Each call makes a new module with a new logger, so that tests do not affect each other.
    """
    number = next(_numbers)
    variables = {key: _resolved(value, resources) for key, value in environment(LOGICAL_IDS[name]).items()}
    variables["POWERTOOLS_SERVICE_NAME"] += f"-{number}"
    path = ROOT / "functions" / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"function_{name}_{number}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _only(variables):
        spec.loader.exec_module(module)
    return Function(name, module, variables)


def _resolved(value: Any, resources: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return _VALUES.get(value["Ref"]) or resources[value["Ref"]]
    text = str(value["Fn::Sub"])
    return resources["CaseWorkflow"] if text.endswith("after-sales-case") else text.replace("${Stage}", STAGE)


def made_up_resources() -> dict[str, str]:
    """Made-up values of the template's logical ids, for a function that must not reach any of them."""
    return dict.fromkeys((*QUEUES, *TABLES, *WORKFLOWS), "https://sqs.us-east-1.amazonaws.com/123456789012/made-up")


def environment_of(name: str) -> dict[str, str]:
    """A function's environment with something made up for every resource."""
    made_up = made_up_resources()
    return {key: _resolved(value, made_up) for key, value in environment(LOGICAL_IDS[name]).items()}


@contextmanager
def _only(variables: Mapping[str, str]) -> Iterator[None]:
    """Set this function's variables in the environment of the process, and remove those of other functions."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PY", "PATH", "HOME"))}
    with patch.dict(os.environ, kept | dict(variables), clear=True):
        yield


def source_of(name: str) -> Path:
    """The folder of a function's code."""
    return ROOT / "functions" / name
