"""The front door: a request with a wrong signature is refused and leaves no trace."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import SHOP, World, http
from tools.local.sandbox.examples import paid_order

pytestmark = pytest.mark.without_iam


@pytest.fixture
def secret(world: World) -> str:
    secrets = json.loads(Path(world.stack.directory, "secrets.json").read_text())
    return str(secrets["webhook"][f"shopify/{SHOP}"][0])


def post(world: World, body: bytes, signature: str | None, path: str = f"shopify/{SHOP}", **headers: str) -> Any:
    signed = {} if signature is None else {"X-Shopify-Hmac-Sha256": signature}
    return http(
        "POST",
        f"{world.stack.api_url}/webhooks/{path}",
        {
            "Content-Type": "application/json",
            "X-Shopify-Topic": "orders/paid",
            "X-Shopify-Shop-Domain": f"{SHOP}.myshopify.com",
            "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            **signed,
            **headers,
        },
        body,
    )


def sign(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def test_a_signature_that_is_wrong_missing_or_truncated_is_refused_and_nothing_is_kept(world, secret):
    order = paid_order()
    body = json.dumps(order).encode()
    right = sign(secret, body)
    world.refused.append((SHOP, order))
    for wrong in (None, "", right[:-4], right[::-1], sign("another secret", body), "\u00e9".encode().hex()):
        assert post(world, body, wrong).status == 401
    assert post(world, body + b" ", right).status == 401


def test_a_good_webhook_is_answered_well_within_a_second(world, secret):
    body = json.dumps(paid_order()).encode()

    def seconds() -> float:
        began = time.monotonic()
        assert post(world, body, sign(secret, body)).status == 200
        return time.monotonic() - began

    assert min(seconds() for _ in range(5)) < 1, "neither cold nor while the machine does something else"


@pytest.mark.parametrize("path", ["shopify/no-such-shop", "no-such-channel/main-shop", "shopify/..%2Fapi", "os/path"])
def test_an_unknown_shop_or_channel_is_not_found(world, secret, path):
    body = json.dumps(paid_order()).encode()
    assert post(world, body, sign(secret, body), path).status == 404


def test_a_body_over_the_limit_is_refused(world, secret):
    body = json.dumps(paid_order() | {"note": "x" * 800_000}).encode()
    assert post(world, body, sign(secret, body)).status == 413


def test_one_shops_secret_does_not_open_another_shop(world, secret):
    body = json.dumps(paid_order()).encode()
    assert post(world, body, sign(secret, body), "shopify/second-shop").status == 401


def test_an_order_of_another_shop_domain_is_set_aside(world):
    order = paid_order()
    world.dead_letters["InboxDeadLetters"] += 1
    world.refused.append(("second-shop", order))
    assert world.sandbox.send_order("second-shop", order, domain="main-shop.myshopify.com") == [200]


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_the_back_office_asks_for_a_token(world, token):
    assert world.ops("GET", "/attention", token=token).status == 401
