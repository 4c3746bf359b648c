"""One trial: an event meets faults and is delivered again by its trigger. The world must end as without the faults."""

import gc
import os
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Pipe
from typing import Any, NamedTuple

from tests.faults.calls import DIE, OF_AWS, OF_PARTNERS, Call, Fault
from tests.faults.picture import broken_promises, differences, picture
from tests.faults.process import Ran
from tests.faults.scenarios import Scenario
from tests.faults.world import MAX_RECEIVES, VISIBILITY_S, World, account
from tests.support.consumers import BY_FUNCTION
from tests.support.lambdas import failed

AFTER_DEATH_S = 35.0
"""Seconds that pass when a function without a queue died: its time limit."""


class Trial(NamedTuple):
    """The faults of the deliveries of an event: the first fault meets the first delivery, and so on."""

    scenario: int
    faults: tuple[Fault, ...]


class Verdict(NamedTuple):
    """How a trial ended. `wrong` is empty where the handler survived; `fired` says whether every fault happened."""

    trial: Trial
    label: str
    kind: str
    fired: bool
    wrong: list[str]


@dataclass
class Prepared:
    """A scenario's prepared world, in this process; trials run in copies of it."""

    scenario: Scenario
    world: World
    event: Any
    calls: list[Call] = field(default_factory=list)
    """The outgoing calls without a fault."""
    after: dict[str, Any] = field(default_factory=dict)
    """The picture without a fault."""


@contextmanager
def prepared(scenario: Scenario) -> Iterator[Prepared]:
    """Prepare a scenario and run it once without a fault, in a copy."""
    with account():
        world = World()
        event = scenario.prepare(world)
        gc.collect()
        gc.freeze()  # a collection in a child process would copy its memory
        one = Prepared(scenario, world, event)
        one.calls, one.after, wrong = in_copy(lambda: _without_fault(one))
        if wrong:
            raise AssertionError(f"{scenario.title} without a fault: {wrong}")
        try:
            yield one
        finally:
            gc.unfreeze()


def in_copy(work: Callable[[], Any]) -> Any:
    """Do some work in a copy of this process and its world. Returns the result of the work."""
    here, there = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        here.close()
        gc.disable()
        try:
            result = (True, work())
        except BaseException:  # noqa: BLE001 - told to the other process, which raises it
            result = (False, traceback.format_exc())
        there.send_bytes(pickle.dumps(result))
        os._exit(0)
    there.close()
    done, result = pickle.loads(here.recv_bytes())
    here.close()
    os.waitpid(child, 0)
    if not done:
        raise AssertionError(result)
    return result


def _without_fault(one: Prepared) -> tuple[list[Call], dict[str, Any], list[str]]:
    ran = one.world.call_apart(one.scenario.handler, one.event, None)
    if not _ok(ran):
        return ran.calls, {}, [f"it fails: {ran.error or ran.answer}"]
    one.world.settle()
    return ran.calls, picture(one.world), broken_promises(one.world)


def faults_of(calls: Sequence[Call]) -> Iterator[Fault]:
    """Every single fault of a handler that makes these calls.

    It is stopped before and after each call. Where it makes the same call to many shards in a row, the first two calls
    and the last one meet every fault; before each of the others it is only stopped.
    """
    for number, call in enumerate(calls, 1):
        amid = number > 2 and all(near == call for near in calls[number - 3 : number + 1])
        others = OF_AWS if call.kind == "aws" else OF_PARTNERS
        for how in DIE[:1] if amid and number < len(calls) else (*DIE, *others):
            yield Fault(number, how)


def run_trial(one: Prepared, trial: Trial) -> Verdict:
    """Run one trial in a copy of the prepared world."""
    label = f"{one.scenario.title}, " + ", then ".join(
        f"{how} at call {call} ({one.calls[call - 1].what if call <= len(one.calls) else '?'})"
        for call, how in trial.faults
    )
    kind = trial.faults[0].how if len(trial.faults) == 1 else "pairs"
    try:
        fired, wrong = in_copy(lambda: _meet(one, trial.faults))
    except AssertionError as broken:
        return Verdict(trial, label, kind, True, [str(broken)[-1500:]])
    return Verdict(trial, label, kind, fired, wrong)


def _meet(one: Prepared, faults: tuple[Fault, ...]) -> tuple[bool, list[str]]:
    world, handler = one.world, one.scenario.handler
    fired = 0
    for number in range(MAX_RECEIVES):
        event = _delivered(one.event, number + 1)
        fault = faults[number] if number < len(faults) else None
        if fault is not None and number:
            fault = _within(fault, in_copy(lambda event=event: world.call_apart(handler, event, None)))
        ran = world.call_apart(handler, event, fault)
        fired += bool(ran.fired)
        if _ok(ran):
            break
        world.pass_time(_wait(one, ran))
    else:
        return fired == len(faults), [f"not done after {MAX_RECEIVES} deliveries: {ran.error or ran.answer}"]
    world.settle()
    wrong = broken_promises(world) + differences(one.after, picture(world))
    return fired == len(faults), wrong


def _within(fault: Fault, ran: Ran) -> Fault:
    """The fault at a call that the repeat makes: a repeat may need fewer calls."""
    return fault._replace(call=(fault.call - 1) % max(1, len(ran.calls)) + 1)


def _delivered(event: Any, receives: int) -> Any:
    if "Records" not in event:
        return event
    counted = {"ApproximateReceiveCount": str(receives)}
    return {
        "Records": [record | {"attributes": record["attributes"] | counted} for record in event["Records"]],
    }


def _ok(ran: Ran) -> bool:
    if ran.died or ran.error:
        return False
    if isinstance(ran.answer, dict) and "batchItemFailures" in ran.answer:
        return not failed(ran.answer)
    return not (isinstance(ran.answer, dict) and ran.answer.get("statusCode", 200) >= 500)


def _wait(one: Prepared, ran: Ran) -> float:
    if "Records" not in one.event:
        return AFTER_DEATH_S if ran.died else 2.0
    queue = BY_FUNCTION[one.scenario.handler].queue
    return VISIBILITY_S[queue] if ran.died or not ran.delay_s else ran.delay_s
