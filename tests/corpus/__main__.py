"""`python -m tests.corpus`: every input that was not contained, counts, and build/corpus.json."""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.corpus.cases import SURFACES, load_cases
from tests.corpus.programme import Verdict, run_all

REPORT = Path(__file__).parents[2] / "build" / "corpus.json"


def main() -> int:
    """1 unless every input was contained."""
    argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__).parse_args()
    began, verdicts = time.monotonic(), []
    for verdict in run_all(load_cases()):
        verdicts.append(verdict)
        if verdict.wrong:
            print(told(verdict), flush=True)
    report = summary(verdicts, time.monotonic() - began)
    for surface, counts in report["surfaces"].items():
        print(f"{surface:<9} " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"in {report['seconds']:.0f} s; {REPORT.relative_to(REPORT.parents[1])} has the same")
    print(f"inputs contained {report['contained']}/{report['of']}")
    return 0 if report["contained"] == report["of"] else 1


def told(verdict: Verdict) -> str:
    """A case that was not contained, in one line."""
    why = "; ".join(" ".join(one.split()) for one in verdict.wrong)
    return f"NOT CONTAINED {verdict.case.id} ({verdict.case.title}), expected {verdict.case.expect}: {why}"


def summary(verdicts: list[Verdict], seconds: float) -> dict[str, Any]:
    """What build/corpus.json holds."""
    counts = {
        surface: Counter(one.case.expect for one in verdicts if one.case.surface == surface) for surface in SURFACES
    }
    return {
        "contained": sum(not verdict.wrong for verdict in verdicts),
        "of": len(verdicts),
        "seconds": round(seconds, 1),
        "surfaces": {surface: dict(sorted(found.items())) for surface, found in counts.items()},
        "wrong": [told(verdict) for verdict in verdicts if verdict.wrong],
    }


if __name__ == "__main__":
    sys.exit(main())
