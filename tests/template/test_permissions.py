"""Who may do what. Every new permission must be written here too, by hand, so that it is a decision (decision 14).

What a consumer of a queue may do to tables, queues and partners is written in its row of tests/support/consumers.py.
"""

import json
import re

import pytest

from tests.support.consumers import BY_QUEUE, CONSUMERS
from tests.support.template_document import (
    FUNCTIONS,
    QUEUES,
    RESOURCES,
    TEMPLATE,
    TEXT,
    WORKFLOWS,
    folder,
    function_grants,
    grants,
    grants_on_condition,
    holders,
    of_type,
    target,
)

ROLES = of_type("AWS::IAM::Role")
CALLS_PARTNERS = {"dispatch_submit", *(one.function for one in CONSUMERS if one.calls_partners)}


def may_change(table: str) -> set[str]:
    """Consumers that may change a table."""
    return {one.function for one in CONSUMERS if table in one.changes}


def may_read(table: str) -> set[str]:
    """Consumers that may read a table, including those that may change it."""
    return may_change(table) | {one.function for one in CONSUMERS if table in one.reads}


def may_send(queue: str) -> set[str]:
    """Consumers that may send to a queue."""
    return {one.function for one in CONSUMERS if BY_QUEUE[queue].queue_name in one.sends}


CHANGES_ORDERS = may_change("OrdersTable") | {"dispatch_plan", "dispatch_submit"}
READS_ORDERS = CHANGES_ORDERS | may_read("OrdersTable") | {"ops_api"}
SENDERS = {
    "InboxQueue": {"webhook", "dispatch_submit", "deadline_sweep", "ops_api"},
    "SupplierEventsQueue": {"webhook"},
    "TrackingQueue": {"webhook", "tracking_schedule"},
    "AfterSalesQueue": {"dispatch_submit", "deadline_sweep", "ops_api"},
}
"""Functions that send to a queue and take from no queue."""
LOG_DELIVERY = "logs:CreateLogDelivery"
PARAMETERS = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/daifa/${Stage}"


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_wildcard(role):
    allowed = {f"{PARAMETERS}/webhook/*", f"{PARAMETERS}/api/*"}  # connections are data: one parameter each
    for action, resource in grants(role):
        assert "*" not in action
        if "*" in resource and resource not in allowed:
            assert role == "FulfilmentWorkflowRole", f"{role}: {action} on {resource}"
            assert action.startswith("logs:"), "only log delivery has no resource to name"


def _statements() -> list[str]:
    """Every statement of every role, as text from the template, with its comments."""
    parts = re.split(r"^ +- (?=Effect: )", TEXT, flags=re.MULTILINE)
    return [re.split(r"^  \w|^  #", part, flags=re.MULTILINE)[0] for part in parts[1:]]


def test_whoever_grants_more_than_one_resource_writes_why():
    wide = [statement for statement in _statements() if "*" in re.sub(r"#.*", "", statement)]
    policies = [policy for role in ROLES.values() for policy in role["Policies"]]
    granted = [
        policy["PolicyDocument"]["Statement"] for policy in (*policies, RESOURCES["TokenRenewalPolicy"]["Properties"])
    ]
    assert len(wide) == sum("*" in json.dumps(statement) for statements in granted for statement in statements)
    assert [statement for statement in wide if not re.search(r"# \w.{20,}", statement)] == []


@pytest.mark.parametrize("role", ROLES)
def test_roles_say_all_they_allow_themselves(role):
    assert "ManagedPolicyArns" not in ROLES[role]
    principal = ROLES[role]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert principal == {"Service": "states.amazonaws.com" if "Workflow" in role else "lambda.amazonaws.com"}


