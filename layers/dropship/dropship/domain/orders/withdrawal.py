"""Taking back what was ordered: free before the claim, asked of the supplier after it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from dropship.domain.deadlines import Deadlines

from .fulfilment import settle
from .ledger import Remedy, wanted_back
from .order import Order, TaskKind
from .purchase_order import CANCELLABLE, IN_DISPATCH, PurchaseOrder

Withdrawal = Literal["DONE", "ASKED", "SHIPPED"]


def cancel(order: Order, now: datetime) -> Withdrawal:
    """Take the whole order back.

    Returns `DONE` where nothing is left to send, `ASKED` where suppliers have to be asked (`to_ask`),
    `SHIPPED` where at least a part is beyond recall and a person has to decide.
    """
    if order.finished:
        return "DONE"
    units = {line.id: line.units.open - line.units.shipped for line in order.lines}
    outcome = _withdraw(order, {line: count for line, count in units.items() if count}, now)
    if outcome == "DONE" and any(line.units.shipped for line in order.lines):
        return "SHIPPED"
    return outcome


def withdraw(order: Order, case: str, units: Mapping[str, int], now: datetime) -> Withdrawal:
    """Take back the units of one refund or return, once, however often it is asked.

    Units that no purchase order has claimed are cancelled here and now, behind the fence. A purchase order
    whose units are all taken back is asked to be cancelled; one that is wanted in part, or has shipped,
    is left to a person; so is a refund after the claim that names no line we ship.
    """
    remedy = order.remedy(case)
    if remedy is None:
        remedy = Remedy(case=case, units=dict(units))
        order.remedies.append(remedy)
    if remedy.outcome:
        return "DONE" if remedy.outcome in {"CANCELLED", "REFUNDED"} else "SHIPPED"
    if order.claimed and not any(count and order.line(line) for line, count in units.items()):
        return "SHIPPED"
    left = {line: count - remedy.cancelled.get(line, 0) for line, count in remedy.units.items()}
    outcome = _withdraw(order, {line: count for line, count in left.items() if count > 0}, now, remedy)
    if outcome == "DONE" or (order.finished and not order.claimed):  # what was cancelled was never sent
        outcome = "DONE"
        remedy.outcome = "CANCELLED"
    return outcome


def conclude(order: Order, case: str, outcome: str, now: datetime) -> None:
    """Write into the ledger how a case ended."""
    remedy = order.remedy(case)
    if remedy is None:
        remedy = Remedy(case=case, units={})
        order.remedies.append(remedy)
    if remedy.outcome in {"", "CANCELLED"} and remedy.outcome != outcome:
        remedy.outcome = outcome
        order.note(now, f"after-sales case {outcome.lower()}", case)
        if outcome == "REFUNDED":
            _watch_for_refunded_units(order, remedy, now)
        settle(order, now)


def _watch_for_refunded_units(order: Order, remedy: Remedy, now: datetime) -> None:
    """Money is back with the buyer while the goods may still come to them: somebody has to stop or claim them."""
    coming = [
        line.id for line in order.lines if remedy.missing(line.id) and (line.units.at_supplier or line.units.in_transit)
    ]
    if coming:
        words = "refunded, and not stopped: units of lines " + ", ".join(coming)
        order.need(TaskKind.REFUNDED_ON_THE_WAY, now, words, remedy.case)


def to_ask(order: Order) -> list[PurchaseOrder]:
    """Purchase orders whose supplier has yet to be asked, or asked again, to cancel."""
    return [
        po
        for po in order.purchase_orders
        if po.cancel == "WANTED" and po.status in CANCELLABLE | {"CANCEL_REQUESTED"} and not po.answer_promised
    ]


def ask(order: Order, purchase_order: PurchaseOrder, now: datetime, deadlines: Deadlines) -> None:
    """Record that the supplier is being asked; the intent, before the call."""
    if purchase_order.status in CANCELLABLE:
        purchase_order.apply("cancel_requested")
        purchase_order.due_at = now + deadlines.resume  # until there is an answer, it is asked again
        order.note(now, "cancellation asked", purchase_order.id)


def _withdraw(order: Order, units: dict[str, int], now: datetime, remedy: Remedy | None = None) -> Withdrawal:
    left = dict(units)
    for line in order.lines:
        free = min(left.get(line.id, 0), line.units.unrouted)
        if free:
            line.units.move(free, "unrouted", "cancelled")
            left[line.id] -= free
            if remedy is not None:
                remedy.cancelled[line.id] = remedy.cancelled.get(line.id, 0) + free
    if left != units:
        order.fence += 1
        order.note(now, "units withdrawn before dispatch")
    left = {line: count for line, count in left.items() if count and order.line(line) is not None}
    asked = _want_back(order, left, remedy)
    _close_if_empty(order, now)
    if not left:
        return "DONE"
    return "ASKED" if asked else "SHIPPED"


def _want_back(order: Order, left: dict[str, int], remedy: Remedy | None) -> bool:
    """Mark the purchase orders that hold nothing but unwanted units; whether they cover all of `left`.

    Unwanted is also what other open remedies wait for; those before this one in the ledger are served first.
    Purchase orders that were marked before count first, so that a repeat marks no more than the first time.
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
        within_recall = _recall(order, po)
        for line, count in remaining.items():
            unwanted[line] -= count
            uncovered[line] = uncovered.get(line, 0) - count * within_recall
    return all(uncovered[line] <= 0 for line in left)


def _recall(order: Order, po: PurchaseOrder) -> bool:
    """Mark a purchase order as unwanted; whether its supplier can still be asked. It is marked even if not."""
    within_recall = not po.shipped and po.cancel != "REFUSED"
    wish: Literal["WANTED", "REFUSED"] = "WANTED" if within_recall else "REFUSED"
    if po.cancel != wish:
        po.cancel = wish
        order.fence += 1
    return within_recall


def _close_if_empty(order: Order, now: datetime) -> None:
    if order.finished:
        return
    if not any(line.units.open for line in order.lines) and not order.claimed:
        busy = [po for po in order.purchase_orders if po.status in IN_DISPATCH]
        if not busy:
            order.close_as_cancelled(now)
            return
    settle(order, now)
