"""The front door's handler: it reads a body in each form that API Gateway uses, and answers in API Gateway's form."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from dropship.services.messages import Webhook
from dropship.services.reception import TEXT, Answer
from tests.functions.conftest import WEBHOOK_SECRETS
from tests.support.lambdas import event, source_of
from tests.support.template_document import ROOT

OK = Answer(200, b"hello", TEXT)


@pytest.fixture
def webhook(function):
    return function("webhook")


@pytest.fixture
def now(clock):
    """The time at which an example was signed."""

    def set_to(example):
        clock.time = datetime.fromtimestamp(example["requestContext"]["timeEpoch"] / 1000, UTC)

    return set_to


def as_base64(example):
    return example | {"body": base64.b64encode(example["body"].encode()).decode(), "isBase64Encoded": True}


def test_a_signed_webhook_is_200_json_and_one_message(webhook, received):
    answer = webhook(event("webhook/orders_paid"))
    assert answer == {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
    assert len(received("InboxQueue")) == 1


def test_the_same_body_as_base64_is_the_same_message(webhook, received):
    webhook(event("webhook/orders_paid"))
    webhook(as_base64(event("webhook/orders_paid")))
    first, second = received("InboxQueue")
    assert first == second


def test_a_body_in_base64_is_kept_byte_for_byte(webhook, received, now):
    example = event("webhook/kuaidi100_push")
    assert example["isBase64Encoded"]
    now(example)
    assert json.loads(webhook(example)["body"])["returnCode"] == "200"
    (kept,) = received("TrackingQueue")
    assert Webhook.model_validate_json(kept).request.body == base64.b64decode(example["body"])


def test_header_names_may_come_in_any_case(webhook):
    example = event("webhook/orders_paid")
    example["headers"] = {name.title(): value for name, value in example["headers"].items()}
    assert webhook(example)["statusCode"] == 200


@pytest.mark.parametrize("change", [{"body": None}, {"body": ""}, {"headers": {}}, {"body": "{}"}])
def test_what_is_not_signed_is_401(webhook, received, change):
    assert webhook(event("webhook/orders_paid") | change)["statusCode"] == 401
    assert received("InboxQueue") == []


def test_what_is_signed_may_not_be_fetched(webhook, received):
    example = event("webhook/orders_paid")
    example["requestContext"]["http"]["method"] = "GET"
    assert webhook(example)["statusCode"] == 405
    assert received("InboxQueue") == []


def test_the_query_is_decoded_once_as_it_was_sent(webhook, monkeypatch):
    seen = []
    monkeypatch.setattr(
        webhook.module, "receive", lambda _channel, _connection, request, *_: seen.append(request) or OK
    )
    example = event("webhook/orders_paid") | {"rawQueryString": "echostr=a%2Bb+c&empty=&nonce=1"}
    assert webhook(example)["headers"] == {"content-type": "text/plain; charset=utf-8"}
    assert (seen[0].method, seen[0].query) == ("POST", {"echostr": "a+b c", "empty": "", "nonce": "1"})


def test_a_request_without_body_or_headers_at_all_is_401(webhook):
    example = event("webhook/orders_paid")
    del example["body"], example["headers"]
    assert webhook(example)["statusCode"] == 401


@pytest.mark.parametrize(
    "path",
    [
        {"channel": "shopify", "connection": "second-shop"},
        {"channel": "ebay", "connection": "main-shop"},
        {"channel": "shopify", "connection": "../api/shopify/main-shop"},
        {"channel": "shopify", "connection": "main-shop/"},
        {"channel": "", "connection": ""},
        {"channel": "contract", "connection": "main-shop"},
    ],
)
def test_an_unknown_address_is_404(webhook, path):
    assert webhook(event("webhook/orders_paid") | {"pathParameters": path})["statusCode"] == 404


def test_a_body_that_is_too_large_is_413(webhook):
    answer = webhook(event("webhook/orders_paid") | {"body": "x" * 800_000})
    assert (answer["statusCode"], "larger" in answer["body"]) == (413, True)


def test_a_suppliers_old_signature_is_401(webhook, now, clock):
    example = event("webhook/supplier_shipped")
    now(example)
    assert webhook(example)["statusCode"] == 200
    clock.advance(minutes=6)
    assert webhook(example)["statusCode"] == 401


def test_the_log_says_who_was_refused_and_how_and_nothing_else(webhook, logged):
    example = event("webhook/orders_paid")
    webhook(example)
    webhook(example | {"body": "{}"})
    lines = logged()
    assert [(line["channel"], line["connection"], line["status"]) for line in lines] == [
        ("shopify", "main-shop", 401),
    ]
    text = json.dumps(lines)
    for hidden in ("Steve", example["headers"]["x-shopify-hmac-sha256"], *WEBHOOK_SECRETS.values()):
        assert hidden not in text


def test_loading_it_costs_no_model_no_sdk_and_no_router():
    # Powertools itself loads the package botocore, which takes a millisecond; its submodules are what costs.
    heavy = [
        "pydantic",
        "boto3",
        "botocore.session",
        "botocore.client",
        "aws_lambda_powertools.event_handler",
        "urllib3",
    ]
    script = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'layers/dropship')!r}, {str(source_of('webhook'))!r}]; "
        f"import app; print([name for name in {heavy} if name in sys.modules])"
    )
    environment = {"POWERTOOLS_SERVICE_NAME": "webhook", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
