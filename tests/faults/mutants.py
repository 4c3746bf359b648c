"""Deliberate defects: each is put into a copy of the tree, and the tests named for it have to go red.

    python -m tests.faults.mutants [--quick] [--only NAME ...] [--jobs 2] [--seed N]

A defect that no test sees means that the safety it undoes can be lost without anybody noticing. A defect whose snippet
is no longer found, or whose tests are red without it, proves nothing: it is an error, not a kill.
"""
# ruff: noqa: T201 - a command line

import argparse
import importlib.util
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutants.toml")
RESULT = ROOT / "build" / "mutants.json"
QUICK = 8
LIMIT_S = 600.0  # only for what does not end by itself: no verdict may depend on how busy the machine is
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One defect: `old`, which is in `file` once, becomes `new`. `handler` is the function it would harm most."""

    name: str
    kind: str
    handler: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and by what: the first test that failed, or why nothing can be said."""

    name: str
    kind: str
    handler: str
    verdict: Literal["killed", "survived", "error"]
    by: str
    seconds: float


def read(path: Path = LIST) -> list[Mutant]:
    """The list of defects."""
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**row | {"caught_by": tuple(row["caught_by"])}) for row in rows]


def mutated(mutant: Mutant, text: str) -> str:
    """The file with the defect.

    Raises:
        ValueError: the snippet is not in it, or more than once.
    """
    found = text.count(mutant.old)
    if found != 1:
        raise ValueError(f"the snippet is {found} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


class Copy:
    """A copy of the tree, in which one defect at a time is tried."""

    def __init__(self, root: Path, directory: Path) -> None:
        self._directory = directory
        for name in _files(root):
            if (root / name).is_file():
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, directory / name)

    def failures(self, tests: Iterable[str], *options: str, limit_s: float = LIMIT_S) -> list[str]:
        """Names of the tests that fail.

        Raises:
            RuntimeError: the tests could not be run, or not to their end.
        """
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", *options, *tests]
        shell = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        try:
            run = subprocess.run(
                command,
                cwd=self._directory,
                env=shell | {"CI": "1"},  # random examples are the same in every run
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the tests took longer than {limit_s:.0f} s") from None
        failed = _FAILED.findall(run.stdout)
        if run.returncode not in {0, 1} or (run.returncode == 1) != bool(failed):
            last = (run.stdout + run.stderr).strip().splitlines()[-3:]
            raise RuntimeError(f"pytest ended with {run.returncode}: {' | '.join(last)[:300]}")
        return failed

    def try_out(self, mutant: Mutant, limit_s: float = LIMIT_S) -> tuple[Literal["killed", "survived", "error"], str]:
        """Put the defect in, run its tests, take it out again."""
        path = self._directory / mutant.file
        try:
            whole = path.read_text(encoding="utf-8")
            self._write(path, mutated(mutant, whole))
        except (OSError, ValueError) as outdated:
            return "error", str(outdated)
        try:
            failed = self.failures(mutant.caught_by, "-x", limit_s=limit_s)
        except RuntimeError as trouble:
            return "error", str(trouble)
        finally:
            self._write(path, whole)
        return ("killed", failed[0]) if failed else ("survived", ", ".join(mutant.caught_by))

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """A file of the same size and second would be taken for its old bytecode."""
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".py":
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


class Copies:
    """As many copies as there are jobs; each job borrows one."""

    def __init__(self, root: Path, folder: Path, number: int) -> None:
        self._free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for each in range(number):
            self._free.put(Copy(root, folder / str(each)))

    @contextmanager
    def borrowed(self) -> Iterator[Copy]:
        """A copy for a while."""
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)


def try_all(mutants: Sequence[Mutant], root: Path = ROOT, *, jobs: int = 1, limit_s: float = LIMIT_S) -> list[Verdict]:
    """A verdict on each, in their order; what is red without any defect is an error of those that rely on it."""
    tests = sorted({test for mutant in mutants for test in mutant.caught_by})
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        copies = Copies(root, Path(folder), jobs)

        def red_of(share: Sequence[str]) -> set[str]:
            with copies.borrowed() as copy:
                return _red(copy, share, limit_s)

        shares = [tests[number::jobs] for number in range(jobs)]
        red = set[str]().union(*pool.map(red_of, shares))
        return list(pool.map(lambda mutant: _verdict(copies, mutant, red, limit_s), mutants))


def _red(copy: Copy, tests: Sequence[str], limit_s: float) -> set[str]:
    """Those of the tests that fail, or cannot be run, without any defect."""
    if not tests:
        return set()
    try:
        failed = copy.failures(tests, limit_s=4 * limit_s)
    except RuntimeError:  # one of them cannot be run: find out which
        half = len(tests) // 2
        return set(tests) if not half else _red(copy, tests[:half], limit_s) | _red(copy, tests[half:], limit_s)
    return {test for test in tests if any(one == test or one.startswith((f"{test}::", f"{test}[")) for one in failed)}


def _verdict(copies: Copies, mutant: Mutant, red: set[str], limit_s: float) -> Verdict:
    began = time.monotonic()
    unusable = sorted(red.intersection(mutant.caught_by))
    if unusable:
        verdict, by = "error", f"red without the defect: {', '.join(unusable)}"
    else:
        with copies.borrowed() as copy:
            verdict, by = copy.try_out(mutant, limit_s)
    found = Verdict(mutant.name, mutant.kind, mutant.handler, verdict, by, round(time.monotonic() - began, 1))
    if found.verdict != "killed":
        print(f"{found.verdict.upper()} {found.name}: {found.by}", flush=True)
    return found


def _files(root: Path) -> list[str]:
    """Every file of the tree that git has, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip("\0").split("\0")


def table(verdicts: Sequence[Verdict], by: Literal["kind", "handler"]) -> list[str]:
    """Lines of `name killed/all`."""
    groups: dict[str, list[bool]] = {}
    for verdict in verdicts:
        groups.setdefault(getattr(verdict, by), []).append(verdict.verdict == "killed")
    return [f"  {name:36} {sum(killed):3}/{len(killed)}" for name, killed in sorted(groups.items())]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try defects, say what became of them; 0 where all were killed."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a random {QUICK} of them")
    parser.add_argument("--only", nargs="+", default=[], help="these, by name")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=None, help="of the quick form's choice")
    wanted = parser.parse_args(arguments)
    mutants = read()
    if wanted.only:
        mutants = [mutant for mutant in mutants if mutant.name in wanted.only]
    if wanted.quick:
        seed = random.SystemRandom().randrange(10**6) if wanted.seed is None else wanted.seed
        print(f"mutants: seed {seed}")
        mutants = random.Random(seed).sample(mutants, min(QUICK, len(mutants)))
    began = time.monotonic()
    verdicts = try_all(mutants, jobs=wanted.jobs)
    print("\n".join([*table(verdicts, "kind"), "", *table(verdicts, "handler"), ""]))
    killed = sum(verdict.verdict == "killed" for verdict in verdicts)
    result: dict[str, Any] = {"killed": killed, "of": len(verdicts), "seconds": round(time.monotonic() - began)}
    if not (wanted.only or wanted.quick):
        RESULT.parent.mkdir(exist_ok=True)
        result["mutants"] = [asdict(one) for one in verdicts]
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False))
    print(f"mutants killed {killed}/{len(verdicts)}")
    return 0 if verdicts and killed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
