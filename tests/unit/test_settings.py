"""Settings: read only when needed, typed, and with clear errors about what is missing."""

import pytest

from dropship.runtime.settings import InvalidSetting, Settings
from tests.support.consumers import BY_QUEUE
from tests.support.template_document import FUNCTIONS, environment, target

QUEUE_VARIABLES = {
    (BY_QUEUE[target(value)].queue_name, name)
    for function in FUNCTIONS
    for name, value in environment(function).items()
    if name.endswith("_QUEUE_URL")
}
"""Queues as services name them, each with the variable in which the template puts its address."""


def test_a_setting_is_read_when_it_is_asked_for():
    environment = {}
    settings = Settings(environment)
    environment["ORDERS_TABLE"] = "orders"
    assert settings.orders_table == "orders"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("stage", "STAGE"),
        ("orders_table", "ORDERS_TABLE"),
        ("cases_table", "CASES_TABLE"),
        ("registry_table", "REGISTRY_TABLE"),
        ("fulfilment_workflow_arn", "FULFILMENT_WORKFLOW_ARN"),
        ("case_workflow_arn", "CASE_WORKFLOW_ARN"),
        ("secrets_prefix", "SECRETS_PREFIX"),
    ],
)
@pytest.mark.parametrize("environment", [{}, "empty"])
def test_a_missing_setting_is_named(name, variable, environment):
    settings = Settings({variable: ""} if environment else {})
    with pytest.raises(InvalidSetting, match=f"environment variable {variable} is not set"):
        getattr(settings, name)


@pytest.mark.parametrize(("queue", "variable"), sorted(QUEUE_VARIABLES))
def test_a_queue_is_found_by_its_name(queue, variable):
    assert Settings({variable: "https://sqs"}).queue_url(queue) == "https://sqs"
    with pytest.raises(InvalidSetting, match=variable):
        Settings({}).queue_url(queue)


@pytest.mark.parametrize(("text", "expected"), [(None, False), ("false", False), ("true", True)])
def test_private_addresses_are_allowed_only_where_it_says_so(text, expected):
    assert Settings({} if text is None else {"ALLOW_PRIVATE_ADDRESSES": text}).allow_private_addresses is expected


@pytest.mark.parametrize("text", ["True", "1", "yes", ""])
def test_anything_but_true_and_false_is_refused(text):
    with pytest.raises(InvalidSetting, match="ALLOW_PRIVATE_ADDRESSES"):
        _ = Settings({"ALLOW_PRIVATE_ADDRESSES": text}).allow_private_addresses


@pytest.mark.parametrize(("text", "expected"), [(None, 5.0), ("0.2", 0.2)])
def test_the_first_retry_comes_after_five_seconds_unless_it_is_set(text, expected):
    assert Settings({} if text is None else {"RETRY_BASE_S": text}).retry_base_s == expected


def test_a_retry_that_is_no_number_is_refused():
    with pytest.raises(InvalidSetting, match="RETRY_BASE_S"):
        _ = Settings({"RETRY_BASE_S": "soon"}).retry_base_s
