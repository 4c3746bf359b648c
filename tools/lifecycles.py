"""Draws the lifecycle tables as diagrams: `python -m tools.lifecycles` writes docs/lifecycles.md."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "layers" / "dropship"))

from dropship.domain.lifecycle import Lifecycle  # noqa: E402
from dropship.domain.orders.lifecycles import ORDER, PARCEL, PURCHASE_ORDER  # noqa: E402
from dropship.domain.remedies.lifecycle import AFTER_SALES_CASE  # noqa: E402

DOCUMENT = ROOT / "docs" / "lifecycles.md"
HEAD = """# Lifecycles

Drawn from `domain/orders/lifecycles.py` and `domain/remedies/lifecycle.py` by `python -m tools.lifecycles`;
a test compares the two. A step that is not drawn here is refused.
"""


def diagram(lifecycle: Lifecycle) -> str:
    """One lifecycle as a Mermaid state diagram under its own heading."""
    lines = [f"    [*] --> {lifecycle.initial}"]
    for state, row in lifecycle.table.items():
        lines += [f"    {state} --> {goal}: {event}" for event, goal in row.items()]
    lines += [f"    {state} --> [*]" for state in sorted(lifecycle.terminal)]
    heading = lifecycle.name[0].upper() + lifecycle.name[1:]
    return "\n".join([f"## {heading}", "", "```mermaid", "stateDiagram-v2", *lines, "```", ""])


def document() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(diagram, (ORDER, PURCHASE_ORDER, PARCEL, AFTER_SALES_CASE))])


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m tools.lifecycles", description=__doc__).parse_args()
    DOCUMENT.write_text(document())
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")
