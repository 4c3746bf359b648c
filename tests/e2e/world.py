"""What a test does to the running stack and sees of it, over real HTTP: shoppers, partners, the ops API."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.lambdas import sqs_batch
from tools.local.sandbox.client import Sandbox
from tools.local.sandbox.examples import paid_order
from tools.local.stack import Stack

SHOP = "main-shop"
PATIENCE_S = 90.0
"""The longest wait for something that has to happen: on a busy machine a function takes half a minute to start."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: Any


@dataclass
class World:
    """The running stack, seen from outside."""

    stack: Stack
    dead_letters: Counter[str] = field(default_factory=Counter)
    """Messages that tests made fail, by queue; the last tests check that these and no others were set aside."""
    refused: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Orders, each with its shop, that must never be stored; the last tests check that too."""
    invoked: Counter[str] = field(default_factory=Counter)
    """How often tests ran a function themselves."""
    _token: str = field(default="", init=False)

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.stack.sandbox_url)

    def buy(self, shop: str = SHOP, *, lines: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
        """A shopper pays. Returns the order's payload. `lines` change the example's lines one by one."""
        order = an_order(lines=lines, **fields)
        assert self.sandbox.send_order(shop, order) == [200]
        return order

    def ops(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Answer:
        """A call of the back office."""
        self._token = self._token or self.stack.ops_token()
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        return http(method, f"{self.stack.api_url}/ops{path}", headers, None if body is None else json.dumps(body))

    def order(self, order: dict[str, Any], shop: str = SHOP) -> dict[str, Any] | None:
        """The order as ops see it; None while it is not known."""
        answer = self.ops("GET", f"/orders/{shop}/{order['id']}")
        assert answer.status in {200, 404}, answer
        return dict(answer.body["order"]) if answer.status == 200 else None

    def until(self, order: dict[str, Any], status: str, shop: str = SHOP) -> dict[str, Any]:
        """Wait until the order has this status. Returns the order."""
        return self.when(order, lambda seen: seen["status"] == status, shop, wanted=status)

    def when(
        self,
        order: dict[str, Any],
        condition: Callable[[dict[str, Any]], bool],
        shop: str = SHOP,
        *,
        wanted: str = "the condition",
    ) -> dict[str, Any]:
        """Wait until the order fulfils a condition. Returns the order."""
        seen: dict[str, Any] | None = None

        def fulfilled() -> dict[str, Any] | None:
            nonlocal seen
            seen = self.order(order, shop)
            return seen if seen is not None and condition(seen) else None

        return eventually(fulfilled, lambda: f"{wanted}; last seen: {json.dumps(seen, indent=1)}")

    def case(self, case: str, shop: str = SHOP) -> dict[str, Any] | None:
        """The case as ops see it; None while it is not known."""
        answer = self.ops("GET", f"/cases/{shop}/{case}")
        return dict(answer.body["case"]) if answer.status == 200 else None

    def case_until(self, case: str, status: str, shop: str = SHOP) -> dict[str, Any]:
        """Wait until the case has this status. Returns the case."""
        return eventually(
            lambda: seen if (seen := self.case(case, shop)) and seen["status"] == status else None,
            lambda: f"case {case} {status}; last seen: {self.case(case, shop)}",
        )

    def purchase_orders(self, order: dict[str, Any], supplier: str = "acme") -> list[dict[str, Any]]:
        """The order's purchase orders that the supplier has."""
        return self.sandbox.supplier_orders(supplier, str(order["id"]))

    def placed(self, order: dict[str, Any], supplier: str = "acme") -> list[dict[str, Any]]:
        """Every request to place a purchase order of the order that reached the supplier, repeats included."""
        return self.sandbox.records(f"supplier:{supplier}", "place", str(order["id"]))

    def ship(self, order: dict[str, Any], supplier: str = "acme", **details: Any) -> dict[str, Any]:
        """The supplier ships all of the order. Returns the parcel as ops see it."""
        (purchase_order,) = self.purchase_orders(order, supplier)
        known = {parcel["number"] for parcel in (self.order(order) or {"parcels": []})["parcels"]}
        assert self.sandbox.ship(supplier, purchase_order["reference"], **details) == [200]
        seen = self.when(
            order,
            lambda seen: any(parcel["number"] not in known for parcel in seen["parcels"]),
            wanted="shipped",
        )
        return next(parcel for parcel in seen["parcels"] if parcel["number"] not in known)

    def batch(self, body: str, queue: str, like: str) -> dict[str, Any]:
        """A batch of one message, as Lambda would hand it over. The message is in no queue."""
        found = sqs_batch(body, like=like)
        arn = f"arn:aws:sqs:{self.stack.region}:{self.stack.account}:{self.stack_name}-{queue}"
        return {"Records": [record | {"eventSourceARN": arn} for record in found["Records"]]}

    def invoke(self, function: str, event: object) -> Any:
        """Run a function as its schedule or an operator would."""
        answer = self.stack.client("lambda").invoke(
            FunctionName=f"{self.stack_name}-{function}", Payload=json.dumps(event).encode()
        )
        self.invoked[function] += 1
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())

    def sweep(self, clock: str) -> None:
        """Wait until a clock has run out (its time as ops see it), then run the sweep once."""
        run_out(datetime.fromisoformat(clock))
        self.invoke("deadline-sweep", {})

    @property
    def stack_name(self) -> str:
        """The name of the deployed stack."""
        return self.stack.queues["InboxQueueUrl"].rsplit("/", 1)[1].removesuffix("-inbox")

    def depth(self, queue: str) -> int:
        """The number of messages in a queue, which is named by its template output without `Url`."""
        attributes = self.stack.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.queues[f"{queue}Url"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def quiet(self, *queues: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until these queues are empty, so that everything sent to them has had its effect."""
        eventually(lambda: not any(map(self.depth, queues)), lambda: f"{', '.join(queues)} empty", patience_s)

    @contextmanager
    def not_consumed(self, function: str) -> Iterator[None]:
        """In this context the function takes nothing from its queue, so that no worker can be faster than the test."""
        client = self.stack.client("lambda")
        found = client.list_event_source_mappings(FunctionName=f"{self.stack_name}-{function}")
        (mapping,) = (one["UUID"] for one in found["EventSourceMappings"])
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=mapping, Enabled=True)

    def lose(self, queue: str, order: dict[str, Any]) -> None:
        """Wait for a message about the order in a queue that is not consumed, and delete it."""
        url, client = self.stack.queues[f"{queue}Url"], self.stack.client("sqs")

        def found() -> bool:
            received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
            ours = [one for one in received.get("Messages", []) if str(order["id"]) in one["Body"]]
            for one in ours:
                client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            return bool(ours)

        eventually(found, lambda: f"a message about {order['id']} in {queue}")

    def executions(self, workflow: str, contains: str) -> list[dict[str, Any]]:
        """Executions of a workflow (`Fulfilment`, `Case`) whose name contains a text."""
        machine = self.stack.outputs[f"{workflow}WorkflowArn"]
        pages = self.stack.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
        return [execution for page in pages for execution in page["executions"] if contains in execution["name"]]


def an_order(*, lines: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """A new paid order. `lines` change the example's lines one by one; the order has as many lines as `lines` names."""
    order = paid_order() | fields
    if lines is not None:
        order["line_items"] = [line | change for line, change in zip(order["line_items"], lines, strict=False)]
    return order


def eventually[Found](
    look: Callable[[], Found | None], missing: Callable[[], str], patience_s: float = PATIENCE_S
) -> Found:
    """Look again and again until there is something, and return it. AssertionError after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {patience_s:.0f} s: {missing()}")


def run_out(clock: datetime) -> None:
    """Wait until a hundredth of a second after `clock`, because times are stored to the millisecond."""
    time.sleep(max(0.0, (clock - datetime.now(UTC)).total_seconds() + 0.01))


def http(method: str, url: str, headers: dict[str, str], body: str | bytes | None = None) -> Answer:
    """One request."""
    parts = urlsplit(url)
    data = body.encode() if isinstance(body, str) else body
    with closing(HTTPConnection(parts.netloc, timeout=30)) as connection:
        # a server that refuses a request may answer and close before it has received the whole request
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, parts._replace(scheme="", netloc="").geturl(), data, headers)
        answer = connection.getresponse()
        return Answer(answer.status, _read(answer.read()))


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