@pytest.mark.parametrize("name", [*FUNCTIONS, *WORKFLOWS])
def test_everything_that_runs_has_a_role_of_its_own(name):
    properties = RESOURCES[name]["Properties"]
    assert target(properties["Role"]) == name.removesuffix("Function") + "Role"
    assert "Policies" not in properties, "SAM would add managed policies with wildcards"


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("states:StartExecution", "FulfilmentWorkflow", {"order_ingest"}),
        ("states:StartExecution", None, {"order_ingest", "after_sales"}),
        ("states:SendTaskSuccess", None, {"after_sales"}),
        ("states:SendTaskFailure", None, set()),
        ("ssm:GetParameter", f"{PARAMETERS}/webhook/*", {"webhook"}),
        ("ssm:GetParameter", f"{PARAMETERS}/api/*", CALLS_PARTNERS),
        ("ssm:PutParameter", f"{PARAMETERS}/api/*", CALLS_PARTNERS),
        ("ssm:PutParameter", f"{PARAMETERS}/webhook/*", set()),
        ("dynamodb:PutItem", "OrdersTable", CHANGES_ORDERS),
        ("dynamodb:PutItem", "CasesTable", may_change("CasesTable")),
        ("dynamodb:GetItem", "CasesTable", may_read("CasesTable") | {"ops_api"}),
        ("dynamodb:PutItem", "RegistryTable", set()),
        ("dynamodb:UpdateItem", None, set()),
        ("dynamodb:BatchGetItem", "RegistryTable", {"dispatch_plan"}),
        ("dynamodb:BatchGetItem", "OrdersTable", {"deadline_sweep", "tracking_poll"}),
        ("dynamodb:Query", "OrdersTable", {"dispatch_submit"}),
        ("dynamodb:Query", "${OrdersTable.Arn}/index/due", {"deadline_sweep"}),
        ("dynamodb:Query", "${OrdersTable.Arn}/index/polls", {"tracking_schedule"}),
        ("dynamodb:Query", "${CasesTable.Arn}/index/due", {"deadline_sweep"}),
        ("dynamodb:Query", "${OrdersTable.Arn}/index/attention", {"ops_api"}),
        ("dynamodb:Query", "${OrdersTable.Arn}/index/recent", {"ops_api", "deadline_sweep"}),
        ("dynamodb:GetItem", "OrdersTable", READS_ORDERS),
        ("dynamodb:DeleteItem", None, set()),
        ("dynamodb:Scan", None, set()),
        ("sqs:SendMessage", "ScheduleDeadLetters", {"deadline_sweep"}),
        *[("sqs:SendMessage", queue, may_send(queue) | SENDERS.get(queue, set())) for queue in QUEUES],
    ],
)
def test_only_these_functions_may(action, resource, expected):
    assert holders(action, resource) == expected


def test_new_tokens_may_be_kept_only_where_a_partners_tokens_run_out():
    granted = {name: grants_on_condition(target(FUNCTIONS[name]["Role"])) for name in FUNCTIONS}
    asked_for = {name: found for name, found in granted.items() if found}
    assert {folder(name) for name in asked_for} == CALLS_PARTNERS
    assert set.union(*asked_for.values()) == {("ssm:PutParameter", f"{PARAMETERS}/api/*")}
    assert RESOURCES["TokenRenewalPolicy"]["Condition"] == "TokensAreRenewed"
    assert TEMPLATE["Parameters"]["RenewTokens"]["Default"] == "false"


def test_the_front_door_has_no_way_to_the_tables():
    assert not [action for action, _ in function_grants("WebhookFunction") if action.startswith("dynamodb:")]


def test_no_action_is_granted_beyond_those_listed():
    known = {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "ssm:GetParameter",
        "ssm:PutParameter",
        "states:StartExecution",
        "states:SendTaskSuccess",
    }
    granted = {(folder(name), action) for name in FUNCTIONS for action, _ in function_grants(name)}
    assert {pair for pair in granted if pair[1] not in known} == set()


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_may_call_the_functions_of_its_definition_and_nothing_else(workflow):
    substitutions = WORKFLOWS[workflow]["DefinitionSubstitutions"]
    called = {target(value) for name, value in substitutions.items() if name.endswith("Function")}
    allowed = {resource for action, resource in grants(f"{workflow}Role") if action == "lambda:InvokeFunction"}
    assert allowed == called
    others = {action for action, _ in grants(f"{workflow}Role")} - {"lambda:InvokeFunction"}
    assert not others or (workflow == "FulfilmentWorkflow" and LOG_DELIVERY in others)
