"""Everything that `make faults` runs, one after the other: what fails does not keep the rest from being run.

    python -m tests.faults.everything [--quick] [--seed N]

The last lines are those of the instruments, and the exit code is 1 if one of them did not end well.
"""
# ruff: noqa: T201 - a command line

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.template.document import ROOT

DELIVERIES = ("tests/faults/test_delivery_services.py", "tests/faults/test_delivery_handlers.py")


class Step(NamedTuple):
    """One instrument, and the command that runs it; its last line is its verdict."""

    title: str
    command: tuple[str, ...]


def steps(*, quick: bool, seed: int) -> list[Step]:
    """What is run; the figures that the issue of it all is judged by come last."""
    form = ("--quick",) if quick else ()
    return [
        Step("Bad input", ("-m", "tests.corpus")),
        Step("Each grant taken away", ("-m", "tests.grants")),
        Step("Deliveries: duplicates, reordering, delay, interleaving", ("-m", "pytest", "-q", "-n", "2", *DELIVERIES)),
        Step("Crash points and failing calls", ("-m", "tests.faults", *form, "--seed", str(seed))),
        Step("Deliberate defects", ("-m", "tests.faults.mutants", *form, *(("--seed", str(seed)) if quick else ()))),
    ]


def run(wanted: Sequence[Step], environment: dict[str, str]) -> Iterator[tuple[bool, str]]:
    """Whether each ended well, and its last line; all it says is passed on as it comes."""
    for step in wanted:
        began, last = time.monotonic(), ""
        print(f"\n{step.title}", flush=True)
        command = [sys.executable, *step.command]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
            for line in running.stdout or ():
                print(line, end="", flush=True)
                last = line.strip() or last
        print(f"{time.monotonic() - began:.0f} s", flush=True)
        yield running.returncode == 0, last if running.returncode == 0 else f"FAILED {step.title}: {last}"


def main() -> int:
    """Run all; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of each")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="chooses samples, pairs, histories")
    options = parser.parse_args()
    chosen = {"FAULTS": "quick" if options.quick else "full", "FAULTS_SEED": str(options.seed)}
    began = time.monotonic()
    ends = list(run(steps(quick=options.quick, seed=options.seed), {**os.environ, **chosen}))
    print(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s")
    print("\n".join(last for _, last in ends))
    return 0 if all(good for good, _ in ends) else 1


if __name__ == "__main__":
    sys.exit(main())
