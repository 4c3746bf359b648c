"""Some cases of the corpus of bad input over real HTTP: the answer is the one that the case names, and never a 5xx."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.cases import FOLDER, REQUESTS, Case, read_case
from tests.corpus.known_secrets import CURRENT, OTHER
from tests.corpus.making import ops_request, webhook_request
from tests.corpus.running import QUEUE_OF_CHANNEL
from tests.e2e.world import Answer, World, http

WEBHOOKS = [
    "shopify/signature-missing",
    "shopify/signature-truncated",
    "shopify/signature-other",
    "shopify/signature-changed",
    "shopify/size-1-mib",
    "shopify/size-10-mb",
    "shopify/depth-open",
    "shopify/charset-utf-16",
    "shopify/nul-raw",
    "shopify/number-5000-digits-id",
    "shopify/topic-unknown",
    "supplier/signature-old",
    "supplier/signature-huge",
    "supplier/body-depth",
    "carrier/signature-wrong",
    "carrier/form-bytes",
    "carrier/param-depth",
]
OPS = [
    "ops/limit-5000-digits",
    "ops/limit-other-digits",
    "ops/kind-unknown",
    "ops/decision-depth",
    "ops/decision-utf-16",
]
# API Gateway answers some requests differently. It hands over as text what looks like text, so a body that is not UTF-8
# no longer fits its signature; and it limits the size of a header.
AT_THE_GATEWAY = {"shopify/charset-utf-16": 401, "supplier/signature-huge": 431}
_OURS = ("x-", "content-type", "webhook-", "shopify-")


def case_of(name: str) -> Case:
    return read_case(FOLDER / f"{name}.yaml")


@pytest.fixture
def secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the corpus sign with the secrets of this stack."""
    given = json.loads(Path(world.stack.directory, "secrets.json").read_text())["webhook"]
    for known in (CURRENT, OTHER):
        for name in known.keys() & given.keys():
            monkeypatch.setitem(known, name, given[name][0])


def send(world: World, event: Mapping[str, Any], **headers: str) -> Answer:
    """Send the HTTP request that an API Gateway event describes."""
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    query = f"?{event['rawQueryString']}" if event.get("rawQueryString") else ""
    wanted = {name: value for name, value in event["headers"].items() if name.startswith(_OURS)}
    method = event["requestContext"]["http"]["method"]
    return http(method, f"{world.stack.api_url}{event['rawPath']}{query}", wanted | headers, body or None)


@pytest.mark.parametrize("name", WEBHOOKS)
@pytest.mark.usefixtures("secrets")
def test_a_bad_webhook_is_answered_as_the_corpus_says(world: World, name: str) -> None:
    case = case_of(name)
    event = webhook_request(case, datetime.now(UTC))
    answer = send(world, event)
    expected = AT_THE_GATEWAY.get(name, int(case.expect) if case.expect in REQUESTS else 200)
    assert answer.status == expected, answer
    if answer.status == 200 and case.expect == "set aside":
        channel = event["pathParameters"]["channel"]
        world.dead_letters[QUEUE_OF_CHANNEL[channel].replace("Queue", "DeadLetters")] += 1


@pytest.mark.parametrize("name", OPS)
def test_a_bad_question_is_answered_as_the_corpus_says(world: World, name: str) -> None:
    case = case_of(name)
    assert world.ops("GET", "/attention").status == 200
    answer = send(world, ops_request(case), Authorization=f"Bearer {world.stack.ops_token()}")
    assert (answer.status, list(answer.body)) == (int(case.expect), ["error"])


def test_after_all_of_it_an_order_goes_its_way(world: World) -> None:
    order = world.buy()
    world.until(order, "IN_FULFILMENT")
