"""Load, let the domain decide, save: the one way in which an aggregate changes.

A first look may be a moment old: decision 28.
"""

from collections.abc import Callable
from typing import Protocol

from dropship.domain.errors import DomainError
from dropship.domain.identity import OrderKey
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import Case
from dropship.ports import Cases, Conflict, Loaded, Orders, Unavailable

ATTEMPTS = 8


class _Read[Aggregate: Order | Case](Protocol):
    def __call__(self, *, fresh: bool) -> Loaded[Aggregate] | None: ...


class WorkingCopy[Aggregate: Order | Case]:
    """An aggregate in hand: what was read or saved last is not read again before the next change.

    `read` reads it, fresh where it is told to. A picture that is a moment old is good enough to change, for the save
    finds out; it is not good enough to conclude that there is nothing to change.
    """

    def __init__(
        self,
        name: str,
        read: _Read[Aggregate],
        save: Callable[[Aggregate, int], int],
        loaded: Loaded[Aggregate] | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self._name, self._read, self._save = name, read, save
        self._loaded, self._fresh = loaded, fresh

    @property
    def value(self) -> Aggregate:
        """As it was read or saved last; Unavailable where there is none yet."""
        return self._in_hand().value

    @property
    def fresh(self) -> Aggregate:
        """The same, but no older than now, or than what was saved last."""
        if not self._fresh:
            self._loaded, self._fresh = None, True
        return self.value

    def change[Result](self, change: Callable[[Aggregate], Result]) -> Result:
        """Apply `change` and save, again from the start when somebody else was faster.

        Nothing is written where `change` leaves the aggregate as it was, or raises.

        Raises:
            Unavailable: it does not exist yet, or changes too fast.
        """
        for _ in range(ATTEMPTS):
            aggregate, version = self._in_hand()
            before = aggregate.model_dump_json()
            try:
                result = change(aggregate)
                if aggregate.model_dump_json() != before:
                    self._loaded = None  # until it is known whether this one is stored
                    self._loaded, self._fresh = Loaded(aggregate, self._save(aggregate, version)), True
                    return result
                if self._fresh:
                    return result
            except Conflict:
                pass
            except DomainError:
                self._loaded = None
                if self._fresh:
                    raise
            self._loaded, self._fresh = None, True
        raise Unavailable(f"{self._name} changes too fast")

    def _in_hand(self) -> Loaded[Aggregate]:
        if self._loaded is None:
            self._loaded = self._read(fresh=self._fresh)
        if self._loaded is None and not self._fresh:
            self._loaded, self._fresh = self._read(fresh=True), True
        if self._loaded is None:
            raise Unavailable(f"{self._name} is not known yet")
        return self._loaded


def working_copy(orders: Orders, key: OrderKey, loaded: Loaded[Order] | None = None) -> WorkingCopy[Order]:
    """The order in hand; as it was `loaded`, if it was."""
    return WorkingCopy(f"order {key}", lambda *, fresh: orders.load(key, fresh=fresh), orders.save, loaded)


def change_order[Result](orders: Orders, key: OrderKey, change: Callable[[Order], Result]) -> tuple[Order, Result]:
    """Apply one `change` to the order; the order as it is then. See `WorkingCopy.change`."""
    held = working_copy(orders, key)
    result = held.change(change)
    return held.value, result


def change_case[Result](cases: Cases, shop: str, case: str, change: Callable[[Case], Result]) -> tuple[Case, Result]:
    """Apply one `change` to the case; the case as it is then. See `WorkingCopy.change`."""
    held = WorkingCopy(f"case {shop}#{case}", lambda **_: cases.load(shop, case), cases.save, fresh=True)
    result = held.change(change)
    return held.value, result
