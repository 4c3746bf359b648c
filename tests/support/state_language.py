"""Workflow definitions as data: states wherever they are nested, paths through them, and time bounds."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.template_document import ROOT

State = dict[str, Any]
INVOKE = "arn:${Partition}:states:::lambda:invoke"


def definition(name: str) -> State:
    path = ROOT / "functions" / "workflows" / f"{name}.asl.json"
    document: State = json.loads(path.read_text(encoding="utf-8"))
    return document


def machines(machine: State) -> Iterator[State]:
    """The machine itself and every machine inside its Map states."""
    yield machine
    for state in machine["States"].values():
        if state["Type"] == "Map":
            yield from machines(state["ItemProcessor"])


def tasks(machine: State) -> dict[str, State]:
    return {n: s for part in machines(machine) for n, s in part["States"].items() if s["Type"] == "Task"}


def followers(state: State) -> set[str]:
    """The states that may follow a state, by Catch too."""
    return {step["Next"] for step in [state, *state.get("Catch", [])] if "Next" in step}


def reachable(machine: State) -> set[str]:
    seen: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += followers(machine["States"][name])
    return seen


def entered_states(machine: State, items: int) -> int:
    """The states that are entered when nothing fails and every Map has `items` items."""
    count, name = 0, machine["StartAt"]
    while name:
        state = machine["States"][name]
        count += 1
        if state["Type"] == "Map":
            count += items * entered_states(state["ItemProcessor"], items)
        name = state.get("Next")
    return count


def longest_wait(retrier: State) -> float:
    """The sum of the seconds between the attempts of one retrier, without jitter (which only shortens them)."""
    limit = retrier.get("MaxDelaySeconds", float("inf"))
    delays = (retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"]))
    return sum(min(delay, limit) for delay in delays)


def retrier_for(state: State, error: str) -> State:
    """The first retrier that names an error, as the service picks it."""
    return next(retrier for retrier in state["Retry"] if error in retrier["ErrorEquals"])
