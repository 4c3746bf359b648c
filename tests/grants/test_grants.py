"""Every grant that our own calls use is needed, every call of a handler is granted, and nothing else is."""

import pytest
from botocore.exceptions import ClientError

from dropship.adapters import session
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import World, account
from tests.grants import removal
from tests.grants.gate import Gate
from tests.grants.granted import Deployment, Grant, all_grants, expected_of_the_service, own_grants, reason
from tests.grants.removal import HANDLERS, take_all_away
from tests.support.template_document import FUNCTIONS, WORKFLOWS, folder

VALUES = {"OrdersTable": "orders-x", "InboxQueue": "https://sqs/1/daifa-inbox", "CaseWorkflow": "arn:the-case"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("handler", HANDLERS)
def test_something_fails_without_any_one_grant_and_every_call_is_granted(handler):
    (result,) = take_all_away([handler])
    assert (result.unused, result.idle, result.uncovered) == ([], [], [])
    assert set(result.needed) == {grant for grant in own_grants() if grant.holder == handler}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_aws_uses_in_a_functions_name_is_what_its_settings_need(function):
    of_the_service = {grant for grant in all_grants() if grant.holder == folder(function) and reason(grant)}
    assert of_the_service == expected_of_the_service(function)


def test_workflows_make_no_call_of_ours():
    assert {grant.holder for grant in own_grants()} <= set(HANDLERS)
    assert {grant.holder for grant in all_grants()} == {*HANDLERS, *WORKFLOWS}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("OrdersTable", "arn:aws:dynamodb:us-east-1:123456789012:table/orders-x"),
        ("${OrdersTable.Arn}/index/due", "arn:aws:dynamodb:us-east-1:123456789012:table/orders-x/index/due"),
        ("InboxQueue", "arn:aws:sqs:us-east-1:123456789012:daifa-inbox"),
        ("arn:${AWS::Partition}:states:x:stateMachine:${AWS::StackName}-after-sales-case", "arn:the-case"),
        ("arn:${AWS::Partition}:ssm:::parameter/daifa/${Stage}/api/*", "arn:aws:ssm:::parameter/daifa/test/api/*"),
    ],
)
def test_a_resource_of_the_template_has_its_arn(resource, expected):
    assert Deployment("123456789012", "us-east-1", "test", VALUES).arn(resource) == expected


@pytest.fixture
def world():
    with account():
        yield World()


def stored(world, *, without=None, running="order_ingest"):
    """Run a function that reads an order. Returns the gate that checked its calls."""
    gate = Gate(world.resources, without, _running=running)
    with gate.enforced():
        session.dynamodb().get_item(TableName="OrdersTable", Key={"pk": {"S": "O#1"}, "sk": {"S": "STATE"}})
    return gate


def test_a_call_that_is_granted_passes_and_is_noted(world):
    assert stored(world).used == {Grant("order_ingest", "dynamodb:GetItem", "OrdersTable")}


@pytest.mark.parametrize(
    "gate",
    [{"without": Grant("order_ingest", "dynamodb:GetItem", "OrdersTable")}, {"running": "webhook"}],
)
def test_a_call_that_is_not_granted_is_denied(world, gate):
    with pytest.raises(ClientError, match="AccessDenied"):
        stored(world, **gate)


def test_what_is_called_without_a_function_needs_no_grant(world):
    assert stored(world, running="").used == set()


def test_a_grant_that_nothing_uses_and_one_that_nothing_misses_are_named(monkeypatch):
    spare = Grant("webhook", "sqs:SendMessage", "OutboundQueue")
    missed = Grant("webhook", "sqs:SendMessage", "InboxQueue")
    monkeypatch.setattr(removal, "own_grants", lambda: [spare, missed])
    monkeypatch.setattr(removal, "SCENARIOS", [one for one in SCENARIOS if one.title == "webhook: orders_paid"])
    monkeypatch.setattr(removal, "warm_up", lambda: None)
    monkeypatch.setattr(removal.Trial, "uses", lambda _: ({missed}, ["a call"]))
    monkeypatch.setattr(removal.Trial, "answer", lambda *_: "the same")
    monkeypatch.setattr(removal.Trial, "end", lambda *_: "the same")
    result = removal.take_away("webhook")
    assert (result.unused, result.idle, result.needed) == ([spare], [missed], {})
    assert result.uncovered == ["webhook: orders_paid: a call"]
