"""Which faults are tried, and the results by handler and class. Everything that fails is named."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from multiprocessing import get_context

from tests.faults.calls import DIE, OF_AWS, OF_PARTNERS, Call, Fault
from tests.faults.scenarios import OPENED, SCENARIOS
from tests.faults.trial import Trial, Verdict, faults_of, prepared, run_trial
from tests.faults.world import World, account

PAIRS_OF_ONE = 8
"""Pairs of stops tried for one event in the full form; a handler with few calls has fewer."""


@dataclass
class Result:
    """The result of one scenario."""

    handler: str
    title: str
    seconds: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)
    broken: str = ""
    """The reason why the scenario could not be run at all; else empty."""


def trials(number: int, calls: Sequence[Call], seed: int, sample: int | None) -> list[Trial]:
    """The trials of one scenario: every single fault and some pairs of stops; or a sample of them."""
    single = [Trial(number, (fault,)) for fault in faults_of(calls)]
    stops = [Fault(call, how) for call in range(1, len(calls) + 1) for how in DIE]
    pairs = [Trial(number, pair) for pair in product(stops, stops)]
    chance = random.Random(f"{seed}-{number}")
    chance.shuffle(pairs)
    if sample is None:
        return single + pairs[:PAIRS_OF_ONE]
    chance.shuffle(single)
    return [*single[: max(1, sample - 1)], *pairs[:1]]


@cache
def warm_up() -> None:
    """Import everything before the first fork, so that no copy has to import it again."""
    with account():
        world = World()
        for step in OPENED:
            world.example(str(step))
        world.settle()


def run_scenario(number: int, seed: int, sample: int | None) -> Result:
    """All trials of a scenario."""
    scenario, began = SCENARIOS[number], time.monotonic()
    result = Result(scenario.handler, scenario.title)
    warm_up()
    try:
        with prepared(scenario) as one:
            result.verdicts = [run_trial(one, trial) for trial in trials(number, one.calls, seed, sample)]
    except AssertionError as broken:
        result.broken = str(broken)
    result.seconds = time.monotonic() - began
    return result


def run_all(numbers: Iterable[int], seed: int, *, sample: int | None = None, jobs: int = 2) -> Iterator[Result]:
    """Run the scenarios with these numbers; each result comes as soon as it is ready."""
    context = get_context("spawn")  # the children fork too, so each starts from a clean process with one thread
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = [pool.submit(run_scenario, number, seed, sample) for number in numbers]
        for future in waiting:
            yield future.result()


@dataclass
class Tally:
    """Faults tried and survived, by handler and class."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count a scenario's verdicts."""
        if result.broken:
            self.failures.append(f"{result.title}: {result.broken}")
        for verdict in result.verdicts:
            at = (result.handler, verdict.kind)
            self.tried[at] += 1
            if not verdict.fired:
                self.failures.append(f"ERROR, it did not fire: {verdict.label}")
            elif verdict.wrong:
                self.failures += [f"{verdict.label}: {wrong}" for wrong in verdict.wrong]
            else:
                self.survived[at] += 1

    def table(self) -> list[str]:
        """One line for each handler, one column for each class."""
        known = (*DIE, *dict.fromkeys((*OF_AWS, *OF_PARTNERS)), "pairs")
        classes = [how for how in known if any(how == kind for _, kind in self.tried)]
        lines = [" " * 20 + "".join(f"{how:>19}" for how in classes)]
        for handler in dict.fromkeys(handler for handler, _ in self.tried):
            cells = [f"{self.survived[handler, how]}/{self.tried[handler, how]}" for how in classes]
            lines.append(f"{handler:<20}" + "".join(f"{'-' if cell == '0/0' else cell:>19}" for cell in cells))
        return lines

    @property
    def line(self) -> str:
        """The last line."""
        return f"faults survived {self.survived.total()}/{self.tried.total()}"

    @property
    def good(self) -> bool:
        """Whether all fired and survived."""
        return not self.failures and self.survived.total() == self.tried.total() > 0
