"""Several things at a time: one that fails does not stop the others, and its error is raised when they are done."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_the_end(failures: list[Exception]) -> Iterator[None]:
    """Put an error with the failures instead of raising it."""
    try:
        yield
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is raised when the others are done
        failures.append(failure)


def handle_each[Thing](things: Iterable[Thing], handle: Callable[[Thing], None]) -> None:
    """Handle all of them, then raise the first error there was."""
    failures: list[Exception] = []
    for thing in things:
        with kept_for_the_end(failures):
            handle(thing)
    if failures:
        raise failures[0]
