"""The part of the deployed stack that a function uses, in this process."""

import json
from collections.abc import Callable

import pytest

from dropship.adapters import session
from tests.support.aws_account import aws, tables, watch
from tests.support.deployed import API_SECRETS, WEBHOOK_SECRETS, Partners, deploy
from tests.support.fakes import FakeClock
from tests.support.lambdas import Function, load
from tests.support.service_world import NOW

__all__ = ["API_SECRETS", "WEBHOOK_SECRETS", "aws", "tables", "watch"]


@pytest.fixture
def resources(tables: dict[str, str]) -> dict[str, str]:
    """Values of the template's logical ids: tables with a seeded registry, queues, workflows, secrets."""
    return deploy(tables)


@pytest.fixture
def partners() -> Partners:
    return Partners()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def function(resources: dict[str, str], partners: Partners, clock: FakeClock) -> Callable[[str], Function]:
    """Load a function with its real ports; only the clock and the HTTP calls to partners are fakes."""

    def loaded(name: str) -> Function:
        found = load(name, resources)
        found.app.clock, found.app.http = clock, partners.http
        return found

    return loaded


@pytest.fixture
def received(resources: dict[str, str]) -> Callable[[str], list[str]]:
    """Take the bodies out of a queue, by its logical id."""

    def drain(queue: str) -> list[str]:
        bodies: list[str] = []
        while found := session.sqs().receive_message(QueueUrl=resources[queue], MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                session.sqs().delete_message(QueueUrl=resources[queue], ReceiptHandle=message["ReceiptHandle"])
        return bodies

    return drain


@pytest.fixture
def executions(resources: dict[str, str]) -> Callable[[str], list[dict[str, str]]]:
    """Inputs of the executions of a workflow, by its logical id."""

    def found(workflow: str) -> list[dict[str, str]]:
        client = session.stepfunctions()
        started = client.list_executions(stateMachineArn=resources[workflow])["executions"]
        return [json.loads(client.describe_execution(executionArn=one["executionArn"])["input"]) for one in started]

    return found


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, object]]]:
    """The lines that functions wrote since the last call; all of them have to be JSON."""

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines
