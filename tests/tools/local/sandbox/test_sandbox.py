"""Records, faults, signatures, and the sandbox as a process."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tools.local.sandbox import examples, signatures
from tools.local.sandbox.__main__ import main
from tools.local.sandbox.client import Sandbox, SandboxError
from tools.local.sandbox.faults import MODES

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).resolve().parents[4]
ORDER = json.dumps({"reference": "main-shop.4711.acme.1.1", "lines": [{"line": "1", "quantity": 1}]}).encode()


@pytest.fixture
def post(sandbox):
    """Place a purchase order by hand. Returns the status and body of the answer."""

    def posting(timeout=100):
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=timeout)
        try:
            headers = {"Authorization": "Bearer key_1", "Idempotency-Key": "k"}
            connection.request("POST", "/suppliers/acme/purchase-orders", ORDER, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return posting


def test_records_hold_bodies_in_order_but_no_secret(sandbox, post):
    post()
    sandbox.send_order("main-shop", examples.paid_order())
    [placed] = sandbox.records("supplier:acme", "place", "main-shop.4711")
    assert (placed["status"], placed["path"]) == (201, "/suppliers/acme/purchase-orders")
    assert placed["body"]["reference"] == "main-shop.4711.acme.1.1"
    assert placed["headers"]["idempotency-key"] == "k"
    assert "authorization" not in placed["headers"]
    [sent] = sandbox.records(direction="sent")
    assert (sent["partner"], sent["operation"], sent["status"]) == ("shopify:main-shop", "orders/paid", 200)
    assert placed["n"] < sent["n"]
    sandbox.forget()
    assert sandbox.records() == []
    assert len(sandbox.supplier_orders("acme")) == 1


def test_an_unknown_filter_is_an_error(sandbox):
    with pytest.raises(SandboxError, match="unknown filter nonsense"):
        sandbox._call("GET", "/records?nonsense=1")


@pytest.mark.parametrize(
    ("mode", "answer", "orders"),
    [
        ("status", 500, 0),
        ("throttle", 429, 0),
        ("drop", None, 0),
        ("error_after_accepting", 500, 1),
        ("drop_after_accepting", None, 1),
        ("garbage", 201, 1),
        ("delay", 201, 1),
    ],
)
def test_every_fault_does_what_it_says(sandbox, post, mode, answer, orders):
    sandbox.fault("supplier:acme", mode, "place", seconds=0.05)
    if answer is None:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            post()
    else:
        status, body = post()
        assert status == answer
        assert body.startswith(b"<html>") is (mode == "garbage")
    assert len(sandbox.supplier_orders("acme")) == orders
    assert sandbox.records("supplier:acme")[0]["fault"] == mode
    assert post()[0] in {200, 201}


def test_every_mode_is_tested():
    marks = test_every_fault_does_what_it_says.pytestmark
    [cases] = [mark.args[1] for mark in marks if mark.name == "parametrize"]
    assert {mode for mode, _, _ in cases} | {"answer_when_healed"} == set(MODES)


def test_an_answer_can_be_kept_back_until_the_partner_is_healed(sandbox, post, wait_for):
    sandbox.fault("supplier:acme", "answer_when_healed", "place")
    with ThreadPoolExecutor(1) as pool:
        placing = pool.submit(post)
        wait_for(lambda: sandbox.supplier_orders("acme"))
        assert not placing.done()
        sandbox.heal()
        assert placing.result()[0] == 201


def test_a_late_answer_may_come_after_the_caller_has_gone(sandbox, post, wait_for):
    sandbox.fault("supplier:acme", "delay", "place", seconds=100)
    with pytest.raises(TimeoutError):
        post(timeout=0.1)
    sandbox.heal()
    wait_for(lambda: sandbox.supplier_orders("acme"))


def test_faults_strike_as_often_as_told_and_only_what_fits(sandbox, post):
    sandbox.fault("supplier:acme", "status", "place", times=2, match="4711", status=503)
    sandbox.fault("supplier:acme", "status", "place", match="another order", status=501)
    assert [post()[0] for _ in range(3)] == [503, 503, 201]
    assert [fault["fired"] for fault in sandbox.faults()] == [2, 0]
    sandbox.heal()
    sandbox.fault("supplier:acme", "status", times=None)
    assert {post()[0] for _ in range(3)} == {500}


def test_a_fault_of_no_known_mode_is_an_error(sandbox):
    with pytest.raises(SandboxError, match="unknown mode 'sulk'"):
        sandbox.fault("supplier:acme", "sulk")


def test_before_the_stack_is_up_it_says_what_is_missing(empty_sandbox):
    with pytest.raises(SandboxError, match=r"There is no .*stack.json yet"):
        empty_sandbox.send_order("main-shop", examples.paid_order())


def test_a_sandbox_that_is_not_there_is_an_error():
    with pytest.raises(SandboxError, match="does not answer"):
        Sandbox("http://127.0.0.1:9").records()


def test_signatures_are_those_of_published_examples():
    body = (
        '{"id":820982911946154508,"name":"#1001","note":"请尽快发货","total_price":"19.90","currency":"USD",'
        '"order_status_url":"https:\\/\\/example.myshopify.com\\/1\\/orders\\/x"}'
    ).encode()
    secret = "shpss_0123456789abcdef0123456789abcdef"
    assert signatures.hmac_sha256_base64(secret, body) == "4Ps1Fnt8YezWpR5r525oznNuNOAGxPMXnbHRu7EjmWQ="
    body = (
        b'{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z",'
        b'"data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}'
    )
    signed = signatures.standard_webhook(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", 1674087231, body
    )
    assert signed == "v1,ARw42xaAApl/nxRo+iPGYwSaMQaOwMo2eyH5JBRA+bQ="
    param = (
        '{"com":"yuantong","num":"YT9693083639795","phone":"","from":"","to":"",'
        '"resultv2":"4","show":"0","order":"desc"}'
    )
    sign = signatures.md5_upper(param, "KEYabcdef12", "CUST1234567890ABCDEF1234567890AB")
    assert sign == "6B9108A122F044B24E070BAC400ADE0F"


@pytest.mark.parametrize("path", sorted((ROOT / "events" / "webhook").glob("*.json")), ids=lambda path: path.stem)
def test_example_events_are_signed_with_the_secrets_that_the_readme_names(path):
    event = json.loads(path.read_text())
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    headers, connection = event["headers"], "/".join(event["pathParameters"].values())
    readme = (ROOT / "events" / "README.md").read_text()
    secret = re.search(rf"`{connection}` \| `(\S+)`", readme)[1]
    assert int(headers["content-length"]) == len(body)
    match event["pathParameters"]["channel"]:
        case "shopify":
            assert headers["x-shopify-hmac-sha256"] == signatures.hmac_sha256_base64(secret, body)
        case "woocommerce":
            assert headers["x-wc-webhook-signature"] == signatures.hmac_sha256_base64(secret, body)
        case "supplier-v1":
            at = int(headers["webhook-timestamp"])
            signed = signatures.standard_webhook(secret, headers["webhook-id"], at, body)
            assert headers["webhook-signature"] == signed
        case "kuaidi100":
            form = dict(parse_qsl(body.decode()))
            assert form["sign"] == signatures.md5_upper(form["param"], secret)


def test_example_orders_are_new_each_time_and_their_changes_are_later():
    first, second = examples.paid_order(), examples.paid_order()
    ids = [first["id"], second["id"], *(line["id"] for order in (first, second) for line in order["line_items"])]
    assert len(set(ids)) == 6
    assert examples.cancelled(first)["updated_at"] > first["updated_at"]
    refund = examples.refund(first, {first["line_items"][0]["id"]: 1})
    assert refund["order_id"] == first["id"]
    assert refund["transactions"][0]["amount"] == "199.00"


def test_it_runs_as_a_process_on_loopback_and_ends_when_asked(tmp_path):
    command = [sys.executable, "-m", "tools.local.sandbox", "--port", "0", "--directory", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
            with urllib.request.urlopen(f"{url}/health", timeout=100) as answer:
                assert json.load(answer) == {"ok": True, "api_url": None}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=100) == 0


def test_help_names_every_control(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "POST   /control/suppliers/{id}/{acknowledge|reject|ship|cancel|refuse-cancellation}" in text
    assert all(mode in text for mode in MODES)
