"""Consumers of queues: each message fails alone, is named and soon tried again; no buyer's data is in the log."""

import json
from threading import Barrier

import pytest

from dropship.adapters import session
from dropship.ports import Unavailable
from tests.support.consumers import BY_FUNCTION, REACHED_BY
from tests.support.lambdas import event, events_of, failed, sqs_batch
from tests.support.partner_apis import answer

every_consumer = pytest.mark.parametrize("consumer", BY_FUNCTION)
NOT_MESSAGES = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "an unknown kind": '{"kind": "no-such-kind"}',
    "deep": "[" * 50_000,
    "many digits": '{"kind": ' + "9" * 5000 + "}",
    "a field missing": '{"kind": "webhook"}',
}
BUYER = ("Steve", "Shipper", "Shipping Street", "40003", "555-555-SHIP", "jon@example.com", "Kentucky")


def like(consumer):
    return BY_FUNCTION[consumer].example


def good(consumer):
    return BY_FUNCTION[consumer].body


@pytest.fixture
def paid(function):
    """The example order exists already; it was placed at its supplier and shipped."""
    for path in REACHED_BY["shipped"]:
        function(path.partition("/")[0])(event(path))


@every_consumer
def test_a_batch_of_good_messages_has_no_failures(function, paid, consumer):
    assert failed(function(consumer)(event(like(consumer)))) == []


@every_consumer
def test_bad_messages_are_named_and_the_good_one_between_them_is_done(function, paid, consumer):
    bad = list(NOT_MESSAGES.values())
    batch = sqs_batch(*bad[:3], good(consumer), *bad[3:], like=like(consumer))
    assert failed(function(consumer)(batch)) == ["m0", "m1", "m2", "m4", "m5", "m6", "m7"]


@every_consumer
def test_a_batch_of_nothing_but_bad_messages_is_no_error_of_the_function(function, consumer):
    batch = sqs_batch("{", "[", like=like(consumer))
    assert failed(function(consumer)(batch)) == ["m0", "m1"]


def test_failed_orders_between_good_ones_leave_nine_of_ten_stored(function, executions):
    webhook = json.loads(good("order_ingest"))
    orders = [json.loads(webhook["body"]) | {"id": 1000 + number} for number in range(10)]
    del orders[4]["line_items"]
    bodies = [json.dumps(webhook | {"body": json.dumps(order)}) for order in orders]
    assert failed(function("order_ingest")(sqs_batch(*bodies, like=like("order_ingest")))) == ["m4"]
    assert len(executions("FulfilmentWorkflow")) == 9


# ---- When it comes again


@pytest.mark.parametrize(
    ("tries", "wanted_s", "delay_s"),
    [(1, 0, 5), (2, 0, 20), (3, 0, 80), (4, 0, 320), (5, 0, 900), (1, 91, 91), (1, 3600, 900), (1, 0.5, 5)],
)
def test_what_may_pass_comes_again_when_it_says_else_soon_and_then_less_soon(
    function, watch, monkeypatch, tries, wanted_s, delay_s
):
    consumer = function("shipment_writeback")

    def not_now(body):
        raise Unavailable("not now", wanted_s)

    monkeypatch.setattr(consumer.module, "handle", not_now)
    calls = watch(session.sqs())
    assert failed(consumer(sqs_batch("{}", like=like("shipment_writeback"), tries=tries))) != []
    assert calls.made[0][1]["VisibilityTimeout"] == delay_s


@pytest.mark.parametrize("tries", [1, 4])
def test_what_can_never_be_done_is_set_aside_soon(function, watch, tries):
    calls = watch(session.sqs())
    batch = sqs_batch("{", like=like("order_ingest"), tries=tries)
    function("order_ingest")(batch)
    ((operation, asked),) = calls.made
    assert (operation, asked["VisibilityTimeout"]) == ("ChangeMessageVisibility", 5)
    assert asked["ReceiptHandle"] == batch["Records"][0]["receiptHandle"]
    assert asked["QueueUrl"].endswith("/123456789012/daifa-inbox")


def test_a_message_whose_wait_cannot_be_shortened_fails_all_the_same(function):
    """No queue knows the receipt handle of the example."""
    assert len(failed(function("order_ingest")(sqs_batch("{", like=like("order_ingest"))))) == 1


def test_a_good_message_costs_no_call_about_its_visibility(function, watch):
    calls = watch(session.sqs())
    function("order_ingest")(event(like("order_ingest")))
    assert calls.made == []


# ---- What is logged


@every_consumer
def test_a_failure_is_logged_by_class_and_place(function, logged, consumer):
    function(consumer)(sqs_batch(*NOT_MESSAGES.values(), like=like(consumer), tries=3))
    lines = [line for line in logged() if line["level"] == "ERROR"]
    assert [line["message_id"] for line in lines] == [f"m{number}" for number in range(len(NOT_MESSAGES))]
    for line in lines:
        assert (line["message"], line["error"], line["tries"]) == ("message failed", "ValidationError", 3)
        assert line["service"].startswith(consumer)
        assert line["at"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda order: order.pop("line_items"),
        lambda order: order["line_items"][0].update(quantity="Steve Shipper"),
        lambda order: order.update(updated_at="123 Shipping Street"),
        lambda order: order.update(shipping_address="jon@example.com"),
        lambda order: order.update(id="Steve Shipper 555-555-SHIP"),
        lambda order: order["shipping_address"].update(name=["Steve Shipper"]),
    ],
)
def test_a_payload_that_cannot_be_read_leaves_nothing_of_the_buyer_in_the_log(function, logged, spoil):
    webhook = json.loads(good("order_ingest"))
    order = json.loads(webhook["body"])
    spoil(order)
    bodies = [json.dumps(webhook | {"body": json.dumps(order)}), json.dumps(webhook | {"body": json.dumps(order)[:-9]})]
    assert len(failed(function("order_ingest")(sqs_batch(*bodies, like=like("order_ingest"))))) == 2
    text = json.dumps(logged())
    assert "InvalidMessage" in text
    assert [word for word in BUYER if word in text] == []


