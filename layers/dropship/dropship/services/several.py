"""Work on several things: one failure does not stop the others, and the first error is raised at the end."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_the_end(failures: list[Exception]) -> Iterator[None]:
    """Add an error to `failures` instead of raising it."""
    try:
        yield
    except Exception as failure:  # noqa: BLE001 - any error is kept; the caller raises it at the end
        failures.append(failure)


def handle_each[Thing](things: Iterable[Thing], handle: Callable[[Thing], None]) -> None:
    """Handle all things, then raise the first error, if there was one."""
    failures: list[Exception] = []
    for thing in things:
        with kept_for_the_end(failures):
            handle(thing)
    if failures:
        raise failures[0]
