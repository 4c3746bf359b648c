"""Take each grant away in turn: `python -m tests.grants`. If everything still works, the grant is not needed.

Each handler gets the events of the fault programme, and those of `MORE` for grants that the others do not need. In a
copy of the event's world, the handler runs with all its grants but one. Then its answer, or the world when all is
quiet, has to differ.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from tests.faults.picture import picture
from tests.faults.programme import warm_up
from tests.faults.scenarios import (
    OPENED,
    PAID,
    PLACED,
    SCENARIOS,
    SHIPPED,
    Scenario,
    Step,
    lost_answer,
    poll,
    sweep,
    wait,
    woo_refunds,
)
from tests.faults.trial import in_copy
from tests.faults.world import World, account
from tests.grants.gate import Gate
from tests.grants.granted import Grant, own_grants
from tests.grants.renewing import token_runs_out
from tests.support.consumers import CONSUMERS, Consumer
from tests.support.lambdas import sqs_batch
from tests.support.service_world import from_shop, lines
from tests.support.template_document import FUNCTIONS, folder

HANDLERS = sorted(folder(name) for name in FUNCTIONS)


def _nobody_offers(world: World) -> None:
    webhook = from_shop("orders/paid", line_items=lines(sku="NOBODY-HAS-IT"))
    world.call("order_ingest", sqs_batch(webhook.model_dump_json(), like=PAID))


def _answers_later(world: World) -> None:
    world.partners.acme.cancels = "later"


def _senseless(consumer: Consumer) -> Scenario:
    """A message that can never be handled: the handler asks to get it again soon, so that it is set aside soon."""
    return Scenario(consumer.function, "no message at all", (), lambda _: sqs_batch("{", like=consumer.example))


_ASKED: tuple[Step, ...] = (*PLACED, _answers_later, "order_ingest/orders_cancelled", "after_sales/cancel_order")
_LOST: tuple[Step, ...] = (PAID, lost_answer, "order_ingest/orders_cancelled", "after_sales/cancel_order")
_OUT_OF_TOKENS: list[tuple[str, str, tuple[Step, ...], str]] = [
    ("order_ingest", "woocommerce", (woo_refunds,), "order_ingest/fetch_order"),
    ("dispatch_submit", "supplier-v1", (PAID,), "dispatch_submit/submit"),
    ("tracking_poll", "kuaidi100", SHIPPED, "tracking_poll/watch"),
    ("shipment_writeback", "shopify", SHIPPED, "shipment_writeback/parcel"),
    ("after_sales", "supplier-v1", (*PLACED, "order_ingest/orders_cancelled"), "after_sales/cancel_order"),
]
MORE = [
    *(
        Scenario(handler, "a token that has run out", (*before, token_runs_out(channel)), wanted)
        for handler, channel, before, wanted in _OUT_OF_TOKENS
    ),
    *map(_senseless, CONSUMERS),
    Scenario("dispatch_plan", "a line that nobody offers", (_nobody_offers,), "dispatch_plan/plan"),
    Scenario("dispatch_submit", "taken back while it was placed", _LOST, "dispatch_submit/submit"),
    Scenario("supplier_events", "acknowledged, to be cancelled", _ASKED, "supplier_events/acknowledged"),
    Scenario("tracking_poll", "poll, the marketplace not told yet", (*SHIPPED, wait(minutes=20)), poll),
    Scenario("deadline_sweep", "a case left lying", (*OPENED, wait(days=3)), sweep),
    Scenario("deadline_sweep", "an order just as old as the sweep looks back", (PAID, wait(minutes=15)), sweep),
    Scenario(
        "after_sales", "a case that is awaited", (*OPENED, "after_sales/await_outcome"), "after_sales/decide_case"
    ),
    Scenario("ops_api", "an order that can be dispatched", (PAID,), "ops_api/dispatch"),
]


@dataclass
class Result:
    """Which grants a handler needs, each with the event that fails without it; and calls that no grant covers."""

    handler: str
    needed: dict[Grant, str] = field(default_factory=dict)
    unused: list[Grant] = field(default_factory=list)
    idle: list[Grant] = field(default_factory=list)
    """Grants that were used, but without which nothing failed."""
    uncovered: list[str] = field(default_factory=list)


@dataclass
class Trial:
    """An event and its world, in this process; every try runs in a copy."""

    world: World
    handler: str
    event: Any

    def uses(self) -> tuple[set[Grant], list[str]]:
        """The grants that the handler uses when it has all of them, and its calls that none of them covers."""

        def watched() -> tuple[set[Grant], list[str]]:
            gate = Gate(self.world.resources)
            with gate.enforced():
                self.world.call(self.handler, self.event)
            return gate.used, gate.denied

        return in_copy(watched)

    def answer(self, without: Grant | None = None) -> Any:
        """What the handler's trigger sees of one delivery: the answer or error, and when the message comes again."""
        return in_copy(lambda: self._answer(without))

    def end(self, without: Grant | None = None) -> Any:
        """The picture of the world after a delivery, when all is quiet."""

        def quiet() -> Any:
            self._answer(without)
            with Gate(self.world.resources, without).enforced():
                self.world.settle()
            return picture(self.world)

        return in_copy(quiet)

    def _answer(self, without: Grant | None) -> Any:
        with Gate(self.world.resources, without).enforced():
            ran = self.world.call_apart(self.handler, self.event, None)
        return ran.answer, ran.error, ran.delay_s


def missed(trial: Trial, grants: Iterable[Grant]) -> Iterator[Grant]:
    """The grants whose loss makes a difference.

    Raises:
        AssertionError: even with all grants the answer is not always the same, so a difference would prove nothing.
    """
    answer = trial.answer()
    assert answer == trial.answer(), f"{trial.handler} does not answer the same twice: {answer}"
    for grant in grants:
        if trial.answer(grant) != answer or trial.end(grant) != trial.end():
            yield grant


def take_away(handler: str) -> Result:
    """Take each grant of a handler away. A grant is needed if one event that uses it fails without it."""
    result = Result(handler)
    waiting = {grant for grant in own_grants() if grant.holder == handler}
    seen: set[Grant] = set()
    warm_up()
    for scenario in (one for one in [*MORE, *SCENARIOS] if one.handler == handler):
        if not waiting:
            break
        with account():
            world = World()
            trial = Trial(world, handler, scenario.prepare(world))
            gc.freeze()  # a collection in a child process would copy its memory
            used, denied = trial.uses()
            result.uncovered += [f"{scenario.title}: {call}" for call in denied]
            seen |= used
            result.needed |= dict.fromkeys(missed(trial, sorted(used & waiting)), scenario.title)
            waiting -= result.needed.keys()
            gc.unfreeze()
    result.idle, result.unused = sorted(waiting & seen), sorted(waiting - seen)
    return result


def take_all_away(handlers: Sequence[str] = HANDLERS, jobs: int = 1) -> Iterator[Result]:
    """The result of every handler. Each runs in a process with one thread: only such a process can be copied."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(take_away, handlers)
