"""The front door: a webhook is verified, kept byte for byte, and answered. Nothing else happens."""

import base64
import json

import pytest

from dropship.connectors import Registered, find, signatures
from dropship.connectors.contract import RawRequest
from dropship.services.messages import Webhook
from dropship.services.reception import MAX_BODY, QUEUE_OF_ROLE, SECRET_RECHECK_S, envelope, receive
from tests.support import made_up
from tests.support.fakes import FakeClock, FakeQueues, FakeSecrets
from tests.support.service_world import NOW

NAME = "webhook/shopify/main-shop"
BODIES = {
    "plain": b'{"id": 1}',
    "empty": b"",
    "chinese": "订单 №1 🚚".encode(),
    "not UTF-8": b"\xff\xfe{\x00}\x00",
    "truncated UTF-8": "订".encode()[:-1],
    "byte order mark": b"\xef\xbb\xbf{}",
    "surrogates": b'"\xed\xa0\x80"',
    "control characters": bytes(range(32)) * 40,
    "line ends": b"a\r\nb\rc\n",
    "as large as may be": b"x" * MAX_BODY,
    "many control characters": b"\x00" * MAX_BODY,
}
every_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)


@pytest.fixture
def secrets():
    return FakeSecrets({NAME: {"secrets": ["current"]}})


@pytest.fixture
def queues():
    return FakeQueues()


def request(body=b"{}", secret="current", **headers):
    signed = {"x-shopify-hmac-sha256": signatures.hmac_sha256_base64(secret, body), "x-shopify-topic": "orders/paid"}
    return RawRequest(signed | headers, body)


def post(request, secrets, queues, channel="shopify", connection="main-shop"):
    return receive(channel, connection, request, secrets, queues, FakeClock(NOW))


@every_body
def test_what_is_signed_is_kept_byte_for_byte_and_answered_with_200(body, secrets, queues):
    assert post(request(body), secrets, queues) == (200, b"{}", "application/json")

    (kept,) = queues.bodies("inbox")
    message = Webhook.model_validate_json(kept)
    assert message.request.body == body
    assert (message.channel, message.connection) == ("shopify", "main-shop")


@every_body
def test_a_message_fits_its_queue_and_is_plain_ascii(body):
    text = envelope("shopify", "main-shop", find("shopify").connector, request(body))
    assert text.isascii()
    assert len(text) <= 1024 * 1024, "what a message of SQS may hold"


def test_the_headers_its_reader_needs_travel_with_it_and_signatures_do_not(secrets, queues):
    kept = {"x-shopify-topic": "orders/paid", "x-shopify-webhook-id": "w-1", "x-shopify-shop-domain": "a.example"}
    other = {"authorization": "Bearer x", "cookie": "a=b", "user-agent": "Shopify-Captain-Hook"}
    post(request(**kept, **other), secrets, queues)

    assert json.loads(queues.bodies("inbox")[0])["headers"] == kept


@pytest.mark.parametrize("channel", ["shopify", "supplier-v1", "kuaidi100"])
def test_no_connector_keeps_a_signature(channel):
    assert not [name for name in find(channel).connector.kept_headers if "hmac" in name or "sign" in name]


@pytest.mark.parametrize("secret", ["another", ""])
def test_a_wrong_signature_is_401_and_leaves_nothing(secret, secrets, queues):
    assert post(request(secret=secret), secrets, queues).status == 401
    assert queues.sent == []


def test_no_signature_is_401(secrets, queues):
    assert post(RawRequest({}, b"{}"), secrets, queues).status == 401
    assert queues.sent == []


def test_a_body_changed_after_signing_is_401(secrets, queues):
    assert post(request()._replace(body=b"{} "), secrets, queues).status == 401


@pytest.mark.parametrize("content", [{}, {"secrets": []}, {"secrets": "current"}, {"secrets": [None, 7, ""]}])
def test_a_connection_without_a_usable_secret_opens_to_nobody(content, queues):
    secrets = FakeSecrets({NAME: content})
    for secret in ("", "current", "None"):
        assert post(request(secret=secret), secrets, queues).status == 401
    assert queues.sent == []


@pytest.mark.parametrize(
    ("channel", "connection"),
    [("shopify", "no-such-shop"), ("no-such-channel", "main-shop"), ("../shopify", "main-shop"), ("", "")],
)
def test_an_unknown_channel_or_connection_is_404(channel, connection, secrets, queues):
    assert post(request(), secrets, queues, channel, connection).status == 404
    assert queues.sent == []


def test_a_body_beyond_the_limit_is_413_before_any_secret_is_read(secrets, queues):
    assert post(request(b"x" * (MAX_BODY + 1)), secrets, queues).status == 413
    assert (secrets.reads, queues.sent) == ([], [])


def test_what_cannot_be_kept_is_503_so_that_it_comes_again(secrets, queues):
    queues.down = True
    assert post(request(), secrets, queues).status == 503
    queues.down = False
    assert post(request(), secrets, queues).status == 200


def test_while_no_secret_can_be_read_it_is_503_and_not_401(secrets, queues):
    secrets.down = True
    assert post(request(), secrets, queues).status == 503


@pytest.mark.parametrize("secret", ["current", "previous"])
def test_while_a_secret_is_rotated_both_the_old_and_the_new_one_open(secret, queues):
    secrets = FakeSecrets({NAME: {"secrets": ["current", "previous"]}})
    assert post(request(secret=secret), secrets, queues).status == 200
    assert secrets.reads == [(NAME, None)], "a signature that fits costs one read"


