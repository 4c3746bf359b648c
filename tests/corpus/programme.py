"""All cases, those of one state in copies of one world."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import batched, groupby
from multiprocessing import get_context

from tests.corpus.cases import Case, State
from tests.corpus.judging import wrong_with
from tests.corpus.running import Outcome, queue_of, run_case, run_good
from tests.corpus.world import Watched, prepared
from tests.faults.trial import in_copy

PART = 100
"""Cases that one process runs in copies of one world."""


@dataclass(frozen=True)
class Verdict:
    """A case and what is wrong with it; nothing where the input was contained."""

    case: Case
    wrong: list[str]


@dataclass
class Stage:
    """The world that cases run in copies of. It stays prepared until a case wants another state."""

    _state: State | None = None
    _world: Watched | None = None
    _good: dict[str, Outcome] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def run(self, case: Case) -> Verdict:
        """Run one case and judge it."""
        world, queue = self._prepare(case.state), queue_of(case)
        if queue not in self._good:
            self._good[queue] = in_copy(lambda: run_good(world, queue))
        outcome: Outcome = in_copy(lambda: run_case(world, case))
        return Verdict(case, wrong_with(case, outcome, self._good[queue]))

    def close(self) -> None:
        """Leave the world that is prepared."""
        self._open.close()
        self._state, self._world = None, None
        self._good.clear()

    def _prepare(self, state: State) -> Watched:
        if self._world is None or self._state != state:
            self.close()
            self._world, self._state = self._open.enter_context(prepared(state)), state
        return self._world


def run_all(cases: Sequence[Case], workers: int = 2) -> Iterator[Verdict]:
    """Every verdict, in the order of the cases; `workers` processes share the work."""
    groups = [list(group) for _, group in groupby(cases, key=lambda case: case.state)]
    parts = [list(part) for group in groups for part in batched(group, PART, strict=False)]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for verdicts in pool.map(_run_part, parts):
            yield from verdicts


def _run_part(cases: Sequence[Case]) -> list[Verdict]:
    stage = Stage()
    try:
        return [stage.run(case) for case in cases]
    finally:
        stage.close()
