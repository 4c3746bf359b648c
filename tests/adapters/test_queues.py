"""Queues: the same behaviour in memory and on SQS."""

from functools import partial

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dropship.adapters import session
from dropship.adapters.sqs import SqsQueues, delay_redelivery
from dropship.ports import Unavailable
from tests.support.fakes import FakeQueues

NAMES = ("inbox", "outbound")


@pytest.fixture
def urls(aws):
    return {name: session.sqs().create_queue(QueueName=f"daifa-{name}")["QueueUrl"] for name in NAMES}


@pytest.fixture
def on_sqs(urls):
    return SqsQueues(urls.__getitem__)


@pytest.fixture
def calls(on_sqs, watch):
    return watch(session.sqs())


@pytest.fixture(params=["memory", "sqs"])
def queues(request):
    """The queues, and a function that reads all bodies of one of them."""
    if request.param == "memory":
        fake = FakeQueues()
        return fake, fake.bodies
    return request.getfixturevalue("on_sqs"), partial(received, request.getfixturevalue("urls"))


def received(urls, queue):
    bodies = []
    while messages := session.sqs().receive_message(QueueUrl=urls[queue], MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    return bodies


def refused(code, *ids):
    return {"Successful": [], "Failed": [{"Id": name, "Code": code, "SenderFault": False} for name in ids]}


def test_a_message_arrives_in_its_queue_as_it_was_sent(queues):
    sender, bodies = queues
    sender.send("inbox", '{"kind": "订单"}')
    assert bodies("inbox") == ['{"kind": "订单"}']
    assert bodies("outbound") == []


@pytest.mark.parametrize("count", [0, 1, 10, 25])
def test_many_messages_arrive_each_once(queues, count):
    sender, bodies = queues
    sent = [f"message {number}" for number in range(count)]
    sender.send_all("inbox", sent)
    assert sorted(bodies("inbox")) == sorted(sent)


def test_a_delayed_message_is_not_there_yet(on_sqs, calls, urls):
    on_sqs.send("inbox", "later", delay_s=5000)
    assert calls.made[0][1]["DelaySeconds"] == 900, "the longest that SQS knows"
    assert received(urls, "inbox") == []


def test_many_messages_take_as_few_requests_as_sqs_allows(on_sqs, calls):
    on_sqs.send_all("inbox", ["small"] * 25)
    assert [len(parameters["Entries"]) for _, parameters in calls.made] == [10, 10, 5]


def test_a_batch_is_at_most_one_mebibyte(on_sqs, calls, monkeypatch):
    monkeypatch.setattr(calls, "_real", lambda *_: {"Successful": []})
    on_sqs.send_all("inbox", ["信" * 100_000] * 8)
    assert [len(parameters["Entries"]) for _, parameters in calls.made] == [3, 3, 2]


def test_refused_messages_of_a_batch_are_sent_again(on_sqs, calls, monkeypatch):
    answers = [refused("InternalError", "1", "3"), refused("InternalError", "3"), {"Successful": []}]
    monkeypatch.setattr(calls, "_real", lambda *_: answers.pop(0))
    on_sqs.send_all("inbox", ["a", "b", "c", "d"])
    assert [[entry["MessageBody"] for entry in parameters["Entries"]] for _, parameters in calls.made] == [
        ["a", "b", "c", "d"],
        ["b", "d"],
        ["d"],
    ]


def test_messages_that_stay_refused_are_unavailable(on_sqs, calls, monkeypatch):
    monkeypatch.setattr(calls, "_real", lambda *_: refused("InternalError", "0"))
    with pytest.raises(Unavailable, match=r"1 messages refused \(InternalError\)"):
        on_sqs.send_all("inbox", ["a", "b"])


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "RequestThrottled"}}, "SendMessage"),
        EndpointConnectionError(endpoint_url="https://sqs"),
    ],
    ids=["throttled", "no connection"],
)
def test_a_queue_that_cannot_be_reached_is_unavailable(on_sqs, calls, error):
    calls.fail(error)
    with pytest.raises(Unavailable, match="cannot send to inbox now"):
        on_sqs.send("inbox", "body")


def test_the_fake_can_be_down():
    queues = FakeQueues()
    queues.down = True
    with pytest.raises(Unavailable):
        queues.send("inbox", "body")


def test_a_failed_message_comes_back_when_it_is_asked_to(on_sqs, urls):
    on_sqs.send("inbox", "again")
    sqs = session.sqs()
    receive = partial(sqs.receive_message, QueueUrl=urls["inbox"])
    first = receive(VisibilityTimeout=100)["Messages"][0]
    assert "Messages" not in receive()
    delay_redelivery("arn:aws:sqs:us-east-1:123456789012:daifa-inbox", first["ReceiptHandle"], 0)
    assert receive()["Messages"][0]["Body"] == "again"


def test_a_message_whose_return_cannot_be_set_is_left_to_its_queue(aws):
    delay_redelivery("arn:aws:sqs:us-east-1:123456789012:no-such-queue", "handle", 0)
