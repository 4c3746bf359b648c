"""One case through the real handlers, in a copy of its world, and what came of it."""

import io
import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus.cases import Case
from tests.corpus.making import body_of, ops_request, queue_message, webhook_request
from tests.corpus.urls import reaches_inside
from tests.corpus.world import PLACED_NEIGHBOUR, Message, Watched, example, good_message
from tests.faults.picture import broken_promises, picture
from tests.support.lambdas import event
from tools.seed import main as load_seed_file

SEED = (Path(__file__).parent / "seed.yaml").read_text(encoding="utf-8")
QUEUE_OF_CHANNEL = {"shopify": "InboxQueue", "supplier-v1": "SupplierEventsQueue", "kuaidi100": "TrackingQueue"}


@dataclass
class Outcome:
    """What came of an input. `status` is that of the answer, or the exit code of the seed loader."""

    status: int = 0
    said: str = ""
    """The body of the answer, or what the seed loader complained of."""
    error: str = ""
    """The exception that came out of a handler, if one did."""
    bad: str = ""
    """The body of the queue message that the input became; empty where it became none."""
    set_aside: dict[str, int] = field(default_factory=dict)
    """Deliveries of each message that was given up."""
    picture: dict[str, Any] = field(default_factory=dict)
    attention: set[str] = field(default_factory=set)
    """What waits for a person."""
    items: dict[str, str] = field(default_factory=dict)
    sent: str = ""
    """What suppliers were sent."""
    stuck: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Promises that no longer hold; a good request afterwards that was not answered as it should be."""
    log: str = ""


def run_case(world: Watched, case: Case) -> Outcome:
    """Run one case; call it in a copy of the world."""
    outcome = Outcome()
    try:
        _RUN[case.surface](world, case, outcome)
    except Exception:  # noqa: BLE001 - whatever comes out of a handler is what the case looks for
        outcome.error = traceback.format_exc()[-1500:]
    return _looked_at(world, outcome)


def run_good(world: Watched, queue: str) -> Outcome:
    """The same without the bad input: only the good message of the queue, if it is about a queue."""
    if queue:
        world.deliver(good_message(queue))
    return _looked_at(world, Outcome())


def queue_of(case: Case) -> str:
    """The queue that the case's message comes to; empty where it is no message."""
    if case.surface == "messages":
        return str(case.make["queue"])
    if case.surface in {"ops", "seed"}:
        return ""
    return QUEUE_OF_CHANNEL[event(case.make["base"])["pathParameters"]["channel"]]


def _looked_at(world: Watched, outcome: Outcome) -> Outcome:
    world.stand_still()
    outcome.stuck = world.waiting()
    outcome.picture = picture(world)
    outcome.broken += broken_promises(world)
    outcome.set_aside = dict(world.set_aside)
    outcome.items = outcome.items or world.items()
    outcome.attention = {
        *(f"{order.key} {one.kind}" for order in world.orders() for one in (*order.holds, *order.tasks)),
        *(f"{case.shop}#{case.id} {case.attention.kinds[0]}" for case in world.cases() if case.attention),
    }
    outcome.sent = str([order["request"] for order in world.partners.acme.orders.values()])
    outcome.log = world.log.getvalue()
    return outcome


def _webhook(world: Watched, case: Case, outcome: Outcome) -> None:
    queue = queue_of(case)
    answer = world.call("webhook", webhook_request(case, world.clock.now()))
    outcome.status, outcome.said = answer["statusCode"], answer["body"]
    kept = {queue: world.drain(queue) for queue in QUEUE_OF_CHANNEL.values()}
    arrived = [Message(name, body) for name, bodies in kept.items() for body in bodies]
    outcome.bad = arrived[0].body if arrived else ""
    world.deliver(*arrived, good_message(queue))


def _ops(world: Watched, case: Case, outcome: Outcome) -> None:
    answer = world.call("ops_api", ops_request(case))
    outcome.status, outcome.said = answer["statusCode"], answer["body"]
    sent = [Message(queue, body) for queue in ("InboxQueue", "AfterSalesQueue") for body in world.drain(queue)]
    outcome.bad = sent[0].body if sent else ""
    if world.call("ops_api", example("ops_api/get_order", PLACED_NEIGHBOUR))["statusCode"] != 200:
        outcome.broken.append("a good request after it is not answered")
    world.deliver(*sent)


def _messages(world: Watched, case: Case, outcome: Outcome) -> None:
    outcome.bad = queue_message(case)
    world.deliver(Message(case.make["queue"], outcome.bad), good_message(case.make["queue"]))


def _seed(world: Watched, case: Case, outcome: Outcome) -> None:
    outcome.status, outcome.said = _load(world, body_of(SEED, case.make.get("body", ())), case.make.get("file"))
    if "call" in case.make:
        outcome.broken += reaches_inside(case.make["call"], world.items())
    outcome.items = world.items()
    code, complaint = _load(world, SEED.encode(), None)
    if code:
        outcome.broken.append(f"the good file is not loaded after it: {complaint}")


def _load(world: Watched, content: bytes, name: str | None) -> tuple[int, str]:
    """Load a seed file as an operator does; exit code and complaints."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name or "seed.yaml")
        file.write_bytes(content)
        told, heard = io.StringIO(), io.StringIO()
        options = ["--table", world.resources["RegistryTable"], "--set", "SANDBOX_URL=https://partners.example"]
        with redirect_stderr(told), redirect_stdout(heard):
            code = load_seed_file(["--file", str(file), *options])
    return code, told.getvalue().replace(f"{folder}{os.sep}", "")


_RUN: Mapping[str, Callable[[Watched, Case, Outcome], None]] = {
    "shopify": _webhook,
    "supplier": _webhook,
    "carrier": _webhook,
    "ops": _ops,
    "messages": _messages,
    "seed": _seed,
}
