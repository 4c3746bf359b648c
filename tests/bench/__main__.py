"""Measure what an order costs and how fast things are: `python -m tests.bench`; a table, and build/bench.json.

The exit code is 1 if a budget does not hold.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench import report
from tests.bench.counting import EXPRESS, count, count_standard, recording, stack_of
from tests.bench.figures import Figure, every_budget_holds, table
from tools.cost.bill import Prices
from tools.local.emulator import ROOT
from tools.local.stack import Stack

RESULT = ROOT / "build" / "bench.json"


def tell(words: str) -> None:
    """Say what is being done, on the error stream: the tables go to the other one."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; 1 if a budget does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=50, help="how many orders to count over; default 50")
    parser.add_argument("--only-counting", action="store_true", help="leave out what depends on this machine")
    options = parser.parse_args(arguments)
    began, prices = time.monotonic(), Prices.load()
    with stack_of(recording(EXPRESS, "EXPRESS")) as stack:
        counted = count(stack, options.orders, tell)
        measured = {} if options.only_counting else _throughput(stack)
    tell("a few orders through the STANDARD workflow")
    counted.standard = count_standard()
    tables = report.tables(counted, prices)
    tables |= measured if options.only_counting else _this_machine() | measured
    _print(tables, prices)
    took = time.monotonic() - began
    _save(RESULT, tables, report.details(counted, prices) | {"took_s": round(took)})
    print(f"\n{RESULT.relative_to(ROOT)} written; took {took:.0f} s")
    return 0 if every_budget_holds(figure for figures in tables.values() for figure in figures) else 1


def _throughput(stack: Stack) -> report.Tables:
    if importlib.util.find_spec("tests.bench.throughput") is None:
        return {}
    tell("throughput of the whole stack")
    return {"Throughput here": importlib.import_module("tests.bench.throughput").figures(stack)}


def _this_machine() -> report.Tables:
    found = {}
    for module, title in (("coldstart", "INIT, relative to boto3 and one client"), ("cpu", "Own CPU of one order")):
        if importlib.util.find_spec(f"tests.bench.{module}"):
            tell(title)
            found[title] = importlib.import_module(f"tests.bench.{module}").figures()
    return found


def _print(tables: report.Tables, prices: Prices) -> None:
    for title, figures in tables.items():
        print("\n".join(["", *table(title, figures)]))
    print("\n".join(["", *report.foot(prices)]))
    over = [figure for figures in tables.values() for figure in figures if figure.fails]
    print("\nEvery budget holds." if not over else f"\nOver budget: {len(over)}: {', '.join(map(_named, over))}.")


def _named(figure: Figure) -> str:
    return f"{figure.name} {figure.value:.4g} ({figure.budget})"


def _save(file: Path, tables: report.Tables, details: dict[str, object]) -> None:
    file.parent.mkdir(exist_ok=True)
    rows = {title: [asdict(figure) for figure in figures] for title, figures in tables.items()}
    file.write_text(json.dumps({"tables": rows, **details}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
