"""Signing schemes against recorded vectors."""

from datetime import UTC, datetime, timedelta

import pytest

from dropship.connectors import find, signatures
from dropship.connectors.contract import BadSignature, RawRequest
from tests.support.recorded import NOW, signed_request, vector

SIGNED_AT = datetime.fromtimestamp(1674087231, UTC)


def test_shopify_signs_as_recorded():
    recorded = vector("shopify-1")
    assert signatures.hmac_sha256_base64(recorded["secret"], recorded["raw_body"].encode()) == recorded["expected"]


def test_standard_webhooks_sign_as_recorded():
    recorded = vector("standard-webhooks-1")
    headers = recorded["headers"]
    given = (headers["webhook-id"], headers["webhook-timestamp"], recorded["raw_body"].encode())
    assert signatures.standard_webhooks(recorded["secret"], *given) == recorded["expected"]


def test_kuaidi100_signs_as_recorded():
    push, query = vector("kuaidi100-push-1"), vector("kuaidi100-query-1")
    assert signatures.md5_upper(push["param"], push["salt"]) == push["expected"]
    signed = signatures.md5_upper(query["form"]["param"], query["key"], query["customer"])
    assert signed == query["expected"]


@pytest.mark.parametrize(
    ("channel", "name", "secret", "now"),
    [
        ("shopify", "shopify-1", "secret", NOW),
        ("supplier-v1", "standard-webhooks-1", "secret", SIGNED_AT),
        ("kuaidi100", "kuaidi100-push-1", "salt", NOW),
    ],
)
class TestEveryScheme:
    def test_takes_the_current_and_the_previous_secret(self, channel, name, secret, now):
        right = vector(name)[secret]
        other = "whsec_" + "QUJD" * 8
        find(channel).connector.verify(signed_request(name), [right, other], now)
        find(channel).connector.verify(signed_request(name), [other, right], now)

    def test_refuses_another_secret_an_empty_one_and_none(self, channel, name, secret, now):
        for secrets in ([vector(name)[secret][::-1]], ["whsec_" + "QUJD" * 8], [""], []):
            with pytest.raises(BadSignature):
                find(channel).connector.verify(signed_request(name), secrets, now)

    def test_refuses_a_body_that_differs_in_one_byte(self, channel, name, secret, now):
        request = signed_request(name)
        changed = RawRequest(request.headers, request.body.replace(b"a", b"b", 1))
        with pytest.raises(BadSignature):
            find(channel).connector.verify(changed, [vector(name)[secret]], now)


def test_shopify_headers_may_come_without_their_x():
    recorded, request = vector("shopify-1"), signed_request("shopify-1")
    headers = {name.removeprefix("x-"): value for name, value in request.headers.items()}
    find("shopify").connector.verify(RawRequest(headers, request.body), [recorded["secret"]], NOW)


def test_svix_header_names_are_standard_webhooks_too():
    recorded, request = vector("standard-webhooks-1"), signed_request("standard-webhooks-1")
    headers = {name.replace("webhook-", "svix-"): value for name, value in request.headers.items()}
    find("supplier-v1").connector.verify(RawRequest(headers, request.body), [recorded["secret"]], SIGNED_AT)


def test_one_of_several_standard_webhooks_signatures_is_enough():
    recorded, request = vector("standard-webhooks-1"), signed_request("standard-webhooks-1")
    several = {**request.headers, "webhook-signature": f"v1a,AAAA v1,AAAA {recorded['expected']}"}
    find("supplier-v1").connector.verify(RawRequest(several, request.body), [recorded["secret"]], SIGNED_AT)


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_standard_webhooks_are_taken_within_five_minutes(seconds, taken):
    recorded, now = vector("standard-webhooks-1"), SIGNED_AT + timedelta(seconds=seconds)
    verify = find("supplier-v1").connector.verify
    if taken:
        verify(signed_request("standard-webhooks-1"), [recorded["secret"]], now)
    else:
        with pytest.raises(BadSignature, match="300 s"):
            verify(signed_request("standard-webhooks-1"), [recorded["secret"]], now)


@pytest.mark.parametrize("name", ["standard-webhooks-3-malformed-0", "standard-webhooks-3-malformed-2"])
def test_recorded_malformed_standard_webhooks_are_refused(name):
    with pytest.raises(BadSignature):
        find("supplier-v1").connector.verify(signed_request(name), [vector(name)["secret"]], SIGNED_AT)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-timestamp", "1674087231.0"),
        ("webhook-timestamp", "-1674087231"),
        ("webhook-timestamp", "１６７４０８７２３１"),
        ("webhook-timestamp", "9" * 5000),
        ("webhook-timestamp", ""),
        ("webhook-id", ""),
        ("webhook-id", "\ud800"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,\ud800"),
        ("webhook-signature", "v1 " * 1000),
        ("webhook-signature", "v2,ARw42xaAApl/nxRo+iPGYwSaMQaOwMo2eyH5JBRA+bQ="),
    ],
)
def test_malformed_standard_webhooks_headers_are_refused(header, value):
    recorded, request = vector("standard-webhooks-1"), signed_request("standard-webhooks-1")
    changed = RawRequest({**request.headers, header: value}, request.body)
    with pytest.raises(BadSignature):
        find("supplier-v1").connector.verify(changed, [recorded["secret"]], SIGNED_AT)


def test_a_secret_that_is_not_base64_refuses_everything():
    with pytest.raises(BadSignature, match="not base64"):
        find("supplier-v1").connector.verify(signed_request("standard-webhooks-1"), ["whsec_%%%"], SIGNED_AT)


def test_kuaidi100_may_sign_in_lower_case():
    recorded, request = vector("kuaidi100-push-1"), signed_request("kuaidi100-push-1")
    lower = request.body.replace(recorded["expected"].encode(), recorded["expected"].lower().encode())
    assert lower != request.body
    find("kuaidi100").connector.verify(RawRequest({}, lower), [recorded["salt"]], NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sign=A",
        b"param=%7B%7D",
        b"sign=A&param=%FF",
        b"sign=A&param=\xff",
        b"sign=A&sign=B&param=%7B%7D",
        b"&" * 5000,
        b"sign=A&param=" + b"&a=" * 5000,
    ],
)
def test_a_kuaidi100_push_that_is_no_form_is_refused(body):
    with pytest.raises(BadSignature):
        find("kuaidi100").connector.verify(RawRequest({}, body), ["salt"], NOW)
