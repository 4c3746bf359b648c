"""Following parcels: polls, pushes, subscriptions, and what they change."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dropship.connectors import tracker as tracker_connector
from dropship.connectors.contract import AskedParcel, NeedsPhone, ReceivesReports, Subscribes, able, needed
from dropship.domain.deadlines import Moment
from dropship.domain.exchange.outcomes import Busy, Refused, Unknown
from dropship.domain.exchange.tracking import TrackingReport
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.delivery import track
from dropship.domain.orders.lateness import stalled, untold
from dropship.domain.orders.order import Order
from dropship.domain.orders.parcel import Parcel
from dropship.domain.orders.polling import is_given_up
from dropship.domain.registry.connections import Tracker
from dropship.ports import Loaded, Orders, Queues, Registry, Unavailable
from dropship.services.changing import Moments, change_order, working_copy
from dropship.services.messages import PollParcels, TellMarketplace, TrackingMessage, WatchParcel, Webhook
from dropship.services.partner_calls import PartnerCalls
from dropship.services.several import handle_each, kept_for_the_end

from .asking import Answer, AskAll, Asking, Question, without_phones
from .followed import tracker_of

_NO_DIGIT = re.compile(r"[^0-9]")


def _ignore(_metric: str, _what: str) -> None:
    """Count nothing."""


@dataclass(frozen=True)
class Tracking:
    """Asks trackers, takes in their pushes, and moves parcels along."""

    orders: Orders
    registry: Registry
    partners: PartnerCalls
    queues: Queues
    moments: Moments
    count: Callable[[str, str], None] = field(default=_ignore)
    """Called with the name of a metric and what it is about.

    - `UnknownTrackingCode`: a scan code that no table knows, as `{tracker}:{code}`.
    - `TrackerRefused`: a tracker refuses to give news of a parcel, as `{tracker}: {its words}`. It will refuse the
      next time too, so a person has to solve it.
    """

    ask_all: AskAll = map
    """See `Asking.ask_all`."""

    def handle(self, message: TrackingMessage) -> None:
        """Handle one message of the tracking queue."""
        match message:
            case Webhook():
                self._pushed(message)
            case PollParcels():
                self._visit([OrderKey.parse(key) for key in message.orders])
            case WatchParcel():
                self._watch(Waybill.parse(message.waybill))

    def _pushed(self, webhook: Webhook) -> None:
        tracker = self.registry.tracker(webhook.connection)
        connector = needed(tracker_connector(tracker.channel), ReceivesReports)
        reports = connector.read_events(webhook.request, tracker)
        handle_each(reports, lambda report: self._reported(tracker, report))

    def _reported(self, tracker: Tracker, report: TrackingReport) -> None:
        if report.carrier not in tracker.codes:
            return
        self._count_unknown(tracker, report)
        waybill = Waybill(tracker.codes[report.carrier], report.number)
        key = self.orders.order_of(waybill)
        if key is not None:
            change_order(
                self.orders,
                key,
                self.moments,
                lambda order, moment: self._move(order, order.parcel(*waybill), report, moment),
            )

    def _move(self, order: Order, parcel: Parcel | None, report: TrackingReport, moment: Moment) -> None:
        if parcel is not None:
            track(order, parcel, report.events, moment)

    # A visit: each order is read once, its trackers are asked, and it is written at most once.

    def _visit(self, keys: Sequence[OrderKey]) -> None:
        """Ask for news of the parcels of some orders.

        An order that cannot be read or changed, and a tracker that cannot be asked, do not stop the others.
        """
        failures: list[Exception] = []
        known = self.orders.load_all(list(dict.fromkeys(keys)))
        found, questions = list[Loaded[Order]](), list[Question]()
        for key in dict.fromkeys(keys):
            with kept_for_the_end(failures):
                loaded = known.get(key) or self.orders.load(key, fresh=True)
                if loaded is not None:
                    found.append(loaded)
                    questions += self._questions(loaded.value)
        answers = Asking(self.partners, self.ask_all).ask(questions, failures)
        for question in questions:
            self._count(question, answers.get(question.waybill))
        for loaded in found:
            with kept_for_the_end(failures):
                self._take_in(loaded, answers)
        if failures:
            raise failures[0]

    def _questions(self, order: Order) -> Iterator[Question]:
        for parcel in order.parcels:
            found = tracker_of(self.registry, parcel.carrier)
            if found is not None and parcel.followed and not parcel.finished:
                tracker, code = found
                phone = self._phone(order.key, tracker, code)
                yield Question(parcel.waybill, tracker, AskedParcel(code, parcel.number, phone))

    def _count(self, question: Question, answer: Answer | None) -> None:
        if isinstance(answer, Refused):
            self._refused(question.tracker, answer)
        if isinstance(answer, Busy) and answer.why:
            self.count("TrackerRefused", f"{question.tracker.id}: {answer.why}")
        if isinstance(answer, TrackingReport):
            self._count_unknown(question.tracker, answer)

    def _take_in(self, loaded: Loaded[Order], answers: Mapping[Waybill, Answer]) -> None:
        """Change the order by the answers, in at most one write; queue parcels the marketplace does not know yet."""
        copy = working_copy(self.orders, loaded.value.key, self.moments, loaded)
        copy.change(lambda order: self._change(order, answers), look_again=False)
        order = copy.value
        for parcel in untold(order, self.moments.of(order.shop)):
            tell = TellMarketplace.of(order.key, parcel.waybill)
            self.queues.send("outbound", tell.model_dump_json())

    def _change(self, order: Order, answers: Mapping[Waybill, Answer]) -> None:
        """Move the parcels that have news, and act on the clocks that polls are responsible for."""
        moment = self.moments.of(order.shop)
        for parcel in order.parcels:
            answer = answers.get(parcel.waybill)
            if isinstance(answer, TrackingReport) and answer.number.casefold() == parcel.number.casefold():
                self._move(order, parcel, answer, moment)
        stalled(order, moment)
        for parcel in order.parcels:
            if self._is_beyond_polls(parcel, answers.get(parcel.waybill)):
                parcel.follow_no_more(moment)

    def _is_beyond_polls(self, parcel: Parcel, answer: Answer | None) -> bool:
        """Whether no tracker follows the carrier any more, or the tracker answered but has had no news for too long."""
        if parcel.finished or not parcel.followed:
            return False
        if tracker_of(self.registry, parcel.carrier) is None:
            return True
        news_at = max(parcel.shipped_at, parcel.last_event_at or parcel.shipped_at)
        return not isinstance(answer, Busy | Unknown | None) and is_given_up(news_at, self.moments.clock.now())

    def _watch(self, waybill: Waybill) -> None:
        """Ask the tracker to push, if it can push, follows the carrier, and has our address for pushes."""
        found = tracker_of(self.registry, waybill.carrier)
        if found is None or not found[0].callback_url:
            return
        tracker, code = found
        connector, callback_url = able(tracker_connector(tracker.channel), Subscribes), tracker.callback_url or ""
        if connector is None:
            return
        order = self.orders.order_of(waybill) if self._needs_phone(tracker, code) else None
        parcel = AskedParcel(code, waybill.number, self._phone(order, tracker, code))
        outcome = self.partners.call(
            tracker, lambda access: connector.subscribe(parcel, callback_url, access), connector.read_subscribe
        )
        if isinstance(outcome, Refused):
            self._refused(tracker, without_phones(outcome, [parcel]))
        if isinstance(outcome, Busy | Unknown):
            why = isinstance(outcome, Busy) and outcome.why
            raise Unavailable(why or f"tracker {tracker.id} took no subscription for {waybill}")

    def _needs_phone(self, tracker: Tracker, code: str) -> bool:
        connector = able(tracker_connector(tracker.channel), NeedsPhone)
        return connector is not None and connector.needs_phone(code)

    def _phone(self, order: OrderKey | None, tracker: Tracker, code: str) -> str:
        """The last four digits of the buyer's phone, read only for carriers that ask for them; never logged."""
        if order is None or not self._needs_phone(tracker, code):
            return ""
        digits = _NO_DIGIT.sub("", self.orders.recipient(order).phone)
        return digits[-4:] if len(digits) >= 4 else ""

    def _refused(self, tracker: Tracker, refusal: Refused) -> None:
        self.count("TrackerRefused", f"{tracker.id}: {refusal.words[:100]}")

    def _count_unknown(self, tracker: Tracker, report: TrackingReport) -> None:
        for event in report.events:
            if event.stage is None:
                self.count("UnknownTrackingCode", f"{tracker.id}:{event.code}")
