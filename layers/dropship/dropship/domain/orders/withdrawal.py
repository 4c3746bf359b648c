"""Taking back what was ordered: free before the claim; after it the supplier has to be asked."""

from collections.abc import Mapping
from typing import Literal

from dropship.domain.deadlines import Moment

from .attention import TaskKind
from .fulfilment import settle
from .ledger import Remedy, RemedyOutcome, wanted_back
from .order import Order
from .purchase_order import CANCELLABLE, PurchaseOrder

Withdrawal = Literal["DONE", "ASKED", "SHIPPED"]


def cancel(order: Order, moment: Moment) -> Withdrawal:
    """Take the whole order back.

    Returns `DONE` if nothing is left to send; `ASKED` if suppliers have to be asked (`to_ask`); `SHIPPED` if at least a
    part can no longer be cancelled and a person has to decide. With `SHIPPED` there may still be suppliers to ask for
    the rest.
    """
    if order.finished:
        return "DONE"
    units = {line.id: line.units.open - line.units.shipped for line in order.lines}
    outcome = _withdraw(order, {line: count for line, count in units.items() if count}, moment)
    if outcome == "DONE" and any(line.units.shipped for line in order.lines):
        return "SHIPPED"
    return outcome


def withdraw(order: Order, case: str, units: Mapping[str, int], moment: Moment) -> Withdrawal:
    """Take back the units of one refund or return. A repeat takes back nothing more.

    Units that no purchase order has claimed are cancelled at once, and the fence makes older plans invalid. If all
    units of a purchase order are taken back, its supplier is asked to cancel it. If only a part of them is, or it has
    shipped, a person has to decide. A person also has to decide on a refund after the claim that names no line we ship.

    Returns the same values as `cancel`.
    """
    remedy = order.remedy(case)
    if remedy is None:
        remedy = Remedy(case=case, units=dict(units))
        order.add_remedy(remedy)
    if not remedy.open:
        return "DONE" if remedy.outcome in {"CANCELLED", "REFUNDED"} else "SHIPPED"
    if order.claimed and not any(count and order.line(line) for line, count in units.items()):
        return "SHIPPED"
    left = {line: count - remedy.cancelled.get(line, 0) for line, count in remedy.units.items()}
    outcome = _withdraw(order, {line: count for line, count in left.items() if count > 0}, moment, remedy)
    if outcome == "DONE" or (order.finished and not order.claimed):  # a finished order without a claim was never sent
        outcome = "DONE"
        remedy.end("CANCELLED")
    return outcome


def conclude(order: Order, case: str, outcome: RemedyOutcome, moment: Moment) -> None:
    """Write into the ledger how a case ended."""
    remedy = order.remedy(case)
    if remedy is None:
        remedy = Remedy(case=case, units={})
        order.add_remedy(remedy)
    if remedy.outcome in {"", "CANCELLED"} and remedy.outcome != outcome:
        remedy.end(outcome)
        order.record_end_of_case(case, outcome, moment)
        if outcome == "REFUNDED":
            _watch_for_refunded_units(order, remedy, moment)
        settle(order, moment)


def _watch_for_refunded_units(order: Order, remedy: Remedy, moment: Moment) -> None:
    """If refunded goods may still reach the buyer, ask a person to stop them or to claim them back."""
    coming = [
        line.id for line in order.lines if remedy.missing(line.id) and (line.units.at_supplier or line.units.in_transit)
    ]
    if coming:
        words = "refunded, and not stopped: units of lines " + ", ".join(coming)
        order.open_task(TaskKind.REFUNDED_ON_THE_WAY, moment, words, remedy.case)


def to_ask(order: Order) -> list[PurchaseOrder]:
    """Purchase orders whose supplier has to be asked, or asked again, to cancel."""
    return [
        po
        for po in order.purchase_orders
        if po.cancel == "WANTED" and po.status in CANCELLABLE | {"CANCEL_REQUESTED"} and not po.answer_promised
    ]


def ask(order: Order, purchase_order: PurchaseOrder, moment: Moment) -> None:
    """Record, before the call, that the supplier is being asked (the intent)."""
    if purchase_order.ask_cancellation(moment):
        order.record_of_purchase_order("cancellation_asked", purchase_order, moment)


def _withdraw(order: Order, units: dict[str, int], moment: Moment, remedy: Remedy | None = None) -> Withdrawal:
    left = dict(units)
    for line in order.lines:
        free = min(left.get(line.id, 0), line.units.unrouted)
        if free:
            line.units.move(free, "unrouted", "cancelled")
            left[line.id] -= free
            if remedy is not None:
                remedy.credit(line.id, free)
    if left != units:
        order.fence_off()
        order.record("units_withdrawn", moment)
    left = {line: count for line, count in left.items() if count and order.line(line) is not None}
    asked = _want_back(order, left, remedy)
    _close_if_empty(order, moment)
    if not left:
        return "DONE"
    return "ASKED" if asked else "SHIPPED"


def _want_back(order: Order, left: dict[str, int], remedy: Remedy | None) -> bool:
    """Mark the purchase orders that have only unwanted units. Returns whether they cover all of `left`.

    Units that other open remedies wait for are unwanted too; remedies earlier in the ledger come first. Purchase orders
    that are marked already are counted first, so that a repeat marks no more than the first time.
    """
    if not left:
        return False
    unwanted, served_first = dict(left), list[Remedy]()
    if remedy is not None:
        unwanted = {line.id: wanted_back(order.remedies, line.id) for line in order.lines}
        served_first = order.remedies[: order.remedies.index(remedy)]
    uncovered = {line: count + wanted_back(served_first, line) for line, count in left.items()}
    for po in sorted(order.purchase_orders, key=lambda po: po.cancel != "WANTED"):
        remaining = po.remaining
        if not remaining or any(unwanted.get(line, 0) < count for line, count in remaining.items()):
            continue
        if po.want_back():
            order.fence_off()
        for line, count in remaining.items():
            unwanted[line] -= count
            if po.within_recall:
                uncovered[line] = uncovered.get(line, 0) - count
    return all(uncovered[line] <= 0 for line in left)


def _close_if_empty(order: Order, moment: Moment) -> None:
    if order.finished:
        return
    empty = not order.claimed and not any(line.units.open for line in order.lines)
    if empty and not any(po.in_dispatch for po in order.purchase_orders):
        order.close_as_cancelled(moment)
    else:
        settle(order, moment)
