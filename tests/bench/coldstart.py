"""What a cold start imports, from the built package, as a ratio to one client of boto3 in the same run.

    python -m tests.bench.coldstart

Every start is a new interpreter that has only the function, the layers and the runtime's boto3 on its path. INIT is the
import of `app`. The first call is INIT and one event, with no AWS to answer. It includes what is imported only when it
is needed, and the first client.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench.figures import Figure, at_most, table
from tests.support.lambdas import LOGICAL_IDS, environment_of, event, events_of
from tools.local.deployment import BUILD, build
from tools.local.emulator import ROOT

TIMES = 15
WEBHOOK_MOST, OTHERS_MOST = 1.0, 1.6
RUNTIME = ROOT / ".local" / "emulator-env" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
BOTO3 = "import boto3; boto3.client('sqs')"
INIT = "import app"
FIRST_CALL = """
import app, contextlib, io, json
with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
    app.handler(json.loads({event!r}), None)
"""
NOBODY = "http://127.0.0.1:9"
FIRST_CALLS = 3
_START = """
import sys, time
sys.path[:] = {path!r} + [one for one in sys.path if 'site-packages' not in one]
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
{work}
print(time.perf_counter_ns() - wall, time.process_time_ns() - cpu)
"""


class Start(NamedTuple):
    """Milliseconds of one start: elapsed time and processor time."""

    wall: float
    cpu: float


def start(work: str, function: str | None = None) -> Start:
    """Do some work in a new interpreter."""
    path = [str(RUNTIME)]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    if function is not None:
        layers = [BUILD / layer / "python" for layer in ("DependenciesLayer", "DropshipLayer")]
        path = [str(BUILD / LOGICAL_IDS[function]), *map(str, layers), *path]
        environment |= environment_of(function) | {"AWS_ENDPOINT_URL": NOBODY}
    command = [sys.executable, "-E", "-s", "-c", _START.format(path=path, work=work)]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=True)
    wall, cpu = map(int, done.stdout.split()[-2:])
    return Start(wall / 1e6, cpu / 1e6)


def rounds(times: int) -> Iterator[dict[str, Start]]:
    """Each round starts boto3's client and every function once, so that all are measured in the same conditions."""
    for _ in range(times):
        yield {"boto3": start(BOTO3)} | {name: start(INIT, name) for name in LOGICAL_IDS}


def figures(times: int = TIMES) -> list[Figure]:
    """INIT of every function: the best processor time of `times` starts, as a ratio to boto3's best."""
    build()
    next(rounds(1))  # compiles the runtime's boto3; not counted
    measured = list(rounds(times))
    base = min(one["boto3"].cpu for one in measured)
    rows = [Figure("import boto3 and one client", base, "ms", note=_note([one["boto3"] for one in measured]))]
    for name in sorted(LOGICAL_IDS):
        starts = [one[name] for one in measured]
        ratios = [one[name].cpu / one["boto3"].cpu for one in measured]
        words = f"median {statistics.median(ratios):.2f}; {_note(starts)}"
        most = WEBHOOK_MOST if name == "webhook" else OTHERS_MOST
        rows.append(at_most(f"INIT of {name}", min(one.cpu for one in starts) / base, "x", most, words))
    return rows + [_first_call(name, base) for name in sorted(LOGICAL_IDS)]


def _first_call(name: str, base: float) -> Figure:
    example = event(f"{name}/{events_of(name)[0]}")
    work = FIRST_CALL.format(event=json.dumps(example))
    best = min(start(work, name).cpu for _ in range(FIRST_CALLS))
    return Figure(f"first call of {name}", best / base, "x", note=f"INIT, clients and one event: CPU {best:.0f} ms")


def _note(starts: list[Start]) -> str:
    best, median = min(one.cpu for one in starts), statistics.median(one.cpu for one in starts)
    return f"CPU {best:.0f} ms, median {median:.0f}; on the clock {min(one.wall for one in starts):.0f} ms"


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m tests.bench.coldstart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    sys.stdout.write("\n".join(table("INIT, relative to boto3 and one client", figures())) + "\n")
