"""Our own processor time for one order, without what AWS's SDK and partners take.

    python -m tests.bench.cpu

The handlers run in this process on moto, in batches of the size of their event sources, and the answers of AWS are
recorded. Then they run again and again with the recorded answers. The time spent inside the SDK's calls and inside the
partners is subtracted; signatures, JSON, models, rules, threads and Powertools remain.
Decision 36 says where it goes.
"""

import argparse
import gc
import io
import json
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from threading import Lock
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs

from botocore.client import BaseClient

from dropship.connectors import signatures
from dropship.ports import HttpRequest, HttpResponse
from tests.bench.figures import Figure, at_most, table
from tests.faults.world import World, account
from tests.support.consumers import BY_QUEUE
from tests.support.deployed import WEBHOOK_SECRETS
from tests.support.lambdas import event, sqs_batch

MOST_US = 300
ORDERS, ROUNDS = 100, 16
POLLS: tuple[tuple[str, ...], ...] = (
    (),
    ("103", "1002"),
    ("103", "1002"),
    ("103", "1002"),
    ("103", "1002"),
    ("103", "1002", "301"),
)
_SECRET = "shopify/main-shop"


class Invocation(NamedTuple):
    """What a function was given and when, the scans of the parcels by then, and what AWS answered to each call."""

    function: str
    event: Any
    at: datetime
    codes: Sequence[str]
    answers: dict[str, list[Any]]


def _asked(operation: str, request: Mapping[str, Any]) -> str:
    """The part of a call that its answer depends on."""
    about = request.get("Key") or request.get("ExpressionAttributeValues") or request.get("Names")
    if operation == "PutItem":
        about = request["Item"]["pk"], request["Item"]["sk"]
    return f"{operation} {about}"


