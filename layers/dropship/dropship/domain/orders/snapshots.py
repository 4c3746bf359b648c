"""Snapshots of the marketplace order: how an order begins, and what a later snapshot changes."""

from typing import NamedTuple

from dropship.domain.deadlines import Moment
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import MarketplaceLine, MarketplaceOrder, case_id
from dropship.domain.quantities import LineQuantities

from .attention import HoldReason, TaskKind
from .ledger import Remedy, refunded, wanted_back
from .order import Order, OrderLine


class Snapshot(NamedTuple):
    """The marketplace order as of its version, with what the order keeps of the buyer's address.

    `recipient_digest` tells whether the address changed; `missing` names the empty fields that a label needs.
    """

    source: MarketplaceOrder
    recipient_digest: str
    missing: list[str]


def receive(snapshot: Snapshot, moment: Moment) -> Order:
    """A new order from its first snapshot; lines that need no shipping are left out."""
    source = snapshot.source
    order = Order(
        shop=source.shop,
        external_id=source.external_id,
        number=source.number,
        created_at=moment.now,
        source_version=source.updated_at,
        recipient_digest=snapshot.recipient_digest,
        lines=[_new_line(line) for line in source.lines if line.units_to_ship],
        remedies=[_reflected(refund) for refund in source.refunds],
    )
    order.record("received", moment)
    if source.off:
        order.close_as_cancelled(moment)
        return order
    if not order.lines:
        order.step("nothing_to_fulfil")
        order.record("nothing_to_ship", moment)
        return order
    order.check_address(snapshot.missing, moment)
    if not order.holds:
        order.step("validated")
    return order


def revise(order: Order, snapshot: Snapshot, moment: Moment) -> bool:
    """Take in a snapshot, unless a later one was taken in before. Returns whether anything changed.

    Versions are times in whole seconds, so a snapshot of the same version is taken in too.

    Before the claim, our quantities become the marketplace's open units, as far as they are paid. After the claim,
    quantities change only through refunds and cancellations; other changes of units, and a changed address, need a
    person. If the order has ended, more wanted units need a person, and everything else is ignored.

    Raises:
        InvalidMessage: the order is our own, so no marketplace can change it.
    """
    if order.origin.ours:
        raise InvalidMessage(f"order {order.key} is ours ({order.origin}); a marketplace cannot change it")
    if snapshot.source.updated_at < order.source_version:
        return False
    before = order.model_dump_json()
    if order.finished:
        _look_after_the_end(order, snapshot.source, moment)
        return order.model_dump_json() != before
    order.follow_to(snapshot.source.updated_at)
    if snapshot.recipient_digest != order.recipient_digest:
        _change_address(order, snapshot, moment)
    if order.claimed and not snapshot.source.off:
        _compare_units(order, snapshot.source, moment)
    elif not order.claimed:
        _adopt_units(order, snapshot.source, moment)
    return order.model_dump_json() != before


def _look_after_the_end(order: Order, source: MarketplaceOrder, moment: Moment) -> None:
    """Ask for a person if an edit added units to an order that has ended, because no dispatch would send them."""
    open_units = {line.id: line.units.open for line in order.lines}
    more = [line for line, count in _wanted_units(order, source).items() if count > open_units.get(line, 0)]
    if more and source.paid and not source.off:
        order.follow_to(source.updated_at)
        words = f"the order is {order.status}, yet the marketplace wants units of lines " + ", ".join(sorted(more))
        order.open_task(TaskKind.QUANTITY_CHANGED, moment, words)


def _change_address(order: Order, snapshot: Snapshot, moment: Moment) -> None:
    order.take_address(snapshot.recipient_digest)
    if order.claimed:
        order.open_task(TaskKind.ADDRESS_CHANGED, moment)
    if not snapshot.missing:
        order.release(HoldReason.ADDRESS_MISSING, moment)
    elif not order.claimed:
        order.check_address(snapshot.missing, moment)


def _wanted_units(order: Order, source: MarketplaceOrder) -> dict[str, int]:
    """Units to send by line, minus those taken back by refunds that the snapshot does not know yet."""
    reflected = {case_id("refund", refund) for refund in source.refunds}
    later = [remedy.cancelled for remedy in order.remedies if remedy.case not in reflected]
    return {
        line.id: max(0, line.units_to_ship - sum(cancelled.get(line.id, 0) for cancelled in later))
        for line in source.lines
    }


def _compare_units(order: Order, source: MarketplaceOrder, moment: Moment) -> None:
    known_cases = {remedy.case for remedy in order.remedies}
    if not known_cases.issuperset(case_id("refund", refund) for refund in source.refunds):
        return  # the refund will come as its own event, which says which units it is about
    wanted = _wanted_units(order, source)
    ours = {line.id: line.units for line in order.lines}
    more = [line for line, count in wanted.items() if count > (ours[line].open if line in ours else 0)]
    fewer = [line for line, units in ours.items() if wanted.get(line, 0) < _unsent(order, line, units)]
    if more or fewer:
        words = "the marketplace now wants other units of lines " + ", ".join(sorted({*more, *fewer}))
        order.open_task(TaskKind.QUANTITY_CHANGED, moment, words)


def _unsent(order: Order, line: str, units: LineQuantities) -> int:
    back = wanted_back(order.remedies, line) + refunded(order.remedies, line)
    return units.open - units.shipped - back


def _adopt_units(order: Order, source: MarketplaceOrder, moment: Moment) -> None:
    open_units = _wanted_units(order, source)
    before = [(line.id, line.units.open) for line in order.lines]
    for line in order.lines:
        wanted = open_units.get(line.id, 0)
        if wanted > line.units.open and not source.paid:
            continue  # what was added is not paid yet
        if wanted > line.units.open:
            line.units.add(wanted - line.units.open)
        else:
            line.units.move(line.units.unrouted - wanted, "unrouted", "cancelled")
    known = {line.id for line in order.lines}
    if source.paid:
        order.add_lines(_new_line(line) for line in source.lines if line.units_to_ship and line.id not in known)
    _adopt_refunds(order, source)
    if before != [(line.id, line.units.open) for line in order.lines]:
        order.fence_off()
        order.record("quantities_changed", moment)
    if not any(line.units.open for line in order.lines):
        order.close_as_cancelled(moment)


def _adopt_refunds(order: Order, source: MarketplaceOrder) -> None:
    """Mark the snapshot's refunds as done: its units are already without what was refunded."""
    reflected = {case_id("refund", refund) for refund in source.refunds}
    for remedy in order.remedies:
        if remedy.case in reflected and remedy.open:
            remedy.end("CANCELLED")
    known = {remedy.case for remedy in order.remedies}
    for remedy in map(_reflected, source.refunds):
        if remedy.case not in known:
            order.add_remedy(remedy)


def _new_line(line: MarketplaceLine) -> OrderLine:
    units = LineQuantities(ordered=line.units_to_ship, unrouted=line.units_to_ship)
    return OrderLine(id=line.id, sku=line.sku, units=units)


def _reflected(refund: str) -> Remedy:
    """The ledger entry of a refund whose units the marketplace has already taken out of the order."""
    return Remedy(case=case_id("refund", refund), units={}, outcome="CANCELLED")
