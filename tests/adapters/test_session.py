"""Clients of AWS: their calls time out early enough that a function notices a missing answer before Lambda ends it."""

import pytest

from dropship.adapters import session
from tests.support.template_document import FUNCTIONS, events, setting


@pytest.mark.parametrize("client", [session.dynamodb, session.sqs, session.ssm, session.stepfunctions])
def test_a_call_without_an_answer_ends_before_the_consumer_that_waits_for_it(aws, client):
    config = client().meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    longest = 3 * (config.connect_timeout + config.read_timeout)
    assert longest < min(setting(name, "Timeout") for name in FUNCTIONS if events(name, "SQS"))


def test_a_client_has_its_exceptions_before_two_threads_can_make_them_twice(aws):
    assert session.dynamodb()._exceptions is not None
