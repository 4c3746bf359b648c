"""Two workers at once: what the other one does just before a call of ours."""

from collections.abc import Callable
from typing import Any


def once_before(port: Any, method: str, act: Callable[[], object]) -> None:
    """Let `act` happen once, just before the next call of the method; the calls it makes itself pass by."""
    before_each(port, method, act, times=1)


def before_each(port: Any, method: str, act: Callable[[], object], times: int = 1000) -> None:
    """Let `act` happen before each of the next calls of the method; the calls it makes itself pass by."""
    real = getattr(port, method)
    left, inside = times, False

    def meddled(*given: object, **named: object) -> Any:
        nonlocal left, inside
        if left and not inside:
            left, inside = left - 1, True
            act()
            inside = False
        return real(*given, **named)

    setattr(port, method, meddled)
