"""Follow one real order through its whole life: `python -m tools.local.demo`, after `make up`.

A shopper pays for a new order at the sandbox's Shopify. From then on the demo uses the sandbox to play the outside
world, and reads the order through the ops API, as a person in the back office would.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tools.cost.bill import Prices
from tools.cost.line import cost_line, cost_of
from tools.local.emulator import call_record
from tools.local.processes import LocalStackError
from tools.local.sandbox import examples
from tools.local.sandbox.client import Sandbox, SandboxError
from tools.local.stack import Stack
from tools.local.story import Storyteller, trouble

SHOP = "main-shop"
PYTHON = ".venv/bin/python"
BOUND_S = 30.0
POLL_S = 0.2
OPS_LOGIN = ".venv/bin/python -m tools.local.stack token"

Order = dict[str, Any]


class StepMissing(Exception):
    """A step of the order's life did not happen within its time limit; `order` is the order as last read."""

    def __init__(self, step: str, order: Order | None) -> None:
        super().__init__(step)
        self.order = order


class Disproved(Exception):
    """The partners did not receive what they should have."""


@dataclass
class Demo:
    """One run. `read` returns the order as the ops API shows it; None while the API does not know it."""

    sandbox: Sandbox
    read: Callable[[str], Order | None]
    teller: Storyteller
    bound_s: float = BOUND_S

    def run(self) -> None:
        """Play and print the life of a new order.

        Raises:
            StepMissing: a step did not happen.
            Disproved: all steps happened, but the partners received something else than they should have.
        """
        payload = examples.paid_order()
        self.order_id, self.seen = str(payload["id"]), 0
        self.teller.title(f"The life of order {payload['name']} of {SHOP}")
        self.teller.columns()
        self.began, self.shown = datetime.now(UTC), 0.0
        self._did("shopper", "pays (付款)", f"Shopify sends a signed orders/paid, {len(payload['line_items'])} lines.")
        self._sent("orders/paid", self.sandbox.send_order(SHOP, payload))
        self._dispatch()
        self._ship()
        self._deliver()
        self.teller.title("What each partner received")
        self.teller.facts(self.proof(payload))

    def _dispatch(self) -> None:
        self._until("received", lambda order: _noted(order, "received") > 0)
        self._until("planned", lambda order: len(order["purchase_orders"]) > 0)
        order = self._until("placed", lambda order: _noted(order, "placed") == len(order["purchase_orders"]))
        for purchase_order in order["purchase_orders"]:
            supplier = _supplier(purchase_order)
            self._did(supplier, "confirms", "The supplier sends a signed purchase_order.acknowledged.")
            self._sent("the acknowledgement", self.sandbox.acknowledge(supplier, purchase_order["id"]))

    def _ship(self) -> None:
        order = self._until(
            "acknowledged", lambda order: _noted(order, "acknowledged") == len(order["purchase_orders"])
        )
        for purchase_order in order["purchase_orders"]:
            supplier = _supplier(purchase_order)
            self._did(supplier, "ships", "The supplier sends a signed purchase_order.shipped.")
            self._sent("the shipment", self.sandbox.ship(supplier, purchase_order["id"]))
        self._until("shipped", lambda order: len(order["parcels"]) == len(order["purchase_orders"]))
        self._until("written back", lambda order: _noted(order, "written back") == len(order["parcels"]))

    def _deliver(self) -> None:
        for step, codes, words in (
            ("in transit", ["103", "1002"], "快递100 pushes two scans, signed: picked up, on the road."),
            ("out for delivery", ["5"], "快递100 pushes a scan: on the last van."),
            ("delivered", ["301"], "快递100 pushes a scan: signed for."),
        ):
            parcels = self._watched()
            for parcel in parcels:
                self._did("carrier", "scans", words)
                self._sent("the scans", self.sandbox.scan(parcel["number"], parcel["carrier"], codes))
            self._until(step, partial(_scanned, f"parcel {step.upper().replace(' ', '_')}", len(parcels)))
        self._until("delivered", lambda order: _noted(order, "delivered") > 0)

    def _watched(self) -> list[dict[str, Any]]:
        """The order's parcels at 快递100, once we have subscribed to each."""
        found: list[dict[str, Any]] = []

        def subscribed(order: Order) -> bool:
            numbers = {parcel["number"] for parcel in order["parcels"]}
            known = [parcel for number in numbers for parcel in self.sandbox.parcels(number)]
            found[:] = [parcel for parcel in known if parcel["callback_url"]]
            return len(found) == len(numbers)

        self._until("subscribed to the parcel's scans", subscribed)
        return found

    def _until(self, step: str, reached: Callable[[Order], bool]) -> Order:
        deadline, order = time.monotonic() + self.bound_s, None
        while time.monotonic() < deadline:
            order = self.read(self.order_id)
            if order is not None:
                self._tell(order)
                if reached(order):
                    return order
            time.sleep(POLL_S)
        raise StepMissing(step, order)

    def _tell(self, order: Order) -> None:
        for entry in order["timeline"][self.seen :]:
            seconds = self._since_then(datetime.fromisoformat(entry["at"]))
            about = entry.get("about", "").removeprefix(f"{SHOP}.{self.order_id}.")
            self.teller.happened(seconds, entry["what"], about)
        self.seen = len(order["timeline"])

    def _did(self, who: str, step: str, words: str) -> None:
        self.teller.did(self._since_then(datetime.now(UTC)), who, step, words)

    def _since_then(self, at: datetime) -> float:
        """Seconds since the story began. An order knows whole seconds, which would go back behind what was shown."""
        self.shown = max(self.shown, (at - self.began).total_seconds())
        return self.shown

    def _sent(self, what: str, statuses: Sequence[int]) -> None:
        if any(not 200 <= status < 300 for status in statuses):
            answered = ", ".join(str(status) if status else "nothing" for status in statuses)
            raise Disproved(f"Our front door should take {what} with 200; it answered {answered}.")

    def proof(self, payload: Order) -> Iterable[tuple[str, str]]:
        """What each partner received, as rows.

        Raises:
            Disproved: it is not exactly one purchase order, one fulfilment and one subscription for each.
        """
        order = self.read(self.order_id) or {"purchase_orders": [], "parcels": []}
        numbers = [parcel["number"] for parcel in order["parcels"]]
        for purchase_order in order["purchase_orders"]:
            yield from self._proof_of_purchase(_supplier(purchase_order), purchase_order["id"])
        told = self.sandbox.fulfillments(SHOP, self.order_id)
        for number in numbers:
            _exactly_one([one for one in told if number in one["numbers"]], f"fulfilment of parcel {number}", SHOP)
        units = sum(sum(one["lines"].values()) for one in told)
        sold = sum(line["quantity"] for line in payload["line_items"])
        if units != sold:
            raise Disproved(f"{SHOP} sold {sold} units and was told that {units} were sent.")
        words = f"{len(told)} fulfilment of {units} units, tracking number {', '.join(numbers)}"
        yield f"marketplace {SHOP} (平台)", words
        for number in numbers:
            yield self._proof_of_tracking(number)

    def _proof_of_purchase(self, supplier: str, reference: str) -> Iterable[tuple[str, str]]:
        held = self.sandbox.supplier_orders(supplier, reference)
        _exactly_one(held, f"purchase order {reference}", f"supplier {supplier}")
        lines = held[0]["request"]["lines"]
        units = f"{len(lines)} lines, {sum(line['quantity'] for line in lines)} units"
        yield f"supplier {supplier} (供应商)", f"1 purchase order {held[0]['supplier_order_id']}, {units}"
        requests = ", ".join(row["operation"] for row in self.sandbox.records(f"supplier:{supplier}", "", reference))
        yield "", f"idempotency key {held[0]['idempotency_key']}; requests: {requests}"

    def _proof_of_tracking(self, number: str) -> tuple[str, str]:
        asked = self.sandbox.records("kuaidi100", "subscribe", number)
        _exactly_one(asked, f"subscription to parcel {number}", "快递100")
        pushes = len(self.sandbox.records("kuaidi100", "push", number, "sent"))
        queries = len(self.sandbox.records("kuaidi100", "query", number))
        words = f"1 subscription to {number}; {pushes} pushes sent, {queries} queries received"
        return "carrier 快递100 (物流)", words


