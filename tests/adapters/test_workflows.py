"""Workflow executions: the same behaviour in memory and on Step Functions."""

import json
from functools import partial

import pytest
from botocore.exceptions import ClientError

from dropship.adapters import session
from dropship.adapters.step_functions import StepFunctionsWorkflows, execution_name
from dropship.domain.identity import OrderKey
from dropship.domain.orders.unrouted import Unrouted, UnroutedLine
from dropship.ports import Unavailable
from dropship.runtime.settings import Settings
from tests.support.fakes import FakeWorkflows

ORDER = OrderKey("main-shop", "8209")
ROLE = "arn:aws:iam::123456789012:role/workflow"


@pytest.fixture
def machines(aws):
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    create = partial(session.stepfunctions().create_state_machine, definition=definition, roleArn=ROLE)
    return {name: create(name=name)["stateMachineArn"] for name in ("fulfilment", "case")}


@pytest.fixture
def on_step_functions(machines):
    return StepFunctionsWorkflows(
        Settings({"FULFILMENT_WORKFLOW_ARN": machines["fulfilment"], "CASE_WORKFLOW_ARN": machines["case"]})
    )


@pytest.fixture
def calls(on_step_functions, watch):
    return watch(session.stepfunctions())


def inputs(machine):
    client = session.stepfunctions()
    executions = client.list_executions(stateMachineArn=machine)["executions"]
    return [json.loads(client.describe_execution(executionArn=each["executionArn"])["input"]) for each in executions]


@pytest.fixture(params=["memory", "step functions"])
def workflows(request):
    """The workflows, and two functions that read the inputs of the executions that were started."""
    if request.param == "memory":
        fake = FakeWorkflows()
        return fake, lambda: list(fake.fulfilments.values()), lambda: [{"case": case} for case in fake.cases]
    machines = request.getfixturevalue("machines")
    real = request.getfixturevalue("on_step_functions")
    return real, partial(inputs, machines["fulfilment"]), partial(inputs, machines["case"])


def test_a_fulfilment_is_started_once_per_name(workflows):
    starter, fulfilments, cases = workflows
    starter.start_fulfilment(ORDER, "main-shop#8209-3", "received")
    starter.start_fulfilment(ORDER, "main-shop#8209-3", "received")
    assert fulfilments() == [{"order": "main-shop#8209", "reason": "received"}]
    assert cases() == []


def test_another_name_is_another_fulfilment(workflows):
    starter, fulfilments, _ = workflows
    starter.start_fulfilment(ORDER, "main-shop#8209-3", "received")
    starter.start_fulfilment(ORDER, "main-shop#8209-4", "hold released")
    assert sorted(each["reason"] for each in fulfilments()) == ["hold released", "received"]


def test_an_input_that_would_be_too_long_leaves_the_reading_to_the_plan(on_step_functions, machines):
    line = UnroutedLine(id="1", sku="\U0001f600" * 255, quantity=1)
    short, long = (Unrouted(fence=0, lines=(line,) * count) for count in (50, 200))
    on_step_functions.start_fulfilment(ORDER, "short", "received", short)
    on_step_functions.start_fulfilment(ORDER, "long", "received", long)
    started = inputs(machines["fulfilment"])
    assert sorted(len(each.get("unrouted", {}).get("lines", [])) for each in started) == [0, 50]
    assert all(each["order"] == str(ORDER) for each in started)
    assert len(json.dumps(started, ensure_ascii=False).encode()) < 256 * 1024


def test_a_case_is_started_once(workflows):
    starter, _, cases = workflows
    starter.start_case("main-shop", "refund-890")
    starter.start_case("main-shop", "refund-890")
    assert cases() == [{"case": "main-shop#refund-890"}]


def test_cases_whose_names_join_to_the_same_text_are_two(workflows):
    starter, _, cases = workflows
    starter.start_case("shop", "a-refund-1")
    starter.start_case("shop-a", "refund-1")
    assert len(cases()) == 2


def test_a_name_that_was_used_for_another_input_is_started_already(on_step_functions, machines):
    for reason in ("received", "released"):
        on_step_functions.start_fulfilment(ORDER, "main-shop-8209-3", reason)
    assert inputs(machines["fulfilment"]) == [{"order": "main-shop#8209", "reason": "received"}]


def test_an_answer_carries_its_output(on_step_functions, calls, monkeypatch):
    monkeypatch.setattr(calls, "_real", lambda *_: {})
    on_step_functions.finish("token", {"status": "REFUNDED"})
    assert calls.made == [("SendTaskSuccess", {"taskToken": "token", "output": '{"status": "REFUNDED"}'})]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_no_longer_waits_counts_as_answered(on_step_functions, calls, code):
    error = getattr(session.stepfunctions().exceptions, code)
    calls.fail(error({"Error": {"Code": code}}, "SendTaskSuccess"))
    on_step_functions.finish("token", {})


def test_an_answer_that_is_refused_for_another_reason_is_an_error(on_step_functions, calls):
    calls.fail(ClientError({"Error": {"Code": "InvalidOutput"}}, "SendTaskSuccess"))
    with pytest.raises(ClientError):
        on_step_functions.finish("token", {})


@pytest.mark.parametrize("code", ["ExecutionLimitExceeded", "ThrottlingException"])
def test_a_start_that_must_wait_is_unavailable(on_step_functions, calls, code):
    calls.fail(ClientError({"Error": {"Code": code}}, "StartExecution"))
    with pytest.raises(Unavailable):
        on_step_functions.start_fulfilment(ORDER, "name", "received")


@pytest.mark.parametrize("name", ["a", "main-shop_refund-890", "A-Z_09" * 13])
def test_a_name_that_fits_stays(name):
    assert execution_name(name) == name


@pytest.mark.parametrize("name", ["main-shop#8209-3", "x" * 81, "订单", "a b", "a/b", ""])
def test_a_name_that_does_not_fit_becomes_one_that_does(name):
    fitted = execution_name(name)
    assert 1 <= len(fitted) <= 80
    assert fitted.replace("-", "").replace("_", "").isascii()
    assert execution_name(fitted) == fitted


def test_different_names_stay_different():
    names = ["main-shop#1", "main-shop.1", "main-shop-1", "x" * 90, "x" * 91]
    assert len({execution_name(name) for name in names}) == len(names)
