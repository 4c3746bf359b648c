"""State machines as tables: the one place where a transition is allowed or refused.

The tables are next to their aggregates: `orders.lifecycles`, `remedies.lifecycle`. The docs draw them, and the property
tests walk through them.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import IllegalTransition


@dataclass(frozen=True)
class Lifecycle[Status: str, Step: str]:
    """A named state machine: `table[status][step]` is the next status."""

    name: str
    initial: Status
    terminal: frozenset[Status]
    table: Mapping[Status, Mapping[Step, Status]]

    def next(self, status: Status, step: Step) -> Status:
        """The status after `step`.

        Raises:
            IllegalTransition: the table has no such step.
        """
        try:
            return self.table[status][step]
        except KeyError:
            raise IllegalTransition(f"{self.name}: '{step}' is not possible in state {status}") from None

    def allows(self, status: Status, step: Step) -> bool:
        """Whether `step` is possible in `status`."""
        return step in self.table.get(status, {})

    def path(self, start: Status, goal: Status, steps: Iterable[Step]) -> list[Step] | None:
        """The shortest list of `steps` that leads from `start` to `goal`; None if there is none."""
        usable = tuple(steps)
        seen, queue = {start}, deque([(start, list[Step]())])
        while queue:
            status, taken = queue.popleft()
            if status == goal:
                return taken
            for step in usable:
                following = self.table.get(status, {}).get(step)
                if following is not None and following not in seen:
                    seen.add(following)
                    queue.append((following, [*taken, step]))
        return None
