"""Two workers at once: let the other worker act just before a call of ours."""

from collections.abc import Callable
from typing import Any


def once_before(port: Any, method: str, act: Callable[[], object]) -> None:
    """Run `act` once, just before the next call of the method. Calls that `act` makes do not trigger it."""
    before_each(port, method, act, times=1)


def before_each(port: Any, method: str, act: Callable[[], object], times: int = 1000) -> None:
    """Run `act` before each of the next `times` calls of the method. Calls that `act` makes do not trigger it."""
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
