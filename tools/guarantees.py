"""Writes the figures into docs/guarantees.md: `python -m tools.guarantees`, after `make faults` and `make bench`.

Each test instrument writes one JSON file in `build/`. The page has a block for each, between two comments. A block is
replaced if its instrument has run, and kept if not. The text around the blocks is written by hand.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "guarantees.md"
RESULTS = ROOT / "build"

Result = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:]])


def block(name: str, text: str) -> str:
    """A block as it is written in the page."""
    return f"<!-- figures: {name} -->\n{text.strip()}\n<!-- end of figures -->"


def blocks(page: str) -> list[str]:
    """Names of the blocks of a page."""
    return re.findall(r"<!-- figures: (\w+) -->", page)


def filled(page: str, name: str, text: str) -> str:
    """The page with one block replaced.

    Raises:
        ValueError: the page has no such block.
    """
    pattern = rf"<!-- figures: {name} -->.*?<!-- end of figures -->"
    replaced, count = re.subn(pattern, lambda _: block(name, text), page, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"docs/guarantees.md has {count} blocks named {name}; it needs one")
    return replaced


def main() -> int:
    """Replace the blocks of the instruments that have a result."""
    argparse.ArgumentParser(
        prog="python -m tools.guarantees", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    page = DOCUMENT.read_text()
    for name, written in WRITERS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            page = filled(page, name, written(json.loads(path.read_text())))
            print(f"docs/guarantees.md: {name} from build/{name}.json")
    DOCUMENT.write_text(page)
    return 0


def faults(result: Result) -> str:
    """The faults that were survived, by handler and class."""
    rows: dict[str, dict[str, str]] = {}
    for row in result["rows"]:
        rows.setdefault(row["handler"], {})[row["class"]] = f"{row['survived']}/{row['total']}"
    classes = sorted({row["class"] for row in result["rows"]})
    lines = [(handler, *(cells.get(one, "") for one in classes)) for handler, cells in sorted(rows.items())]
    said = f"`faults survived {result['survived']}/{result['total']}`, seed {result['seed']}, {result['seconds']} s."
    return f"{said}\n\n{table(('handler', *classes), lines)}"


def stateful(result: Result) -> str:
    """How many histories were tried, and which delivery faults happened in them."""
    machines = result["machines"]
    kinds = sorted({kind for machine in machines.values() for kind in machine["faults"]})
    rows = [(kind, *(machine["faults"].get(kind, 0) for machine in machines.values())) for kind in kinds]
    sizes = [(f"**{size}**", *(machine[size] for machine in machines.values())) for size in ("histories", "steps")]
    said = f"{'All promises held' if result['held'] else 'NOT ALL HELD'}; seed {result['seed']}, {result['seconds']} s."
    return f"{said}\n\n{table(('', *machines), sizes + rows)}"


def corpus(result: Result) -> str:
    """The bad inputs that were contained, by entry point and expected result; those that were not are named."""
    classes = sorted({kind for counts in result["surfaces"].values() for kind in counts})
    rows = [
        (where, *(counts.get(kind, "") for kind in classes)) for where, counts in sorted(result["surfaces"].items())
    ]
    wrong = "\n".join(f"- {line}" for line in result["wrong"])
    said = f"`inputs contained {result['contained']}/{result['of']}`, in {result['seconds']} s."
    return "\n\n".join(filter(None, [said, table(("", *classes), rows), wrong]))


def bench(result: Result) -> str:
    """Every figure that has a budget, then the orders per second measured here, then designs to compare with."""
    tables: Mapping[str, Sequence[Result]] = result["tables"]
    budgets = [
        (row["name"], _figure(row), row["budget"], "holds" if row["holds"] else "**over**")
        for rows in tables.values()
        for row in rows
        if row["budget"]
    ]
    unbound = [
        table((title, ""), [(row["name"], _figure(row)) for row in rows])
        for title, rows in tables.items()
        if title.startswith(("Throughput", "Ours beside"))
    ]
    return "\n\n".join([table(("figure", "", "budget", ""), budgets), *unbound])


def _figure(row: Result) -> str:
    value = row["value"]
    return f"{value if isinstance(value, str) else f'{value:,.4g}'} {row['unit']}".strip()


def mutants(result: Result) -> str:
    """The defects that the tests found, by class; those that they did not find are named."""
    kinds: dict[str, list[bool]] = {}
    for mutant in result["mutants"]:
        kinds.setdefault(mutant["kind"], []).append(mutant["verdict"] == "killed")
    rows = [(kind, f"{sum(killed)}/{len(killed)}") for kind, killed in sorted(kinds.items())]
    alive = [f"- {one['verdict']}: {one['name']}" for one in result["mutants"] if one["verdict"] != "killed"]
    said = f"`mutants killed {result['killed']}/{result['of']}`, in {result['seconds']} s."
    return "\n\n".join(filter(None, [said, table(("defect", "killed"), rows), "\n".join(alive)]))


def grants(result: Result) -> str:
    """The grants that are needed (something fails without them), by function; what is wrong is named."""
    holders: dict[str, int] = {}
    for grant in result["grants"]:
        holders[grant["holder"]] = holders.get(grant["holder"], 0) + 1
    said = f"`grants needed {result['needed']}/{result['of']}`, in {result['seconds']} s."
    said += f" AWS itself uses {len(result['used by AWS itself'])} more in the roles' names."
    wrong = "\n".join(f"- {line}" for line in result["wrong"])
    return "\n\n".join(filter(None, [said, table(("function", "grants needed"), sorted(holders.items())), wrong]))


WRITERS: dict[str, Callable[[Result], str]] = {
    "faults": faults,
    "stateful": stateful,
    "mutants": mutants,
    "corpus": corpus,
    "grants": grants,
    "bench": bench,
}

if __name__ == "__main__":
    sys.exit(main())
