"""Two workers at once, call by call: each stops before every outgoing call, and a schedule says which one goes on."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PATIENCE_S = 120.0  # only for a worker that never comes back; a slow one does


class Turns:
    """Only one of two workers runs at any moment, so the same schedule and world always give the same history."""

    def __init__(self) -> None:
        self._who = threading.local()
        self._go = [threading.Semaphore(0), threading.Semaphore(0)]
        self._back = threading.Semaphore(0)
        self.switches = 0
        """How often a worker went on while the other one was stopped in the middle of its work."""

    def gate(self) -> None:
        """Stop before an outgoing call. A thread that is neither of the two workers does not stop."""
        number = getattr(self._who, "number", None)
        if number is not None:
            self._back.release()
            self._wait(self._go[number])

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Within this context the worker does not stop: these calls are made by the test, not by the worker."""
        number, self._who.number = getattr(self._who, "number", None), None
        try:
            yield
        finally:
            self._who.number = number

    def run(self, works: Sequence[Callable[[], Any]], schedule: Sequence[bool]) -> list[Any]:
        """Let both work. Returns each result, or the error it ended with. True in the schedule is the second worker."""
        ends: list[list[Any]] = [[], []]

        def worker(number: int) -> None:
            self._who.number = number
            self._wait(self._go[number])
            try:
                ends[number].append(works[number]())
            except BaseException as error:  # noqa: BLE001 - whoever started them decides
                ends[number].append(error)
            self._back.release()

        threads = [threading.Thread(target=worker, args=(number,), daemon=True) for number in (0, 1)]
        for thread in threads:
            thread.start()
        wanted, begun, last = iter(schedule), set[int](), None
        while not all(ends):
            number = int(next(wanted, bool(ends[0])))
            if ends[number]:
                number = 1 - number
            if last not in {None, number} and number in begun | {1 - number} and not ends[1 - number]:
                self.switches += 1
            begun.add(number)
            last = number
            self._go[number].release()
            self._wait(self._back)
        for thread in threads:
            thread.join(PATIENCE_S)
        return [end[0] for end in ends]

    @staticmethod
    def _wait(semaphore: threading.Semaphore) -> None:
        if not semaphore.acquire(timeout=PATIENCE_S):
            raise TimeoutError("the other worker does not come back")
