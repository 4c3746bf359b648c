"""How many histories a machine of delivery faults runs, from which seed, and what the result was.

In the ordinary test run a fixed seed and some dozens of histories; with `FAULTS=full` as many as the time allows, from
a seed that is drawn unless `FAULTS_SEED` gives it.

Which histories a seed gives depends on what else is loaded: Hypothesis takes constants from all modules of the project.
So how often a fault fires is a matter of chance, and there are more histories until each has fired.
"""

import fcntl
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.deliveries import Deliveries
from tests.faults.wire import KINDS
from tests.support.template_document import ROOT

FULL = os.environ.get("FAULTS") == "full"
SEED = int(os.environ.get("FAULTS_SEED") or (random.SystemRandom().randrange(10**6) if FULL else 20261123))
FULL_S = 60.0
BATCH = 20
MOST_FURTHER = 50
"""How many further batches there are at most, for kinds that have not fired: a kind that then has not, cannot."""
STEPS = 30
RESULT = Path(ROOT, "build", "stateful.json")


def hold(name: str, machine: type[Deliveries], histories: int, *, thorough: bool = True) -> None:
    """Run a machine until every kind of delivery fault has fired; every promise holds.

    A slow machine is not `thorough`: in the quick form it need not fire every kind, nor look for the shortest failure.

    The full form leaves its counts in `build/stateful.json`, together with those of the other machine.
    """
    print(f"{name}: seed {SEED}")  # noqa: T201 - shown where the test fails, and by `pytest -s`
    machine.begin_counting()
    began, rounds, held = time.monotonic(), 0, False
    try:
        while not rounds or (FULL and time.monotonic() - began < FULL_S):
            _run(machine, SEED + rounds, BATCH if FULL else histories, shrink=thorough)
            rounds += 1
        most = rounds + MOST_FURTHER
        while (thorough or FULL) and _silent(machine) and rounds < most:
            _run(machine, SEED + rounds, BATCH, shrink=thorough)
            rounds += 1
        held = True
    finally:
        _keep(name, machine, round(time.monotonic() - began, 1), held=held)
    silent = _silent(machine) if thorough or FULL else []
    assert not silent, f"these faults never fired in {machine.histories} histories, from seed {SEED}: {silent}"


def _silent(machine: type[Deliveries]) -> list[str]:
    """The kinds of faults that have not fired yet."""
    return [kind for kind in KINDS if not machine.fired[kind]]


def _run(machine: type[Deliveries], number: int, histories: int, *, shrink: bool) -> None:
    wanted = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrink and not os.environ.get("CI") else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(number)(machine), settings=wanted)


def _keep(name: str, machine: type[Deliveries], seconds: float, *, held: bool) -> None:
    if not FULL:
        return
    faults = {kind: machine.fired[kind] for kind in KINDS}
    counts = {
        "histories": machine.histories,
        "steps": machine.steps,
        "faults": faults,
        "seconds": seconds,
        "held": held,
    }
    RESULT.parent.mkdir(exist_ok=True)
    with RESULT.with_suffix(".lock").open("w") as lock:  # the other machine may run at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
        machines: dict[str, Any] = known["machines"] if known.get("seed") == SEED else {}
        machines |= {name: counts}
        result = {
            "seed": SEED,
            "machines": machines,
            "seconds": round(sum(one["seconds"] for one in machines.values()), 1),
            "held": all(one["held"] for one in machines.values()),
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
