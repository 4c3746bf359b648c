"""The case workflow: one wait with a time limit, and an outcome that is recorded in whatever way the wait ends."""

import pytest

from tests.support.state_language import INVOKE, definition, reachable, tasks
from tests.support.template_document import setting

MACHINE = definition("after_sales_case")
TASKS = tasks(MACHINE)
AWAIT = TASKS["AwaitOutcome"]
RECORD = TASKS["RecordOutcome"]
DAY = 24 * 3600


def test_there_are_two_tasks_and_both_can_be_reached():
    assert set(TASKS) == set(MACHINE["States"]) == reachable(MACHINE)


def test_the_wait_hands_out_a_token_and_ends_by_itself():
    assert AWAIT["Resource"] == f"{INVOKE}.waitForTaskToken"
    assert AWAIT["Parameters"]["Payload"] == {"case.$": "$.case", "task_token.$": "$$.Task.Token"}
    assert 30 * DAY <= AWAIT["TimeoutSeconds"] <= 90 * DAY


def test_the_wait_itself_is_not_repeated_when_it_runs_out():
    named = {error for retrier in AWAIT["Retry"] for error in retrier["ErrorEquals"]}
    assert not named & {"States.Timeout", "States.ALL", "States.TaskFailed", "States.HeartbeatTimeout"}


def test_however_the_wait_ends_the_outcome_is_recorded():
    assert AWAIT["Next"] == "RecordOutcome"
    assert AWAIT["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "RecordOutcome"}]
    assert AWAIT["ResultPath"] is None, "the case's key must survive the answer"
    assert RECORD["Parameters"]["Payload"] == {"case.$": "$.case", "record": True}


def test_recording_is_bounded_by_its_function():
    assert RECORD["Resource"] == INVOKE
    limit = setting("AfterSalesFunction", "Timeout")
    assert limit < RECORD["TimeoutSeconds"] <= limit + 5


@pytest.mark.parametrize("task", TASKS)
def test_failures_of_the_service_and_whatever_passes_are_tried_again(task):
    named = {error for retrier in TASKS[task]["Retry"] for error in retrier["ErrorEquals"]}
    assert {"Unavailable", "Lambda.ServiceException", "Lambda.TooManyRequestsException", "Lambda.Unknown"} <= named
    assert all(retrier["JitterStrategy"] == "FULL" for retrier in TASKS[task]["Retry"])
