"""The fault programme on the command line: `make faults`, or `python -m tests.faults --help`."""

import argparse
import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.programme import Tally, run_all
from tests.faults.scenarios import SCENARIOS
from tests.support.template_document import ROOT

QUICK_SAMPLE = 2


def main() -> int:
    """Run the crash points. Returns 1 if a fault was not survived, or did not fire."""
    options = _options()
    began = time.monotonic()
    numbers = [number for number, one in enumerate(SCENARIOS) if options.only in one.title]
    say(f"{len(numbers)} events of {len({SCENARIOS[n].handler for n in numbers})} handlers, seed {options.seed}")
    tally = Tally()
    sample = QUICK_SAMPLE if options.quick else None
    for result in run_all(numbers, options.seed, sample=sample, jobs=options.jobs):
        tally.add(result)
        good = sum(verdict.fired and not verdict.wrong for verdict in result.verdicts)
        say(f"  {result.title:<55} {good:>4}/{len(result.verdicts):<4} {result.seconds:5.1f} s")
    for line in ["", *tally.table(), "", *(f"NOT SURVIVED  {failure}" for failure in tally.failures)]:
        say(line)
    seconds = round(time.monotonic() - began)
    if not (options.only or options.quick):
        keep(tally, options, seconds)
    say(f"seed {options.seed}, {seconds} s")
    say(tally.line)
    return 0 if tally.good else 1


def say(line: str) -> None:
    """Print one line at once."""
    print(line, flush=True)  # noqa: T201 - a command line


def keep(tally: Tally, options: argparse.Namespace, seconds: int) -> None:
    """Leave the result for docs/guarantees.md."""
    rows = [
        {"handler": handler, "class": how, "survived": tally.survived[handler, how], "total": total}
        for (handler, how), total in sorted(tally.tried.items())
    ]
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": options.seed,
        "seconds": seconds,
        "survived": tally.survived.total(),
        "total": tally.tried.total(),
        "rows": rows,
    }
    path = Path(ROOT, "build", "faults.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=sys.modules[__name__].__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of the faults of each event")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="chooses samples and pairs")
    parser.add_argument("--only", default="", help="events whose title holds this, e.g. 'dispatch_submit:'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
