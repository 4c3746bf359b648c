"""The end of a story, as far as it must be the same with and without a fault: no times, no ids of ours, no counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from dropship.domain.deadlines import Deadlines
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import Case
from tests.faults.invariants import OF_THE_STORE, Seen, broken
from tests.faults.world import World

MAIN = "main-shop"


def picture(world: World) -> dict[str, Any]:
    """Everything in which a buyer, a partner or an operator could see a difference."""
    acme, shop, tracker = world.partners.acme, world.partners.shop, world.partners.tracker
    numbered = {acme.number(reference): reference for reference in acme.orders}
    return {
        "orders": {str(order.key): _order(order, numbered) for order in world.orders()},
        "cases": {f"{case.shop}#{case.id}": _case(case) for case in world.cases()},
        "supplier": {reference: held["cancelled"] for reference, held in acme.orders.items()},
        "marketplace": sorted(shop.told),
        "WooCommerce": (world.partners.woo.orders, world.partners.woo.mails),
        "tracker": sorted(set(tracker.subscribed)),
        "dead letters": sorted(set(world.dead_letters)),
        "executions": sorted(
            {str(sorted((k, v) for k, v in wanted.items() if k in {"order", "case"})) for wanted in _executions(world)}
        ),
    }


def broken_promises(world: World) -> list[str]:
    """What breaks the promises that must hold in every world, whatever happened in it."""
    orders = world.loaded()
    return broken(
        Seen(
            now=world.clock.now(),
            deadlines=lambda _shop: Deadlines(),
            orders=orders,
            cases={(case.shop, case.id): case for case in world.cases()},
            sources={key: world.source(key) for key in orders},
            placed=Counter(world.strict.made),
            told=Counter((MAIN, number) for number in world.partners.shop.told),
        ),
        OF_THE_STORE,
    )


def differences(expected: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """Where two pictures differ, one line each."""
    return [
        f"{part}: without the fault {_short(expected[part])}, with it {_short(seen[part])}"
        for part in expected
        if expected[part] != seen[part]
    ]


def _short(value: object) -> str:
    return str(value)[:900]


def _executions(world: World) -> list[dict[str, Any]]:
    return [wanted for name in ("FulfilmentWorkflow", "CaseWorkflow") for wanted in world.executions(name).values()]


def _order(order: Order, numbered: Mapping[str, str]) -> dict[str, Any]:
    """`numbered` says which purchase order a number of the supplier names: which one comes first is left to chance."""
    return {
        "status": order.status,
        "holds": sorted(hold.kind for hold in order.holds),
        "tasks": sorted((task.kind, task.about) for task in order.tasks),
        "units": {line.id: line.units.model_dump(exclude_defaults=True) for line in order.lines},
        "purchase orders": {
            po.id: (
                po.status,
                numbered.get(po.supplier_reference, po.supplier_reference),
                po.shipped,
                po.cancel,
            )
            for po in order.purchase_orders
        },
        "parcels": {str(parcel.waybill): (parcel.state, parcel.writeback) for parcel in order.parcels},
        "remedies": sorted((remedy.case, remedy.outcome) for remedy in order.remedies),
    }


def _case(case: Case) -> dict[str, Any]:
    return {"status": case.status, "waits": bool(case.task_token)}
