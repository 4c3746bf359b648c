"""The dispatch workflow: its time and cost are limited, and every failure in it has a next step."""

import pytest

from tests.support.state_language import (
    INVOKE,
    definition,
    entered_states,
    longest_wait,
    machines,
    reachable,
    retrier_for,
    tasks,
)
from tests.support.template_document import FUNCTIONS, WORKFLOWS, setting, target

MACHINE = definition("order_fulfilment")
TASKS = tasks(MACHINE)
PLAN = MACHINE["States"]["Plan"]
HOLD_ORDER = MACHINE["States"]["HoldOrder"]
SUBMIT_ALL = MACHINE["States"]["SubmitAll"]
SUBMIT = SUBMIT_ALL["ItemProcessor"]["States"]["Submit"]
GIVE_UP = SUBMIT_ALL["ItemProcessor"]["States"]["GiveUp"]
SERVICE_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "States.Timeout",
}
EXPRESS_LIMIT = 300

each_task = pytest.mark.parametrize("task", TASKS)


def function_of(task: str) -> str:
    """Logical id of the function that a task calls."""
    name = TASKS[task]["Parameters"]["FunctionName"].strip("${}")
    return target(WORKFLOWS["FulfilmentWorkflow"]["DefinitionSubstitutions"][name])


def test_one_purchase_order_costs_four_standard_transitions():
    # The start and every state entered are billed: start, Plan, SubmitAll (the Map), Submit (its one item) = 4.
    assert 1 + entered_states(MACHINE, items=1) == 4


def test_each_further_purchase_order_costs_one_more():
    assert entered_states(MACHINE, items=3) - entered_states(MACHINE, items=1) == 2


def test_every_state_can_be_reached():
    for machine in machines(MACHINE):
        assert reachable(machine) == set(machine["States"])


def test_there_are_no_states_that_only_cost():
    kinds = {state["Type"] for machine in machines(MACHINE) for state in machine["States"].values()}
    assert kinds == {"Task", "Map"}


@each_task
def test_a_task_calls_a_function_and_is_bounded_just_above_that_function(task):
    assert TASKS[task]["Resource"] == INVOKE
    limit = setting(function_of(task), "Timeout")
    assert limit < TASKS[task]["TimeoutSeconds"] <= limit + 5
    assert function_of(task) in FUNCTIONS


@each_task
def test_every_failure_of_the_service_and_whatever_passes_is_tried_again(task):
    named = {error for retrier in TASKS[task]["Retry"] for error in retrier["ErrorEquals"]}
    assert named >= SERVICE_ERRORS | {"Unavailable"}
    assert "States.ALL" not in named
    assert "States.TaskFailed" not in named


@each_task
def test_retries_are_spread_and_limited(task):
    for retrier in TASKS[task]["Retry"]:
        assert retrier["JitterStrategy"] == "FULL"
        assert 3 <= retrier["MaxAttempts"] <= 5
        assert retrier["BackoffRate"] == 2


@pytest.mark.parametrize("error", ["SupplierBusy", "OutcomeUnknown"])
def test_a_supplier_gets_three_more_tries_with_time_to_breathe(error):
    retrier = retrier_for(SUBMIT, error)
    assert (retrier["MaxAttempts"], retrier["IntervalSeconds"], retrier["BackoffRate"]) == (3, 5, 2)


@pytest.mark.parametrize("error", ["Lambda.Unknown", "Sandbox.Timedout", "States.Timeout"])
def test_a_submission_cut_off_shares_the_tries_of_an_unknown_outcome(error):
    assert retrier_for(SUBMIT, error) is retrier_for(SUBMIT, "OutcomeUnknown")


def test_a_stale_plan_is_not_sent_again():
    assert not [task for task in TASKS.values() for retrier in task["Retry"] if "Stale" in retrier["ErrorEquals"]]


def test_whatever_cannot_be_submitted_is_given_up_with_its_reason():
    (catch,) = SUBMIT["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "GiveUp"}
    assert GIVE_UP["Parameters"]["FunctionName"] == SUBMIT["Parameters"]["FunctionName"]
    assert set(GIVE_UP["Parameters"]["Payload"]) == {"order.$", "purchase_order.$", "error.$"}


def test_an_order_that_cannot_be_planned_is_put_on_hold_with_the_reason():
    (catch,) = PLAN["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "HoldOrder"}
    assert function_of("HoldOrder") == function_of("GiveUp")
    assert HOLD_ORDER["Parameters"]["Payload"] == {"order.$": "$.order", "error.$": "$.error"}
    assert (HOLD_ORDER["End"], HOLD_ORDER["Retry"]) == (True, GIVE_UP["Retry"])


def test_the_input_of_a_plan_is_the_executions_own():
    """Intake passes on what it knows of a new order; a person names only the order."""
    assert PLAN["Parameters"]["Payload.$"] == "$"


def test_every_try_of_a_submission_is_by_the_same_worker_and_no_other_execution_is_that_one():
    assert SUBMIT["Parameters"]["Payload"] == {
        "order.$": "$.order",
        "fence.$": "$.fence",
        "purchase_order.$": "$.purchase_order",
        "worker.$": "$$.Execution.Id",
    }


def test_the_slowest_supplier_still_reaches_give_up_inside_the_bound_of_an_express_execution():
    attempts = 1 + retrier_for(SUBMIT, "OutcomeUnknown")["MaxAttempts"]
    submit = attempts * SUBMIT["TimeoutSeconds"] + longest_wait(retrier_for(SUBMIT, "OutcomeUnknown"))
    whole = PLAN["TimeoutSeconds"] + submit + GIVE_UP["TimeoutSeconds"]
    assert whole < MACHINE["TimeoutSeconds"] < EXPRESS_LIMIT


def test_a_plan_that_never_answers_still_reaches_the_hold_in_time():
    attempts = 1 + retrier_for(PLAN, "States.Timeout")["MaxAttempts"]
    plan = attempts * PLAN["TimeoutSeconds"] + longest_wait(retrier_for(PLAN, "States.Timeout"))
    assert plan + HOLD_ORDER["TimeoutSeconds"] < MACHINE["TimeoutSeconds"]


def test_results_are_dropped_so_that_no_size_limit_is_near():
    assert SUBMIT["ResultSelector"] == {}
    assert GIVE_UP["ResultSelector"] == {}
    for last in (SUBMIT_ALL, HOLD_ORDER):
        assert (last["ResultPath"], last["OutputPath"]) == (None, "$.order")
    assert SUBMIT_ALL["ItemsPath"] == "$.purchase_orders"
    assert 1 <= SUBMIT_ALL["MaxConcurrency"] <= 10