def test_a_new_secret_is_looked_for_when_the_remembered_one_does_not_fit(queues):
    class Remembering(FakeSecrets):
        def get(self, name, *, newer_than_s=None):
            found = super().get(name, newer_than_s=newer_than_s)
            return found if newer_than_s is not None else {"secrets": ["old"]}

    secrets = Remembering({NAME: {"secrets": ["new"]}})
    assert post(request(secret="new"), secrets, queues).status == 200
    assert secrets.reads == [(NAME, None), (NAME, SECRET_RECHECK_S)]


def test_a_forged_request_costs_two_looks_at_the_secret_and_no_more(secrets, queues):
    post(request(secret="another"), secrets, queues)
    assert len(secrets.reads) == 2


@pytest.mark.parametrize("role", ["supplier", "tracker"])
def test_each_role_has_its_queue_and_its_answer(role, queues):
    if role == "supplier":
        secret, stamp = "whsec_" + base64.b64encode(b"k" * 32).decode(), str(int(NOW.timestamp()))
        signature = signatures.standard_webhooks(secret, "m-1", stamp, b"{}")
        headers = {"webhook-id": "m-1", "webhook-timestamp": stamp, "webhook-signature": signature}
        secrets = FakeSecrets({"webhook/supplier-v1/acme": {"secrets": [secret]}})
        answer = receive("supplier-v1", "acme", RawRequest(headers, b"{}"), secrets, queues, FakeClock(NOW))
    else:
        body = b"sign=" + signatures.md5_upper("{}", "salt").encode() + b"&param=%7B%7D"
        secrets = FakeSecrets({"webhook/kuaidi100/kd100": {"secrets": ["salt"]}})
        answer = receive("kuaidi100", "kd100", RawRequest({}, body), secrets, queues, FakeClock(NOW))

    assert answer.status == 200
    assert [message.queue for message in queues.sent] == [QUEUE_OF_ROLE[role]]
    assert json.loads(answer.body).get("returnCode") == ("200" if role == "tracker" else None)


def test_a_refusal_says_why_in_json_and_shows_nothing_of_the_request(secrets, queues):
    answer = post(request(b"buyer@example.com", secret="x"), secrets, queues)
    assert json.loads(answer.body) == {"error": "the signature is missing or wrong"}


# ---- Greetings, methods and queries

TOKEN = "daifaToken01"
SIGNED_QUERY = {"signature": "5871072a11aaad19250fcb473379b0ab1ee5f5d7", "timestamp": "1764043205", "nonce": "n0nce1"}


@pytest.fixture
def doors():
    """Connections of partners that test our address first."""
    assert "wechat-shop" in made_up.CHANNELS
    return FakeSecrets(
        {
            "webhook/wechat-shop/wx-shop": {"secrets": [TOKEN]},
            "webhook/woocommerce/woo-shop": {"secrets": ["a secret"]},
            "webhook/shopify/main-shop": {"secrets": ["current"]},
        }
    )


def challenge(**changes):
    return RawRequest({}, b"", "GET", SIGNED_QUERY | {"echostr": "8431930267458093452"} | changes)


def test_a_challenge_is_answered_in_plain_text_and_nothing_is_kept(doors, queues):
    answer = post(challenge(), doors, queues, "wechat-shop", "wx-shop")
    assert answer == (200, b"8431930267458093452", "text/plain; charset=utf-8")
    assert queues.sent == []


def test_a_challenge_that_is_not_signed_is_401_after_a_second_look_at_the_secret(doors, queues):
    assert post(challenge(nonce="other"), doors, queues, "wechat-shop", "wx-shop").status == 401
    assert len(doors.reads) == 2


def test_a_ping_without_a_signature_is_200_and_nothing_is_kept(doors, queues):
    ping = RawRequest({"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=142")
    assert post(ping, doors, queues, "woocommerce", "woo-shop") == (200, b"{}", "application/json")
    assert queues.sent == []


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=1&a=b", b"webhook_id=x", b""])
def test_what_only_looks_like_a_ping_is_401(doors, queues, body):
    assert post(RawRequest({}, body), doors, queues, "woocommerce", "woo-shop").status == 401


@pytest.mark.parametrize(("channel", "connection"), [("woocommerce", "nobody"), ("wechat-shop", "nobody")])
def test_a_connection_that_is_not_there_greets_nobody(doors, queues, channel, connection):
    for greeting in (challenge(), RawRequest({}, b"webhook_id=142")):
        assert post(greeting, doors, queues, channel, connection).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_signed_and_no_greeting_has_to_be_posted(doors, queues, method):
    assert post(request()._replace(method=method), doors, queues).status == 405
    assert queues.sent == []


def test_of_the_query_only_what_the_reader_needs_travels(doors, queues):
    body = json.dumps({"Event": "channels_ec_order_pay", "order_info": {"order_id": 7}}).encode()
    pushed = RawRequest({}, body, "POST", SIGNED_QUERY | {"encrypt_type": "raw", "other": "x"})
    assert post(pushed, doors, queues, "wechat-shop", "wx-shop") == (200, b"success", "text/plain; charset=utf-8")
    message = Webhook.model_validate_json(queues.bodies("inbox")[0])
    assert message.request.query == {"encrypt_type": "raw"}


def test_a_channel_that_sends_nothing_is_404(doors, queues, monkeypatch):
    monkeypatch.setattr("dropship.services.reception.find", lambda _channel: Registered("supplier", object()))
    assert post(request(), doors, queues).status == 404
