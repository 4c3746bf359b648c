"""Load, let the domain decide, save: the one way in which an aggregate changes."""

from collections.abc import Callable

from dropship.domain.after_sales import Case
from dropship.domain.identity import OrderKey
from dropship.domain.order import Order
from dropship.ports import Cases, Conflict, Loaded, Orders, Unavailable

ATTEMPTS = 8


def change_order[Result](orders: Orders, key: OrderKey, change: Callable[[Order], Result]) -> tuple[Order, Result]:
    """Apply `change` to the order and save it, again from the start when somebody else was faster.

    Nothing is written where `change` leaves the order as it was, or raises.

    Raises:
        Unavailable: there is no such order yet, or it changes too fast.
    """

    def load() -> Loaded[Order]:
        loaded = orders.load(key)
        if loaded is None:
            raise Unavailable(f"order {key} is not known yet")
        return loaded

    return _change(load, change, orders.save)


def change_case[Result](cases: Cases, shop: str, case: str, change: Callable[[Case], Result]) -> tuple[Case, Result]:
    """Apply `change` to the case and save it, again from the start when somebody else was faster.

    Raises:
        Unavailable: there is no such case yet, or it changes too fast.
    """

    def load() -> Loaded[Case]:
        loaded = cases.load(shop, case)
        if loaded is None:
            raise Unavailable(f"case {shop}#{case} is not known yet")
        return loaded

    return _change(load, change, cases.save)


def _change[Aggregate: Order | Case, Result](
    load: Callable[[], Loaded[Aggregate]],
    change: Callable[[Aggregate], Result],
    save: Callable[[Aggregate, int], int],
) -> tuple[Aggregate, Result]:
    for _ in range(ATTEMPTS):
        aggregate, version = load()
        before = aggregate.model_dump_json()
        result = change(aggregate)
        if aggregate.model_dump_json() == before:
            return aggregate, result
        try:
            save(aggregate, version)
        except Conflict:
            continue
        return aggregate, result
    raise Unavailable("the item changes too fast")