@dataclass
class Tape:
    """A recorded happy path: with it the handlers can run any number of times without AWS."""

    invocations: list[Invocation] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def recording(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The SDK's call, with its answer recorded."""

        def recorded(client: BaseClient, operation: str, request: Mapping[str, Any]) -> Any:
            try:
                answer = call(client, operation, request)
            except Exception as error:
                answer = error
                raise
            finally:
                with self.lock:
                    self.invocations[-1].answers.setdefault(_asked(operation, request), []).append(answer)
            return answer

        return recorded


@dataclass
class Replay:
    """Runs a tape, and counts the processor seconds of each function without those of outgoing calls."""

    world: World
    partners: "Partners"
    spent: Counter[str] = field(default_factory=Counter)
    outside: float = 0.0
    answers: dict[str, deque[Any]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def run(self, tape: Tape) -> None:
        """Run the whole tape once."""
        for function, given, at, self.partners.codes, answers in tape.invocations:
            self.answers = {asked: deque(found) for asked, found in answers.items()}
            self.world.clock.time = at
            with redirect_stdout(io.StringIO()):
                self.world.function(function)(given)

    def ours(self, function: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """The handler, with its time counted."""

        def timed(*given: Any) -> Any:
            before, began = self.outside, time.process_time()
            try:
                return handler(*given)
            finally:
                self.spent[function] += time.process_time() - began - (self.outside - before)

        return timed

    def not_ours(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with its time subtracted, whichever thread makes it."""

        def timed(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return call(*given, **named)
            finally:
                with self.lock:
                    self.outside += time.thread_time() - began

        return timed

    def answer(self, _client: BaseClient, operation: str, request: Mapping[str, Any]) -> Any:
        """What AWS answered when the tape was made."""
        answer = self.answers[_asked(operation, request)].popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Partners:
    """Partners that answer as on the happy path, for any number of orders."""

    def __init__(self) -> None:
        self.codes: Sequence[str] = ()

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        """`ports.Http`."""
        if "suppliers" in base_url:
            reference = json.loads(request.body)["reference"]
            return _ok({"reference": reference, "supplier_order_id": "SO-1", "status": "acknowledged"}, 201)
        if "shopify" in base_url:
            return self._shop(json.loads(request.body))
        return self._tracker(json.loads(parse_qs(request.body.decode())["param"][0])["num"])

    def _shop(self, asked: dict[str, Any]) -> HttpResponse:
        if "mutation" in asked["query"]:
            made = {"fulfillment": {"id": "gid://shopify/Fulfillment/1069019862"}, "userErrors": []}
            return _ok({"data": {"fulfillmentCreate": made}})
        line = {
            "id": "gid://shopify/FulfillmentOrderLineItem/1",
            "remainingQuantity": 1,
            "lineItem": {"id": f"gid://shopify/LineItem/{LINE['id']}"},
        }
        group = {"id": "gid://shopify/FulfillmentOrder/1", "status": "OPEN", "lineItems": {"nodes": [line]}}
        return _ok({"data": {"order": {"fulfillmentOrders": {"nodes": [group]}, "fulfillments": []}}})

    def _tracker(self, number: str) -> HttpResponse:
        if not self.codes:
            return _ok({"result": False, "returnCode": "500", "message": "查询无结果"})
        rows = [
            {"context": "…", "ftime": f"2026-11-21 17:{minute:02}:00", "status": "…", "statusCode": code}
            for minute, code in enumerate(self.codes)
        ]
        return _ok({"com": "yuantong", "nu": number, "state": "0", "status": "200", "data": rows[::-1]})


def _ok(body: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


_PAID = event("webhook/orders_paid")
_SOLD = json.loads(_PAID["body"])
LINE = _SOLD["line_items"][0]
_SHIPPED = event("webhook/supplier_shipped")


@dataclass
class Drive:
    """Drives some orders along the happy path, handler by handler."""

    world: World
    partners: Partners
    tape: Tape

    def run(self, orders: Sequence[int]) -> None:
        """Drive the orders from the webhook to delivered."""
        for order in orders:
            self._call("webhook", _paid(order))
        self._consume("InboxQueue")
        for started in self.world.new_executions("FulfilmentWorkflow"):
            for wanted in self._call("dispatch_plan", started)["purchase_orders"]:
                assert self._call("dispatch_submit", wanted | {"worker": "one"})["status"] == "ACKED"
        for order in orders:
            self._call("webhook", self._shipped(order))
        self._consume("SupplierEventsQueue")
        self.world.drain("TrackingQueue")
        self._consume("OutboundQueue")
        for codes in POLLS:
            self.partners.codes = codes
            self.world.clock.advance(hours=4)
            self._call("tracking_schedule", {"everything": True})
            self._consume("TrackingQueue")
        states = Counter(order.status for order in self.world.orders())
        assert set(states) == {"DELIVERED"}, states

    def _consume(self, queue: str) -> None:
        consumer = BY_QUEUE[queue]
        for bodies in batched(self.world.drain(queue), consumer.source["BatchSize"], strict=False):
            batch = sqs_batch(*bodies, like=consumer.example)
            assert self._call(consumer.function, batch)["batchItemFailures"] == []

    def _call(self, function: str, what: object) -> Any:
        self.tape.invocations.append(Invocation(function, what, self.world.clock.now(), self.partners.codes, {}))
        return self.world.call(function, what)

    def _shipped(self, order: int) -> dict[str, Any]:
        told = json.loads(_SHIPPED["body"])
        told["data"]["reference"] = told["data"]["reference"].replace(str(_SOLD["id"]), str(order))
        lines = [line for line in told["data"]["shipment"]["lines"] if line["line"] == str(LINE["id"])]
        told["data"]["shipment"] |= {"tracking_number": f"YT{order}", "lines": lines}
        return _signed_by_supplier(_SHIPPED | {"body": json.dumps(told)}, int(self.world.clock.now().timestamp()))


def _paid(order: int) -> dict[str, Any]:
    body = json.dumps(_SOLD | {"id": order, "line_items": [LINE]})
    signature = signatures.hmac_sha256_base64(WEBHOOK_SECRETS[_SECRET], body.encode())
    return _PAID | {"body": body, "headers": _PAID["headers"] | {"x-shopify-hmac-sha256": signature}}


def _signed_by_supplier(request: dict[str, Any], now: int) -> dict[str, Any]:
    secret, body = WEBHOOK_SECRETS["supplier-v1/acme"], request["body"].encode()
    signature = signatures.standard_webhooks(secret, "msg_1", str(now), body)
    given = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}
    return request | {"headers": request["headers"] | given}


def measure(rounds: int = ROUNDS, orders: int = ORDERS) -> list[Counter[str]]:
    """Processor seconds of each function for one order, a counter for each round but the first, which warms up."""
    found = []
    with account():
        world, partners, tape = World(), Partners(), Tape()
        for function in world.functions():
            function.app.http = partners
        with patch.object(BaseClient, "_make_api_call", tape.recording(BaseClient._make_api_call)):
            Drive(world, partners, tape).run(range(10**12, 10**12 + orders))
        replay = Replay(world, partners)
        partners.send = replay.not_ours(partners.send)
        for function in world.functions():
            function.module.handler = replay.ours(function.name, function.module.handler)
        gc.freeze()  # so that collections do not go through moto's memory
        with patch.object(BaseClient, "_make_api_call", replay.not_ours(replay.answer)):
            for _ in range(rounds):
                replay.spent.clear()
                replay.run(tape)
                found.append(Counter({name: spent / orders for name, spent in replay.spent.items()}))
        gc.unfreeze()
    return found[1:]


def calibration() -> float:
    """Microseconds that this machine takes to read the example order as JSON and sign it, to compare machines."""
    body = _PAID["body"].encode()

    def once() -> float:
        began = time.process_time()
        for _ in range(200):
            json.loads(body)
            signatures.hmac_sha256_base64("secret", body)
        return (time.process_time() - began) / 200

    return min(once() for _ in range(5)) * 1e6


def figures() -> list[Figure]:
    """The budget, its parts by function, and the speed of this machine."""
    rounds = measure()
    totals = [sum(one.values()) * 1e6 for one in rounds]
    best = rounds[totals.index(min(totals))]
    median = statistics.median(totals)
    words = f"best of {len(totals)} × {ORDERS} orders; median {median:.0f}"
    pace = calibration()
    return [
        at_most("own CPU of one order", min(totals), "µs", MOST_US, words),
        *(Figure(f"  {name}", spent * 1e6, "µs") for name, spent in best.most_common()),
        Figure(
            "in units of: read the 5 KB order, sign it", min(totals) / pace, "x", note=f"once is {pace:.0f} µs here"
        ),
    ]


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m tests.bench.cpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    sys.stdout.write("\n".join(table("Own CPU of one order", figures())) + "\n")
