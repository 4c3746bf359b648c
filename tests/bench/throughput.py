"""How fast the whole stack is on this machine. The emulated AWS services share its cores."""

import os

from tests.bench.figures import Figure
from tests.bench.happy_path import AT_ONCE, Drive, one_line_order
from tools.local.stack import Stack

WARM_UP = 10
ORDERS = 150


def figures(stack: Stack) -> list[Figure]:
    """Webhooks accepted per second, and orders placed at the supplier per second, with warm containers."""
    drive = Drive(stack)
    drive.place([one_line_order() for _ in range(WARM_UP)])
    accepted, placed = drive.place([one_line_order() for _ in range(ORDERS)])
    senders = f"{AT_ONCE} senders at once, {os.cpu_count()} cores for senders, emulator, functions and partners"
    return [
        Figure("webhooks accepted", ORDERS / accepted, "/s", note=senders),
        Figure("orders placed at the supplier", ORDERS / placed, "/s", note=f"{ORDERS} orders in {placed:.1f} s"),
    ]
