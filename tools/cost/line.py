"""The cost of what was just done, in one line."""

import time
from pathlib import Path

from tools.cost.bill import Prices, Usage, steady_usage_of
from tools.cost.record import read_record

OPS_API = "ops-api"  # it is called only to look at the order, so it is not a cost of the order


def cost_of(file: Path, begin: int) -> Usage:
    """The usage since the file had `begin` bytes; it waits a moment, because the last function may still run."""
    _wait_for_the_last(file)
    return steady_usage_of(read_record(file, begin).without(OPS_API), Prices.load())


def cost_line(usage: Usage, prices: Prices) -> str:
    """The dollars for both workflow types, and the amounts that cost most."""
    express, standard = usage.total(prices, "EXPRESS"), usage.total(prices, "STANDARD")
    return (
        f"${express:.6f} on AWS (EXPRESS), ${standard:.6f} (STANDARD): {usage.lambda_requests:g} invocations, "
        f"{usage.sqs_requests:g} queue requests, {usage.write_units:g} write and {usage.read_units:.1f} read units; "
        "`make bench` shows the rest"
    )


def _wait_for_the_last(file: Path, patience_s: float = 3.0) -> None:
    deadline, size = time.monotonic() + patience_s, -1
    while time.monotonic() < deadline and size != file.stat().st_size:
        size = file.stat().st_size
        time.sleep(0.4)
