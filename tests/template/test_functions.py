"""Every function: its code, log group, environment and limits."""

import pytest

from dropship.adapters.seed_file import LEASES
from dropship.domain.deadlines import Deadlines
from tests.support.consumers import BY_FUNCTION, CONSUMERS
from tests.support.template_document import (
    FUNCTIONS,
    RESOURCES,
    ROOT,
    TEMPLATE,
    environment,
    folder,
    function_grants,
    setting,
    target,
)

EXPECTED = {
    *BY_FUNCTION,
    "webhook",
    "dispatch_plan",
    "dispatch_submit",
    "tracking_schedule",
    "deadline_sweep",
    "ops_api",
}
ALWAYS = {"STAGE", "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
TABLES = {"ORDERS_TABLE": "OrdersTable", "CASES_TABLE": "CasesTable", "REGISTRY_TABLE": "RegistryTable"}
QUEUES = {f"{one.queue_name.upper().replace('-', '_')}_QUEUE_URL": one.queue for one in CONSUMERS}
CASE_WORKFLOW = (
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-after-sales-case"
)
WORKFLOWS = {"FULFILMENT_WORKFLOW_ARN": "FulfilmentWorkflow", "CASE_WORKFLOW_ARN": CASE_WORKFLOW}
SECRETS = {"SECRETS_PREFIX": "/daifa/${Stage}", "ALLOW_PRIVATE_ADDRESSES": "AllowPrivateAddresses"}

each_function = pytest.mark.parametrize("function", FUNCTIONS)


def expected_environment(function: str) -> dict[str, str]:
    """The variables that a function needs because of its permissions, each with what it points to."""
    grants = function_grants(function)
    used = {
        resource.removeprefix("${").split(".Arn}")[0] for action, resource in grants if action.startswith("dynamodb:")
    }
    sent = {resource for action, resource in grants if action == "sqs:SendMessage"}
    started = {resource for action, resource in grants if action == "states:StartExecution"}
    secrets = {resource.rsplit("/", 2)[-2] for action, resource in grants if action == "ssm:GetParameter"}
    found = {name: table for name, table in TABLES.items() if table in used}
    found |= {name: queue for name, queue in QUEUES.items() if queue in sent}
    found |= {name: workflow for name, workflow in WORKFLOWS.items() if workflow in started}
    if any(action == "sqs:ReceiveMessage" for action, _ in grants):
        found["RETRY_BASE_S"] = "RetryBaseSeconds"
    if secrets:
        found["SECRETS_PREFIX"] = SECRETS["SECRETS_PREFIX"]
    if "api" in secrets:
        found["ALLOW_PRIVATE_ADDRESSES"] = SECRETS["ALLOW_PRIVATE_ADDRESSES"]
    return found


def test_there_is_one_function_for_each_box_of_the_design():
    assert sorted(folder(name) for name in FUNCTIONS) == sorted(EXPECTED)


@each_function
def test_names_follow_one_pattern(function):
    name = folder(function)
    assert function == name.title().replace("_", "") + "Function"
    assert FUNCTIONS[function]["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + name.replace("_", "-")}
    assert environment(function)["POWERTOOLS_SERVICE_NAME"] == name


@each_function
def test_a_function_writes_to_its_own_log_group_which_forgets(function):
    group = target(FUNCTIONS[function]["LoggingConfig"]["LogGroup"])
    properties = RESOURCES[group]["Properties"]
    assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert properties["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{target(FUNCTIONS[function]['FunctionName'])}"}
    assert {("logs:CreateLogStream", group), ("logs:PutLogEvents", group)} <= function_grants(function)


@each_function
def test_the_environment_names_exactly_what_the_function_may_use(function):
    values = {name: target(value) for name, value in environment(function).items() if name not in ALWAYS}
    assert values == expected_environment(function)


@each_function
def test_concurrency_is_never_reserved(function):
    assert setting(function, "ReservedConcurrentExecutions") is None


@each_function
def test_code_is_one_handler_in_its_own_folder_on_python_3_13(function):
    assert FUNCTIONS[function]["CodeUri"] == f"functions/{folder(function)}/"
    assert setting(function, "Handler") == "app.handler"
    assert setting(function, "Runtime") == "python3.13"
    assert (ROOT / "functions" / folder(function) / "app.py").is_file()


def test_layers_are_built_for_the_architecture_that_runs_them():
    for layer in TEMPLATE["Globals"]["Function"]["Layers"]:
        metadata = RESOURCES[target(layer)]["Metadata"]
        assert metadata == {"BuildMethod": "python3.13", "BuildArchitecture": {"Ref": "Architecture"}}
    assert TEMPLATE["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]


def test_private_addresses_can_be_allowed_in_the_local_stage_only():
    assert TEMPLATE["Parameters"]["AllowPrivateAddresses"]["Default"] == "false"
    rule = TEMPLATE["Rules"]["PrivateAddressesAreForTheLocalStageOnly"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "AllowPrivateAddresses"}, "true"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}


def test_every_lease_has_the_function_that_works_under_it():
    assert LEASES.keys() == {name for name in Deadlines.model_fields if name.endswith("_lease")}


@pytest.mark.parametrize("lease", LEASES)
def test_a_worker_ends_before_another_one_takes_up_its_work(lease):
    worker, limit = LEASES[lease]
    (function,) = [name for name in FUNCTIONS if folder(name) == worker]
    assert setting(function, "Timeout") == limit.total_seconds() < getattr(Deadlines(), lease).total_seconds()
