"""Load, let the domain decide, arm the clock, save: the one way in which an aggregate changes.

A first look may be a moment old: decision 28.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dropship.domain.deadlines import Moment
from dropship.domain.errors import DomainError
from dropship.domain.identity import OrderKey
from dropship.domain.orders import clocks
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import Case
from dropship.ports import Cases, Clock, Conflict, Loaded, Orders, Registry, Unavailable

ATTEMPTS = 8


@dataclass(frozen=True)
class Moments:
    """What time it is, with the deadlines of a shop."""

    registry: Registry
    clock: Clock

    def of(self, shop: str) -> Moment:
        """Now, in that shop. NotFound where the registry does not have it."""
        return Moment(self.clock.now(), self.registry.shop(shop).deadlines)


class _Read[Aggregate: Order | Case](Protocol):
    def __call__(self, *, fresh: bool) -> Loaded[Aggregate] | None: ...


class WorkingCopy[Aggregate: Order | Case]:
    """An aggregate that is being worked on: what was read or saved last is not read again before the next change.

    `read` reads it, fresh where it is told to. `save` arms its clock and writes it. A copy that is a moment old is
    good enough to change, for the save finds out; it is not good enough to conclude that there is nothing to change.
    """

    def __init__(
        self,
        name: str,
        read: _Read[Aggregate],
        save: Callable[[Aggregate, int], int],
        arm: Callable[[Aggregate], None],
        loaded: Loaded[Aggregate] | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self._name, self._read, self._save, self._arm = name, read, save, arm
        self._loaded, self._fresh = loaded, fresh

    @property
    def value(self) -> Aggregate:
        """As it was read or saved last; Unavailable where there is none yet."""
        return self._current().value

    @property
    def fresh(self) -> Aggregate:
        """The same, but no older than now, or than what was saved last."""
        if not self._fresh:
            self._loaded, self._fresh = None, True
        return self.value

    def change[Result](self, change: Callable[[Aggregate], Result], *, look_again: bool = True) -> Result:
        """Apply `change` and save, again from the start when somebody else was faster.

        Nothing is written where `change` raises, or where the aggregate is still the same after `change` and after
        arming its clock. If that was decided by a copy that may be a moment old, it is decided again by a fresh one,
        unless `look_again` is False.

        Raises:
            Unavailable: it does not exist yet, or changes too fast.
        """
        for _ in range(ATTEMPTS):
            aggregate, version = self._current()
            self._loaded = None  # a change that fails may leave it half changed
            before = aggregate.model_dump_json()
            try:
                result = change(aggregate)
                self._arm(aggregate)
                if aggregate.model_dump_json() != before:
                    self._loaded, self._fresh = Loaded(aggregate, self._save(aggregate, version)), True
                    return result
                if self._fresh or not look_again:
                    self._loaded = Loaded(aggregate, version)
                    return result
            except Conflict:
                pass
            except DomainError:
                if self._fresh:
                    raise
            self._fresh = True
        raise Unavailable(f"{self._name} changes too fast")

    def _current(self) -> Loaded[Aggregate]:
        if self._loaded is None:
            self._loaded = self._read(fresh=self._fresh)
        if self._loaded is None and not self._fresh:
            self._loaded, self._fresh = self._read(fresh=True), True
        if self._loaded is None:
            raise Unavailable(f"{self._name} is not known yet")
        return self._loaded


def save_order(orders: Orders, order: Order, version: int, moment: Moment) -> None:
    """Arm the order's clock and save it over `version`, 0 for a new one. Conflict where another version is stored."""
    clocks.arm(order, moment)
    orders.save(order, version)


def save_new_case(cases: Cases, case: Case, moment: Moment) -> None:
    """Arm the case's clock and save it. Conflict where it was saved before."""
    case.arm(moment)
    cases.save(case, 0)


def working_copy(
    orders: Orders, key: OrderKey, moments: Moments, loaded: Loaded[Order] | None = None
) -> WorkingCopy[Order]:
    """A working copy of the order; as it was `loaded`, if it was."""
    return WorkingCopy(
        f"order {key}",
        lambda *, fresh: orders.load(key, fresh=fresh),
        orders.save,
        lambda order: clocks.arm(order, moments.of(key.shop)),
        loaded,
    )


def change_order[Result](
    orders: Orders, key: OrderKey, moments: Moments, change: Callable[[Order, Moment], Result]
) -> tuple[Order, Result]:
    """Apply one `change` to the order; the order as it is then. See `WorkingCopy.change`."""
    copy = working_copy(orders, key, moments)
    result = copy.change(lambda order: change(order, moments.of(key.shop)))
    return copy.value, result


def change_case[Result](
    cases: Cases, shop: str, case: str, moments: Moments, change: Callable[[Case, Moment], Result]
) -> tuple[Case, Result]:
    """Apply one `change` to the case; the case as it is then. See `WorkingCopy.change`."""
    copy = WorkingCopy[Case](
        f"case {shop}#{case}",
        lambda **_: cases.load(shop, case),
        cases.save,
        lambda case: case.arm(moments.of(shop)),
        fresh=True,
    )
    result = copy.change(lambda case: change(case, moments.of(shop)))
    return copy.value, result
