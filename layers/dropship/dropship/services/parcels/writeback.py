"""Writeback (发货回传): the marketplace is told about each parcel once.

One worker at a time holds the parcel (`Parcel.begin_writeback`). Each try first asks the marketplace whether it knows
the waybill already, because its create request has no idempotency key. One writeback may take several
requests.
"""

from dataclasses import dataclass
from typing import Literal

from dropship.connectors import marketplace
from dropship.connectors.contract import WritesBack, able
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.domain.exchange.writeback import FulfilmentState, ParcelShipped, WritebackResult, WrittenBack
from dropship.domain.identity import OrderKey
from dropship.domain.orders.delivery import record_writeback_refused, record_written_back
from dropship.domain.orders.order import Order
from dropship.domain.orders.parcel import Parcel
from dropship.domain.registry.connections import Shop
from dropship.ports import NotFound, Orders, Registry, Unavailable
from dropship.services.changing import Moments, WorkingCopy, working_copy
from dropship.services.messages import TellMarketplace
from dropship.services.partner_calls import PartnerCalls

Begun = Literal["MINE", "OTHERS", "OVER"]


@dataclass(frozen=True)
class Writeback:
    """Tells marketplaces about parcels."""

    orders: Orders
    registry: Registry
    partners: PartnerCalls
    moments: Moments

    def handle(self, message: TellMarketplace) -> None:
        """Tell the marketplace about one parcel, unless that is done already.

        Raises:
            Unavailable: the marketplace did not take it now, or another worker is telling it; try again later.
        """
        key = OrderKey.parse(message.order)
        shop = self.registry.shop(key.shop)
        lease_s = shop.deadlines.writeback_lease.total_seconds()
        copy = working_copy(self.orders, key, self.moments)
        begun = copy.change(lambda order: self._begin(order, message))
        order = copy.value
        parcel = order.parcel(message.carrier, message.number)
        if begun == "OVER" or parcel is None:
            return
        if begun == "OTHERS":
            raise Unavailable(f"the writeback of {parcel.waybill} is under way", lease_s)
        outcome = self._tell(shop, order, parcel)
        self._record(copy, message, outcome)
        if isinstance(outcome, Busy):
            raise Unavailable(outcome.why or f"shop {shop.id} took no writeback now", outcome.retry_after or 0)
        if isinstance(outcome, Unknown):
            raise Unavailable(f"it is unknown whether shop {shop.id} knows {parcel.waybill}", lease_s + 1)

    def _begin(self, order: Order, message: TellMarketplace) -> Begun:
        parcel = order.parcel(message.carrier, message.number)
        if parcel is None or not parcel.untold:
            return "OVER"
        return "MINE" if parcel.begin_writeback(self.moments.of(order.shop)) else "OTHERS"

    def _tell(self, shop: Shop, order: Order, parcel: Parcel) -> WritebackResult:
        connector = able(marketplace(shop.channel), WritesBack)
        if connector is None:
            return Refused(words=f"{shop.channel} is not told of parcels by us: enter the number there yourself")
        state: FulfilmentState | Refused | Busy | Unknown = self.partners.call(
            shop, lambda access: connector.ask_fulfilment(order.external_id, access), connector.read_fulfilment
        )
        if isinstance(state, Refused):
            return state
        if not isinstance(state, FulfilmentState):
            return state if isinstance(state, Busy) else Busy()
        if parcel.number in state.told:
            return WrittenBack(fulfilment=state.told[parcel.number])
        return self._create(shop, connector, self._parcel_shipped(shop, order, parcel), state)

    def _parcel_shipped(self, shop: Shop, order: Order, parcel: Parcel) -> ParcelShipped:
        try:
            carrier_name = self.registry.carrier(parcel.carrier).name
        except NotFound:
            carrier_name = parcel.carrier
        return ParcelShipped(
            order=order.external_id,
            carrier_name=carrier_name,
            number=parcel.number,
            lines=tuple(parcel.lines),
            is_last=all(line.units.open == line.units.shipped for line in order.lines),
            notify_buyer=shop.notify_buyer,
        )

    def _create(
        self, shop: Shop, connector: WritesBack, shipped: ParcelShipped, state: FulfilmentState
    ) -> WritebackResult:
        try:
            return self.partners.call(
                shop,
                lambda access: connector.writeback(shipped, state, access),
                lambda response: connector.read_writeback(response, shipped, state),
            )
        except InvalidMessage as nothing_open:
            return Refused(words=str(nothing_open))

    def _record(self, copy: WorkingCopy[Order], message: TellMarketplace, outcome: WritebackResult) -> None:
        def record(order: Order) -> None:
            moment = self.moments.of(order.shop)
            parcel = order.parcel(message.carrier, message.number)
            if parcel is None or not parcel.untold:
                return
            match outcome:
                case WrittenBack(fulfilment=fulfilment):
                    record_written_back(order, parcel, fulfilment, moment)
                case Refused(words=words):
                    record_writeback_refused(order, parcel, words, moment)
                case Busy():
                    parcel.end_writeback("DUE", moment)
                case Unknown():
                    pass  # it stays SENDING, so that no worker tries again before the lease is over

        copy.change(record)