def _supplier(purchase_order: dict[str, Any]) -> str:
    """The supplier's id, which is the third part of the purchase order's id."""
    return str(purchase_order["id"]).split(".")[2]


def _noted(order: Order, what: str) -> int:
    return sum(entry["what"] == what for entry in order["timeline"])


def _scanned(note: str, parcels: int, order: Order) -> bool:
    return _noted(order, note) >= parcels


def _exactly_one(found: Sequence[object], what: str, where: str) -> None:
    if len(found) != 1:
        raise Disproved(f"There should be exactly one {what} at {where}; there are {len(found)}.")


def ops_api(stack: Stack) -> Callable[[str], Order | None]:
    """A reader of orders through the stack's ops API, with a token of its ops user."""
    token = stack.ops_token()

    def read(order_id: str) -> Order | None:
        url = f"{stack.api_url}/ops/orders/{SHOP}/{order_id}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=BOUND_S) as answer:
                return dict(json.load(answer)["order"])
        except urllib.error.HTTPError as refusal:
            with refusal:
                if refusal.code in {401, 403}:
                    raise Disproved(f"The ops API refused the ops user's token with {refusal.code}.") from None
            return None
        except OSError:
            return None

    return read


def where_next(stack: Stack, order_id: str) -> list[tuple[str, str]]:
    """Where a newcomer can look next; every command works exactly as printed."""
    fault = json.dumps({"partner": "supplier:acme", "operation": "place", "mode": "error_after_accepting"})
    return [
        (
            "the order, for ops",
            f'curl -H "Authorization: Bearer $({OPS_LOGIN})" {stack.api_url}/ops/orders/{SHOP}/{order_id}',
        ),
        (
            "the order as it is stored",
            f"PYTHONPATH=layers/dropship:. {PYTHON} -m tools.show '{SHOP}#{order_id}' --directory {stack.directory}",
        ),
        ("what the partners got", f"curl '{stack.sandbox_url}/records?contains={order_id}'"),
        (
            "a supplier that answers 500",
            f"curl {stack.sandbox_url}/control/faults -d '{fault}'; then `make demo` again",
        ),
        ("all that they can do", ".venv/bin/python -m tools.local.sandbox --help"),
        ("logs", f"{stack.directory}/emulator.log, {stack.directory}/sandbox.log"),
        ("stop everything", "make down"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns 1 if a step did not happen or a partner received something else."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.local.demo", description="Follow one real order through its life."
    )
    parser.add_argument("--directory", type=Path, help="the stack's; default $DAIFA_LOCAL, else .local")
    options = parser.parse_args(arguments)
    teller = Storyteller(lambda line: print(line, flush=True), colour=sys.stdout.isatty())
    try:
        stack = Stack.load(options.directory)
        demo = Demo(Sandbox(stack.sandbox_url), ops_api(stack), teller)
    except LocalStackError as problem:
        teller.failed([str(problem)])
        return 1
    calls = call_record(Path(stack.directory))
    begin = calls.stat().st_size
    try:
        demo.run()
    except StepMissing as missing:
        teller.failed([f"The step '{missing}' did not happen within {demo.bound_s:.0f} s.", *trouble(missing.order)])
    except (Disproved, SandboxError) as problem:
        teller.failed([str(problem)])
    except KeyboardInterrupt:
        return 130
    else:
        teller.title("Where to look next")
        teller.facts(where_next(stack, demo.order_id))
        teller.title("What it cost")
        teller.facts([("this order", cost_line(cost_of(calls, begin), Prices.load()))])
        return 0
    teller.failed([f"Look into {stack.directory}/emulator.log (functions), {stack.directory}/sandbox.log (partners)"])
    teller.failed([f"and {stack.sandbox_url}/records (what the partners received)."])
    return 1


if __name__ == "__main__":
    sys.exit(main())
