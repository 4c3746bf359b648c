"""Counts what the calls of real orders are billed for: with both workflow types, other partners, and a full table."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.bench.crowd import Crowd
from tests.bench.happy_path import VARIANTS, Drive, Life
from tests.bench.rates import Source, sources, throttle
from tests.support.template_document import TEMPLATE
from tools.cost.bill import Prices
from tools.cost.record import Record
from tools.local.emulator import ROOT
from tools.local.stack import Options, Stack, down, up

SEED = ROOT / "tests" / "bench" / "seed.yaml"
EXPRESS = ROOT / ".local" / "bench"
STANDARD = ROOT / ".local" / "bench-standard"
FEW = 4
BATCHING_S = int(TEMPLATE["Parameters"]["BatchingSeconds"]["Default"])
CROWDS = (0, 100, 100_000)
FOLLOWED = 50
DELIVERED = "report 5"
_EVERY = re.compile(r"rate\((\d+) minutes?\)|cron\(\d+/(\d+) ")


@dataclass
class Counted:
    """All counts. `crowded` is by the number of other orders, and so is `silent`: polls of parcels without news."""

    first: Life
    base: Life
    ways: dict[str, Life] = field(default_factory=dict)
    crowded: dict[int, Life] = field(default_factory=dict)
    silent: dict[int, Record] = field(default_factory=dict)
    standard: Life | None = None
    every_minutes: dict[str, int] = field(default_factory=dict)
    deployed: list[Source] = field(default_factory=list)
    door: float = 0
    queues: int = 0


@contextmanager
def stack_of(options: Options) -> Iterator[Stack]:
    """A stack for the bench, removed afterwards."""
    down(options.directory)
    try:
        yield up(options)
    finally:
        down(options.directory)


def recording(directory: Path, workflow: Literal["EXPRESS", "STANDARD"]) -> Options:
    """Options of a stack that records what AWS would bill. Its queues gather messages as on AWS."""
    return Options(
        directory,
        port=0,
        sandbox_port=0,
        wait_scale=0.1,
        record=True,
        workflow=workflow,
        seed=SEED,
        batching_s=BATCHING_S,
    )


def count_standard() -> Life:
    """A few orders through the STANDARD workflow."""
    with stack_of(recording(STANDARD, "STANDARD")) as stack:
        drive = Drive(stack)
        _prepare(drive)
        return drive.run(FEW)


def count(stack: Stack, orders: int, tell: Callable[[str], object]) -> Counted:
    """Drive orders through `stack`, which has to record calls. `tell` is called with what is being done."""
    drive, crowd = Drive(stack), Crowd(stack)
    every, door = schedules(stack), throttle((ROOT / "template.yaml").read_text())
    _prepare(drive)
    tell("the first order, on cold containers")
    first = drive.run(1)
    crowd.forget()
    tell(f"{orders} orders along the happy path")
    drive.watch = crowd.learn
    counted = Counted(first, drive.run(orders), every_minutes=every, deployed=sources(stack), door=door)
    drive.watch = lambda _stage: None
    counted.queues = sum(name.endswith("QueueUrl") for name in stack.queues)
    for way in VARIANTS:
        tell(f"{FEW} orders: {way.name}")
        counted.ways[way.name] = drive.run(FEW, way)
    others = 0
    for crowded in CROWDS:
        began = time.monotonic()
        crowd.fill((crowded - others) // 20, ["dispatch"])
        crowd.fill((crowded - others) - (crowded - others) // 20, [DELIVERED])
        others = crowded
        tell(f"{FEW} orders beside {crowded:,} others ({time.monotonic() - began:.0f} s to put them there)")
        counted.crowded[crowded] = drive.run(FEW)
        counted.silent[crowded] = counted.crowded[crowded].stages["report 0"]
    crowd.fill(FOLLOWED, ["report 1"])
    tell(f"a round of polls of {FOLLOWED} of the others")
    counted.silent[CROWDS[-1]] = drive.round()
    drive.sandbox.heal()
    return counted


def _prepare(drive: Drive) -> None:
    """Stop all schedules, and let partners take the time that the prices assume."""
    drive.stack.stop_schedules()
    drive.slow_partners(Prices.load().assumed["milliseconds"]["partner"] / 1000)


def schedules(stack: Stack) -> dict[str, int]:
    """How often each function is started by its schedule, in minutes."""
    scheduler, found = stack.client("scheduler"), {}
    for one in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=one["Name"])
        minutes = _EVERY.search(schedule["ScheduleExpression"])
        if minutes:
            found[Path(schedule["Target"]["Arn"].rsplit(":", 1)[-1]).name] = int(minutes[1] or minutes[2])
    return found
