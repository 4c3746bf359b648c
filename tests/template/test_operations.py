"""Schedules, alarms, dashboard, outputs, and what a template must never contain."""

import json
import re
import tomllib
from datetime import timedelta

import pytest
import yaml

from dropship.domain.attention import Urgency
from dropship.domain.deadlines import SWEEP
from dropship.domain.orders.attention import ORDER_KINDS, URGENCY, HoldReason, TaskKind, hold_kind, task_kind
from dropship.domain.orders.polling import ROUND
from dropship.domain.remedies.case import CASE_KINDS
from tests.support.lambdas import event
from tests.support.template_document import (
    ALARMS,
    QUEUES,
    RESOURCES,
    ROOT,
    TEMPLATE,
    TEXT,
    WORKFLOWS,
    events,
    of_type,
    setting,
    target,
)

FUNCTION_ERRORS = {"WebhookFunction", "OpsApiFunction", "TrackingScheduleFunction", "DeadlineSweepFunction"}
FIGURES = {"OrderHeld", "TaskOpened", "MoneyAtRisk", "DispatchUnknown", "DeadlineMissed"} | {
    "UnknownTrackingCode",
    "TrackerRefused",
}


@pytest.mark.parametrize(
    ("function", "rate"),
    [
        ("TrackingScheduleFunction", f"cron(0/{ROUND // timedelta(minutes=1)} * * * ? *)"),
        ("DeadlineSweepFunction", f"cron(0/{SWEEP // timedelta(minutes=1)} * * * ? *)"),
    ],
)
def test_a_clock_has_a_name_of_its_stack_a_bound_and_dead_letters(function, rate):
    (clock,) = events(function, "ScheduleV2")
    assert clock["ScheduleExpression"] == rate
    assert target(clock["Name"]).startswith("${AWS::StackName}-"), "or two stacks in one account collide"
    assert target(clock["DeadLetterConfig"]["Arn"]) == "ScheduleDeadLetters"
    assert clock["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 900


def test_a_sweep_is_told_for_when_it_was_and_not_when_it_was_tried():
    (clock,) = events("DeadlineSweepFunction", "ScheduleV2")
    given = json.loads(clock["Input"])
    assert given == {"time": "<aws.scheduler.scheduled-time>"}
    assert given.keys() == event("deadline_sweep/sweep").keys()


def test_a_sweep_that_fails_is_repeated_with_its_event_and_kept_where_that_fails_too():
    (clock,) = events("DeadlineSweepFunction", "ScheduleV2")
    assert clock["RetryPolicy"]["MaximumRetryAttempts"] > 0
    repeats = RESOURCES["DeadlineSweepFunction"]["Properties"]["EventInvokeConfig"]
    assert repeats["MaximumRetryAttempts"] == 2
    assert target(repeats["DestinationConfig"]["OnFailure"]["Destination"]) == "ScheduleDeadLetters"
    assert setting("DeadlineSweepFunction", "Timeout") < SWEEP.total_seconds()


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_reaches_someone_and_says_what_happened(alarm):
    assert ALARMS[alarm]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert len(ALARMS[alarm]["AlarmDescription"]) > 20
    missing = "breaching" if alarm == "DeadlineSweepSilentAlarm" else "notBreaching"
    assert ALARMS[alarm]["TreatMissingData"] == missing


def watched(namespace: str, metric: str) -> set[str]:
    return {
        target(alarm["Dimensions"][0]["Value"])
        for alarm in ALARMS.values()
        if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
    }


def test_functions_without_a_queue_in_front_raise_an_alarm_on_errors():
    assert watched("AWS/Lambda", "Errors") == FUNCTION_ERRORS


def test_silence_of_the_sweep_raises_an_alarm():
    assert watched("AWS/Lambda", "Invocations") == {"DeadlineSweepFunction"}
    assert ALARMS["DeadlineSweepSilentAlarm"]["ComparisonOperator"] == "LessThanThreshold"


def test_a_failed_workflow_raises_an_alarm():
    assert watched("AWS/States", "ExecutionsFailed") == set(WORKFLOWS)
    assert watched("AWS/States", "ExecutionsTimedOut") == {"FulfilmentWorkflow"}


def test_business_figures_raise_alarms():
    figures = {alarm["MetricName"]: alarm["Dimensions"] for alarm in ALARMS.values() if alarm["Namespace"] == "Daifa"}
    assert set(figures) == FIGURES
    assert all(value == [{"Name": "service", "Value": {"Fn::Sub": "daifa-${Stage}"}}] for value in figures.values())


def test_the_dashboard_shows_the_figures_that_raise_alarms():
    text = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert [figure for figure in FIGURES if f'"{figure}"' not in text] == []


def test_the_guide_says_what_each_kind_of_attention_asks_for_and_how_urgent_it_is():
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in guide.splitlines() if line.startswith("| `")]
    said = {kind: row[1] for row in rows for kind in re.findall(r"`([A-Z_]+)`", row[0])}
    wanted = {
        **{hold_kind(reason): URGENCY[reason].name for reason in HoldReason},
        **{task_kind(kind): URGENCY[kind].name for kind in TaskKind},
    }
    assert {kind: said.get(kind) for kind in wanted} == wanted
    cases = guide[guide.index("A case comes to a person as") :]
    assert [kind for kind in CASE_KINDS if f"`{kind}`" not in cases] == []


