"""Queues: what fails is kept and raises an alarm, and a slow queue does not take all concurrency from the others."""

import math

import pytest

from dropship.adapters.http import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from dropship.runtime.application import AT_ONCE
from dropship.services.parcels.polls import ORDERS_PER_MESSAGE
from tests.support.consumers import BY_QUEUE, CONSUMERS
from tests.support.template_document import (
    ALARMS,
    FUNCTIONS,
    QUEUES,
    RESOURCES,
    events,
    folder,
    function_grants,
    setting,
    target,
)

FOURTEEN_DAYS = 14 * 24 * 3600
DEFAULT_RETENTION = 4 * 24 * 3600
ACCOUNT_CONCURRENCY = 1000
DISPATCH_AND_DOOR = 350  # 1,000 orders a second at suppliers that answer in 200 ms, and their webhooks

each_queue = pytest.mark.parametrize("queue", QUEUES)


def consumers(queue: str) -> list[str]:
    return [name for name in FUNCTIONS for source in events(name, "SQS") if target(source["Queue"]) == queue]


def alarms_on(queue: str, metric: str) -> list[dict]:
    return [
        alarm
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric and target(alarm["Dimensions"][0]["Value"]) == queue
    ]


def test_every_queue_has_a_declared_consumer_and_every_consumer_a_queue_of_its_own():
    assert set(QUEUES) == set(BY_QUEUE)
    assert len(BY_QUEUE) == len(CONSUMERS)


@each_queue
def test_one_function_works_a_queue_off_and_may(queue):
    (consumer,) = consumers(queue)
    assert folder(consumer) == BY_QUEUE[queue].function
    actions = {action for action, resource in function_grants(consumer) if resource == queue}
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} <= actions


@each_queue
def test_only_the_consumer_may_take_messages(queue):
    takers = {name for name in FUNCTIONS if ("sqs:ReceiveMessage", queue) in function_grants(name)}
    assert takers == set(consumers(queue))


@each_queue
def test_one_bad_message_does_not_fail_its_batch(queue):
    (source,) = events(consumers(queue)[0], "SQS")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    most = 4 if BY_QUEUE[queue].in_turn else 10
    assert source["BatchSize"] <= most, "what waits for one partner after the other takes few"


def test_a_batch_of_writebacks_has_time_for_a_marketplace_that_is_as_slow_as_may_be():
    (consumer,) = consumers("OutboundQueue")
    (source,) = events(consumer, "SQS")
    waves = math.ceil(source["BatchSize"] / AT_ONCE)
    assert waves * 2 * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) <= setting(consumer, "Timeout") / 2


@pytest.mark.parametrize(("queue", "requests"), [("OutboundQueue", 4), ("InboxQueue", 3)])
def test_what_takes_several_requests_has_time_for_all_of_them(queue, requests):
    (consumer,) = consumers(queue)
    assert requests * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) <= setting(consumer, "Timeout")


def test_a_batch_of_polls_has_time_for_trackers_that_are_as_slow_as_may_be():
    (consumer,) = consumers("TrackingQueue")
    (source,) = events(consumer, "SQS")
    waves = math.ceil(ORDERS_PER_MESSAGE / AT_ONCE)
    assert source["BatchSize"] * waves * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) <= setting(consumer, "Timeout")


@each_queue
def test_a_message_stays_hidden_for_six_times_as_long_as_its_consumer_may_run(queue):
    assert QUEUES[queue]["VisibilityTimeout"] >= 6 * setting(consumers(queue)[0], "Timeout")


@each_queue
def test_a_message_is_set_aside_after_five_tries_and_kept_longer_than_in_its_queue(queue):
    redrive = QUEUES[queue]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    dead = RESOURCES[target(redrive["deadLetterTargetArn"])]["Properties"]
    kept = QUEUES[queue].get("MessageRetentionPeriod", DEFAULT_RETENTION)
    assert dead["MessageRetentionPeriod"] == FOURTEEN_DAYS > kept


@each_queue
def test_dead_letters_come_from_their_own_queue_only(queue):
    dead = target(QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"])
    policy = RESOURCES[dead]["Properties"]["RedriveAllowPolicy"]
    assert policy["redrivePermission"] == "byQueue"
    (source,) = policy["sourceQueueArns"]
    account = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
    assert target(source) == account + target(QUEUES[queue]["QueueName"])


@each_queue
def test_the_queue_that_a_message_waits_in_is_encrypted(queue):
    dead = target(QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"])
    assert QUEUES[queue]["SqsManagedSseEnabled"] is True
    assert RESOURCES[dead]["Properties"]["SqsManagedSseEnabled"] is True


@each_queue
def test_a_dead_letter_and_an_old_message_each_raise_an_alarm(queue):
    dead = target(QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"])
    (set_aside,) = alarms_on(dead, "ApproximateNumberOfMessagesVisible")
    assert (set_aside["Threshold"], set_aside["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    (late,) = alarms_on(queue, "ApproximateAgeOfOldestMessage")
    assert 60 <= late["Threshold"] <= 3600


def test_the_queues_leave_room_for_the_front_door_and_dispatch_at_the_default_quota():
    limits = [consumer.source["ScalingConfig"]["MaximumConcurrency"] for consumer in CONSUMERS]
    assert all(limit >= 2 for limit in limits)
    assert sum(limits) <= ACCOUNT_CONCURRENCY - DISPATCH_AND_DOOR
