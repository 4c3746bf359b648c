"""`python -m tests.grants`: takes each grant of the template away; the last line says how many are needed."""

# ruff: noqa: T201 - a command line
import argparse
import json
import sys
import time

from tests.grants.granted import all_grants, own_grants, reason
from tests.grants.removal import take_all_away
from tests.support.template_document import ROOT


def main() -> int:
    """Returns 0 if every grant that our own calls use is needed, and every call is granted."""
    argparse.ArgumentParser(prog="python -m tests.grants", description=__doc__).parse_args()
    began = time.monotonic()
    results = list(take_all_away())
    wrong = [f"granted, used by no event: {grant}" for result in results for grant in result.unused]
    wrong += [f"granted, and nothing fails without it: {grant}" for result in results for grant in result.idle]
    wrong += [f"called, granted by nothing: {call}" for result in results for call in result.uncovered]
    needed = {grant: event for result in results for grant, event in result.needed.items()}
    found = {
        "needed": len(needed),
        "of": len(own_grants()),
        "wrong": wrong,
        "seconds": round(time.monotonic() - began),
        "grants": [{**grant._asdict(), "fails without it": event} for grant, event in sorted(needed.items())],
        "used by AWS itself": [{**grant._asdict(), "why": reason(grant)} for grant in all_grants() if reason(grant)],
    }
    file = ROOT / "build" / "grants.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(found, indent=1) + "\n")
    for result in results:
        print(f"  {result.handler:<20} {len(result.needed):3} needed")
    print("\n".join(["", *wrong, f"grants needed {found['needed']}/{found['of']}"]))
    return 1 if wrong or not needed else 0


if __name__ == "__main__":
    sys.exit(main())
