"""Everything that `make faults` runs: what fails does not keep the rest from being run.

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

from tests.support.template_document import ROOT

DELIVERIES = ("tests/faults/test_delivery_services.py", "tests/faults/test_delivery_handlers.py")


class Step(NamedTuple):
    """One instrument, and the command that runs it; its last line is its verdict."""

    title: str
    command: tuple[str, ...]


def steps(*, quick: bool, seed: int) -> list[list[Step]]:
    """The steps. Those of one list run side by side, each on one core. The deliberate defects, which test the tests,
    come last.

    The quick form leaves the grants to `make test`, which takes each of them away.
    """
    form = ("--quick", "--seed", str(seed)) if quick else ("--seed", str(seed))
    grants = [] if quick else [Step("Each grant taken away", ("-m", "tests.grants"))]
    return [
        [Step("Bad input", ("-m", "tests.corpus")), *grants],
        [Step("Deliveries", ("-m", "pytest", "-q", "-n", "2", *DELIVERIES))],
        [Step("Crash points and failing calls", ("-m", "tests.faults", *form))],
        [Step("Deliberate defects", ("-m", "tests.faults.mutants", *form))],
    ]


def run(wanted: Sequence[Step], environment: dict[str, str]) -> Iterator[tuple[bool, str]]:
    """Run the steps. Gives for each whether it ended well, and its last line. The first one's output is shown live."""
    began = time.monotonic()
    running = [
        subprocess.Popen([sys.executable, *step.command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for step in wanted
    ]
    for step, process in zip(wanted, running, strict=True):
        print(f"\n{step.title}", flush=True)
        last = ""
        with process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                last = line.strip() or last
        good = process.returncode == 0
        print(f"{time.monotonic() - began:.0f} s", flush=True)
        yield good, last if good else f"FAILED {step.title}: {last}"


def main() -> int:
    """Run all; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of each")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="chooses samples, pairs, histories")
    options = parser.parse_args()
    chosen = {"FAULTS": "quick" if options.quick else "full", "FAULTS_SEED": str(options.seed)}
    began = time.monotonic()
    ends = [
        end
        for together in steps(quick=options.quick, seed=options.seed)
        for end in run(together, {**os.environ, **chosen})
    ]
    print(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s")
    print("\n".join(last for _, last in ends))
    return 0 if all(good for good, _ in ends) else 1


if __name__ == "__main__":
    sys.exit(main())
