"""Following parcels: rounds of polls, pushes, and what both change."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import batched

from dropship.connectors import tracker as tracker_connector
from dropship.domain.connections import Tracker
from dropship.domain.fulfilment import track
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.order import Order
from dropship.domain.partners import Busy, Refused, TrackingReport, Unknown
from dropship.domain.polling import is_due, is_given_up
from dropship.ports import SHARDS, Clock, NotFound, Orders, Queues, Registry, Unavailable

from .changing import change_order
from .messages import PollParcels, TrackingMessage, WatchParcel, Webhook
from .partners import Partners

PARCELS_PER_MESSAGE = 5
_NO_DIGIT = re.compile(r"[^0-9]")


@dataclass(frozen=True)
class PollRound:
    """Finds the parcels whose turn it is and sends them to the tracking queue."""

    orders: Orders
    queues: Queues
    clock: Clock

    def run(self, *, everything: bool = False) -> int:
        """One round; the number of parcels sent. `everything` polls all parcels that are under way."""
        due = list(self._due(everything=everything))
        messages = [
            PollParcels(waybills=[str(waybill) for waybill in chunk]).model_dump_json()
            for chunk in batched(due, PARCELS_PER_MESSAGE, strict=False)
        ]
        self.queues.send_all("tracking", messages)
        return len(due)

    def _due(self, *, everything: bool) -> Iterator[Waybill]:
        now = self.clock.now()
        found = (entry for shard in range(SHARDS) for entry in self.orders.polled(shard))
        ready = [entry.waybill for entry in found if everything or is_due(entry.waybill, entry.news_at, now)]
        yield from sorted(ready)


def _ignore(_metric: str, _what: str) -> None:
    """Nobody counts."""


@dataclass(frozen=True)
class Tracking:
    """Asks trackers, takes in their pushes, and moves parcels along."""

    orders: Orders
    registry: Registry
    partners: Partners
    clock: Clock
    count: Callable[[str, str], None] = field(default=_ignore)
    """Told of metrics and what they are about.

    `UnknownTrackingCode`: a scan code that no table knows, as `{tracker}:{code}`. `TrackerRefused`: a tracker will
    not tell of a parcel, as `{tracker}: {its words}`; a person has to mend that, for it will not next time either.
    """

    def take(self, message: TrackingMessage) -> None:
        """Handle one message of the tracking queue."""
        match message:
            case Webhook():
                self._pushed(message)
            case PollParcels():
                self._poll_all([Waybill.parse(waybill) for waybill in message.waybills])
            case WatchParcel():
                self._watch(Waybill.parse(message.waybill))

    def _pushed(self, webhook: Webhook) -> None:
        tracker = self.registry.tracker(webhook.connection)
        report = tracker_connector(tracker.channel).read_push(webhook.request)
        if report is not None and report.carrier in tracker.codes:
            self._apply(tracker, Waybill(tracker.codes[report.carrier], report.number), report)

    def _poll_all(self, waybills: list[Waybill]) -> None:
        """Ask for news of each parcel, but of no more at a tracker that does not answer: the next round asks again."""
        silent: set[str] = set()
        for waybill in waybills:
            found = self._tracker_of(waybill)
            if found is None:
                self.orders.retire_waybill(waybill)
            elif found[0].id not in silent and not self._poll(waybill, *found):
                silent.add(found[0].id)

    def _poll(self, waybill: Waybill, tracker: Tracker, code: str) -> bool:
        """Ask for news of one parcel; whether the tracker answered."""
        connector, phone = tracker_connector(tracker.channel), self._phone(waybill, tracker, code)
        report = self.partners.call(
            tracker, lambda credentials: connector.query(code, waybill.number, phone, credentials), connector.read_query
        )
        if isinstance(report, Refused):
            self._refused(tracker, report, phone)
        if isinstance(report, TrackingReport) and report.number.casefold() == waybill.number.casefold():
            self._apply(tracker, waybill, report)
        elif not isinstance(report, Busy | Unknown):
            self._retire_if_over(waybill)
        return not isinstance(report, Busy | Unknown)

    def _watch(self, waybill: Waybill) -> None:
        """Ask the tracker to push, where it knows the carrier and we have an address for pushes."""
        found = self._tracker_of(waybill)
        if found is None or not found[0].callback_url:
            return
        tracker, code = found
        connector, callback_url = tracker_connector(tracker.channel), tracker.callback_url or ""
        phone = self._phone(waybill, tracker, code)
        outcome = self.partners.call(
            tracker,
            lambda credentials: connector.subscribe(code, waybill.number, phone, callback_url, credentials),
            connector.read_subscribe,
        )
        if isinstance(outcome, Refused):
            self._refused(tracker, outcome, phone)
        if isinstance(outcome, Busy | Unknown):
            raise Unavailable(f"tracker {tracker.id} took no subscription for {waybill}")

    def _tracker_of(self, waybill: Waybill) -> tuple[Tracker, str] | None:
        try:
            tracker = self.registry.tracker(self.registry.carrier(waybill.carrier).tracker)
        except NotFound:
            return None
        code = tracker.code_of(waybill.carrier)
        return None if code is None else (tracker, code)

    def _retire_if_over(self, waybill: Waybill) -> None:
        """Stop following a parcel that the tracker says nothing of, if there is nothing more to wait for."""
        key = self.orders.order_of(waybill)
        loaded = None if key is None else self.orders.load(key)
        if loaded is None or self._is_over(loaded.value, waybill):
            self.orders.retire_waybill(waybill)

    def _is_over(self, order: Order, waybill: Waybill) -> bool:
        """Whether nothing more is to be heard of the parcel: it or its order is finished, or there is no news of it.

        A waybill is claimed before its parcel is saved: one without a parcel is as old as its order.
        """
        parcel = order.parcel(waybill.carrier, waybill.number)
        if parcel is None:
            return order.finished or is_given_up(order.created_at, self.clock.now())
        news_at = max(parcel.shipped_at, parcel.last_event_at or parcel.shipped_at)
        return order.finished or parcel.finished or is_given_up(news_at, self.clock.now())

    def _phone(self, waybill: Waybill, tracker: Tracker, code: str) -> str:
        """The last four digits of the buyer's phone, read only for carriers that ask for them; never logged."""
        if not tracker_connector(tracker.channel).needs_phone(code):
            return ""
        key = self.orders.order_of(waybill)
        digits = "" if key is None else _NO_DIGIT.sub("", self.orders.recipient(key).phone)
        return digits[-4:] if len(digits) >= 4 else ""

    def _refused(self, tracker: Tracker, refusal: Refused, phone: str) -> None:
        """Count the refusal. Its words may repeat what was asked: the phone stays out of them."""
        words = refusal.words.replace(phone, "****") if phone else refusal.words
        self.count("TrackerRefused", f"{tracker.id}: {words[:100]}")

    def _apply(self, tracker: Tracker, waybill: Waybill, report: TrackingReport) -> None:
        for event in report.events:
            if event.stage is None:
                self.count("UnknownTrackingCode", f"{tracker.id}:{event.code}")
        key = self.orders.order_of(waybill)
        if key is None:
            return
        order, news = self._move(key, waybill, report)
        if self._is_over(order, waybill):
            self.orders.retire_waybill(waybill)
        elif news:
            self.orders.touch_waybill(waybill, self.clock.now())

    def _move(self, key: OrderKey, waybill: Waybill, report: TrackingReport) -> tuple[Order, bool]:
        deadlines = self.registry.shop(key.shop).deadlines

        def move(order: Order) -> bool:
            parcel = order.parcel(waybill.carrier, waybill.number)
            return parcel is not None and track(order, parcel, report.events, self.clock.now(), deadlines)

        return change_order(self.orders, key, move)