def test_a_message_that_is_not_of_its_kind_names_its_fields_and_shows_no_value(function, logged):
    body = json.dumps({"kind": "open-case", "request": {"id": "Steve Shipper", "reason": 7}})
    function("after_sales")(sqs_batch(body, like=like("after_sales")))
    (line,) = logged()
    assert "open-case.request.id" in line["fields"]
    assert "Steve" not in json.dumps(line)


def test_an_error_that_is_not_ours_is_logged_without_its_words(function, logged, monkeypatch):
    consumer = function("order_ingest")

    def fall(body):
        raise ValueError("Steve Shipper lives at 123 Shipping Street")

    monkeypatch.setattr(consumer.module, "handle", fall)
    consumer(event(like("order_ingest")))
    (line,) = logged()
    assert (line["error"], line["at"].rpartition(":")[0]) == ("ValueError", "test_batches.py")
    assert not [word for word in BUYER if word in json.dumps(line)]


def test_an_error_of_ours_is_logged_with_its_words(function, logged):
    function("supplier_events")(event(like("supplier_events")))
    (line,) = logged()
    assert (line["error"], line["words"]) == ("Unavailable", "order main-shop#820982911946154508 is not known yet")


@every_consumer
def test_what_is_done_leaves_nothing_of_the_buyer_or_of_secrets_in_the_log(function, paid, logged, consumer):
    for name in [BY_FUNCTION[consumer].good, *events_of(consumer)]:
        function(consumer)(event(f"{consumer}/{name}"))
    text = json.dumps(logged())
    assert [word for word in (*BUYER, "shpat_secret", "key-of-acme-secret") if word in text] == []


@pytest.mark.parametrize(("status", "failures"), [(400, 0), (401, 1)])
def test_a_partner_that_answers_with_a_buyers_data_is_not_quoted_in_the_log(
    function, paid, partners, logged, status, failures
):
    logged()
    partners.shop.fail("ask", answer(status, {"errors": "Steve Shipper"}))
    assert len(failed(function("shipment_writeback")(event(like("shipment_writeback"))))) == failures
    assert "Steve" not in json.dumps(logged())


def test_where_lambda_logs_everything_libraries_do_not_log_what_they_send(function, caplog):
    """At DEBUG Lambda sets the root logger's level; the SDK would then log each request: orders, addresses, secrets."""
    with caplog.at_level("DEBUG"):
        for example in ("order_ingest/orders_paid", "dispatch_submit/submit"):
            function(example.partition("/")[0])(event(example))
    assert [word for word in (*BUYER, "shpat_secret", "key-of-acme-secret") if word in caplog.text] == []


# ---- Several at once


def test_messages_that_wait_for_a_marketplace_wait_at_the_same_time_and_fail_by_themselves(function, monkeypatch):
    writeback = function("shipment_writeback")
    together = Barrier(4, timeout=100)

    def handle(body):
        together.wait()
        if body == "bad":
            raise ValueError(body)

    monkeypatch.setattr(writeback.module, "handle", handle)
    answer = writeback(sqs_batch("good", "bad", "fine", "well", like=like("shipment_writeback")))
    assert failed(answer) == ["m1"]


# ---- What the messages of a batch send


@pytest.fixture
def supplier_events(function, monkeypatch):
    """The consumer; a message's body says what it sends (`queue:body`, several by spaces) and whether it fails."""
    consumer = function("supplier_events")

    def handle(body, outbox):
        for word in body.split():
            if word == "fail":
                raise Unavailable("not now")
            outbox.send(*word.split(":"))

    monkeypatch.setattr(consumer.module, "handle", handle)
    return consumer


def given(consumer, *bodies):
    """The messages that fail, of a batch of these."""
    return failed(consumer(sqs_batch(*bodies, like=like("supplier_events"))))


def test_what_a_batch_sends_takes_one_request_for_each_queue(supplier_events, watch, received):
    calls = watch(session.sqs())
    assert given(supplier_events, "outbound:1 outbound:2", "outbound:3 tracking:4", "") == []
    assert [operation for operation, _ in calls.made] == ["SendMessageBatch", "SendMessageBatch"]
    assert (received("OutboundQueue"), received("TrackingQueue")) == (["1", "2", "3"], ["4"])


def test_a_batch_that_sends_nothing_makes_no_request(supplier_events, watch):
    calls = watch(session.sqs())
    assert given(supplier_events, "", "") == []
    assert calls.made == []


def test_what_a_message_sent_before_it_failed_is_sent_as_well_as_what_the_others_send(supplier_events, received):
    assert given(supplier_events, "outbound:1 fail", "outbound:2", "fail") == ["m0", "m2"]
    assert received("OutboundQueue") == ["1", "2"]


def test_a_message_fails_if_what_it_sends_cannot_be_sent_and_the_others_do_not(supplier_events, received):
    queues = supplier_events.app.queues
    send_all = queues.send_all

    def refuse(queue, bodies):
        if queue == "outbound":
            raise Unavailable("cannot send to outbound now")
        send_all(queue, bodies)

    queues.send_all = refuse
    assert given(supplier_events, "outbound:1 tracking:2", "tracking:3", "after-sales:4 outbound:5", "") == ["m0", "m2"]
    assert (received("TrackingQueue"), received("AfterSalesQueue")) == (["2", "3"], ["4"])