def test_the_contract_of_the_back_office_names_every_kind_and_urgency():
    schemas = yaml.safe_load((ROOT / "docs" / "ops-api.yaml").read_text(encoding="utf-8"))["components"]["schemas"]
    assert schemas["AttentionKind"]["enum"] == list(ORDER_KINDS)
    assert schemas["CaseKind"]["enum"] == list(CASE_KINDS)
    assert schemas["Urgency"]["enum"] == [urgency.name for urgency in sorted(Urgency, reverse=True)]


def test_every_dead_letter_queue_is_watched():
    dead = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    assert watched("AWS/SQS", "ApproximateNumberOfMessagesVisible") == dead


def test_the_dashboard_is_json_and_names_only_what_exists():
    text = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    names = set(re.findall(r"\$\{(\w+)[.}]", text))
    assert names <= set(RESOURCES) | set(TEMPLATE["Parameters"])
    body = json.loads(re.sub(r"\$\{[^}]+\}", "x", text))
    assert all(widget["properties"]["metrics"] for widget in body["widgets"])


def test_case_workflow_name_matches_the_arn_given_to_the_function():
    assert WORKFLOWS["CaseWorkflow"]["Name"] == {"Fn::Sub": "${AWS::StackName}-after-sales-case"}
    assert WORKFLOWS["CaseWorkflow"]["Type"] == "STANDARD"
    assert WORKFLOWS["FulfilmentWorkflow"]["Type"] == {"Ref": "FulfilmentWorkflowType"}
    assert "Name" not in WORKFLOWS["FulfilmentWorkflow"], "changing the type replaces it, which a fixed name forbids"


def test_an_express_workflow_logs_its_failures_without_their_data():
    condition, logging, otherwise = WORKFLOWS["FulfilmentWorkflow"]["Logging"]["Fn::If"]
    assert (condition, otherwise) == ("IsExpress", {"Ref": "AWS::NoValue"})
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


def test_outputs_are_those_that_the_stack_promises():
    assert set(TEMPLATE["Outputs"]) == {
        "ApiUrl",
        "HttpApiId",
        "OrdersTable",
        "CasesTable",
        "RegistryTable",
        "FulfilmentWorkflowArn",
        "CaseWorkflowArn",
        "UserPoolId",
        "UserPoolClientId",
        "DashboardName",
        *(f"{queue}Url" for queue in QUEUES),
        *(f"{queue.removesuffix('Queue')}DeadLettersUrl" for queue in QUEUES),
    }


@pytest.mark.parametrize(
    "pattern",
    [r"\b\d{12}\b", r"AKIA", r"(?i)secret\s*[:=]\s*\S{8,}", r"(?i)password\s*:\s*\S", r"shpat_", r"BEGIN [A-Z ]*KEY"],
    ids=["account", "access key", "secret", "password", "shop token", "private key"],
)
def test_no_secret_and_no_account_is_in_the_template(pattern):
    assert not re.search(pattern, TEXT)
    assert not re.search(pattern, (ROOT / "samconfig.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("section", ["default", "local", "prod"])
def test_deploy_settings_need_no_named_roles_and_no_bucket_by_hand(section):
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))[section]["deploy"]["parameters"]
    assert settings["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert settings["resolve_s3"] is True
    private = "AllowPrivateAddresses=true" in settings["parameter_overrides"]
    assert private == (section == "local")
