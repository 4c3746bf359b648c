"""The deployed stack, as far as a function sees it, in this process."""

import json
from collections.abc import Callable

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_registry_writer import RegistryWriter
from tests.adapters.conftest import aws, tables, watch
from tests.fakes import FakeClock, FakeHttp
from tests.functions.lambdas import STAGE, Function, load
from tests.template.document import QUEUES, WORKFLOWS
from tests.unit.services.partners import ShopApi, SupplierApi, TrackerApi
from tests.unit.services.world import GREEN, NOW, PINK, seed

__all__ = ["aws", "tables", "watch"]

WEBHOOK_SECRETS = {
    "shopify/main-shop": "shpss_0123456789abcdef0123456789abcdef",
    "supplier-v1/acme": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "kuaidi100/kd100": "s4ltXXXX",
}
API_SECRETS = {
    "shopify/main-shop": {"access_token": "shpat_secret"},
    "supplier-v1/acme": {"api_key": "key-of-acme-secret"},
    "kuaidi100/kd100": {"customer": "customer-secret", "key": "key-secret", "salt": "salt-secret"},
}
_MACHINE = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'


@pytest.fixture
def resources(tables: dict[str, str]) -> dict[str, str]:
    """Values of the template's logical ids: tables with a seeded registry, queues, workflows, secrets."""
    made = dict(tables)
    for name, queue in QUEUES.items():
        queue_name = queue["QueueName"]["Fn::Sub"].replace("${AWS::StackName}", "daifa")
        made[name] = session.sqs().create_queue(QueueName=queue_name)["QueueUrl"]
    for name in WORKFLOWS:
        role = "arn:aws:iam::123456789012:role/workflow"
        machine = session.stepfunctions().create_state_machine(name=f"daifa-{name}", definition=_MACHINE, roleArn=role)
        made[name] = machine["stateMachineArn"]
    parameters = {f"webhook/{name}": {"secrets": [secret]} for name, secret in WEBHOOK_SECRETS.items()}
    parameters |= {f"api/{name}": fields for name, fields in API_SECRETS.items()}
    for name, fields in parameters.items():
        session.ssm().put_parameter(Name=f"/daifa/{STAGE}/{name}", Value=json.dumps(fields), Type="SecureString")
    RegistryWriter(tables["RegistryTable"]).put_all(seed())
    return made


class Partners:
    """Everybody outside, in memory."""

    def __init__(self) -> None:
        self.acme, self.shop, self.tracker = SupplierApi(), ShopApi(units={PINK: 1, GREEN: 1}), TrackerApi()
        self.http = FakeHttp()
        self.http.partner("http://partners.test/suppliers/acme", self.acme)
        self.http.partner("http://partners.test/shopify/main-shop", self.shop)
        self.http.partner("http://partners.test/kuaidi100", self.tracker)


@pytest.fixture
def partners() -> Partners:
    return Partners()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def function(resources: dict[str, str], partners: Partners, clock: FakeClock) -> Callable[[str], Function]:
    """Load a function with the real composition; only the clock and the way out to partners are fakes."""

    def loaded(name: str) -> Function:
        found = load(name, resources)
        found.app.clock, found.app.http = clock, partners.http
        return found

    return loaded


@pytest.fixture
def received(resources: dict[str, str]) -> Callable[[str], list[str]]:
    """Take the bodies out of a queue, by its logical id."""

    def take(queue: str) -> list[str]:
        bodies: list[str] = []
        while found := session.sqs().receive_message(QueueUrl=resources[queue], MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                session.sqs().delete_message(QueueUrl=resources[queue], ReceiptHandle=message["ReceiptHandle"])
        return bodies

    return take


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
    """The lines that functions wrote since the last time, which all have to be JSON."""

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines
