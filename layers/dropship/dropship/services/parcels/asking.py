"""Asking trackers for news of parcels: many in one request where the tracker takes that, several requests at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple, Protocol

from dropship.connectors import tracker as tracker_connector
from dropship.connectors.contract import AskedParcel, Queries, QueriesMany, able
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.tracking import TrackingReport
from dropship.domain.identity import Waybill
from dropship.domain.registry.connections import Tracker
from dropship.services.partner_calls import PartnerCalls
from dropship.services.several import kept_for_the_end

ParcelAnswer = TrackingReport | Absent | Refused
Answer = ParcelAnswer | Busy | Unknown


class Question(NamedTuple):
    """A parcel and the tracker that is asked for it."""

    waybill: Waybill
    tracker: Tracker
    parcel: AskedParcel


Together = Sequence[Question]
"""Questions that one request asks of one tracker."""


class AskAll(Protocol):
    """What `map` does with one sequence: for each request the answers to its questions, in their order."""

    def __call__(
        self, ask: Callable[[Together], Sequence[Answer]], requests: Iterable[Together], /
    ) -> Iterable[Sequence[Answer]]:
        """Send all of them."""


@dataclass(frozen=True)
class Asking:
    """Asks trackers."""

    partners: PartnerCalls
    ask_all: AskAll
    """How several requests are sent: `map` sends one after the other, that of an executor several at once."""

    def ask(self, questions: Sequence[Question], failures: list[Exception]) -> Mapping[Waybill, Answer]:
        """Ask for all parcels, but for no more at a tracker that does not answer, or cannot be asked.

        The next round asks again for what has no answer. Answers are taken in by the caller, one after the other.
        """
        trackers = {question.tracker.id: question.tracker for question in questions}
        silent = {tracker.id for tracker in trackers.values() if not self._can_be_asked(tracker, failures)}

        def ask(together: Together) -> Sequence[Answer]:
            tracker = together[0].tracker
            if tracker.id in silent:
                return []
            answers: Sequence[Answer] = []
            with kept_for_the_end(failures):
                answers = self._send(tracker, together)
            if not answers or isinstance(answers[0], Busy | Unknown):
                silent.add(tracker.id)
            return answers

        requests = [
            together
            for tracker in trackers.values()
            for together in _requests(tracker, [one for one in questions if one.tracker.id == tracker.id])
        ]
        ask_all = self.ask_all if len(requests) > 1 else map  # no thread is worth it
        found: dict[Waybill, Answer] = {}
        for together, answers in zip(requests, ask_all(ask, requests), strict=True):
            found |= {one.waybill: answer for one, answer in zip(together, answers, strict=False)}
        return found

    def _can_be_asked(self, tracker: Tracker, failures: list[Exception]) -> bool:
        """Whether there is a key to ask with. It is read once, and not by all at the same time."""
        with kept_for_the_end(failures):
            self.partners.access(tracker)
            return True
        return False

    def _send(self, tracker: Tracker, together: Together) -> Sequence[Answer]:
        """The answers to the questions; the same for all of them where there is one for the whole request."""
        connector = tracker_connector(tracker.channel)
        parcels = [question.parcel for question in together]
        answers: Sequence[Answer] | Answer
        if many := able(connector, QueriesMany):
            answers = self._query_many(tracker, many, parcels)
        elif one := able(connector, Queries):
            answers = self._query(tracker, one, parcels[0])
        else:
            answers = Absent()  # it tells of its own accord
        each = answers if isinstance(answers, Sequence) else [answers] * len(together)
        return [without_phones(answer, parcels) for answer in each]

    def _query(self, tracker: Tracker, connector: Queries, parcel: AskedParcel) -> Answer:
        return self.partners.call(tracker, lambda access: connector.query(parcel, access), connector.read_query)

    def _query_many(
        self, tracker: Tracker, connector: QueriesMany, parcels: Sequence[AskedParcel]
    ) -> Sequence[ParcelAnswer] | Refused | Busy | Unknown:
        return self.partners.call(
            tracker,
            lambda access: connector.query_many(parcels, access),
            lambda response: connector.read_query_many(response, parcels),
        )


def _requests(tracker: Tracker, questions: Together) -> Iterable[Together]:
    many = able(tracker_connector(tracker.channel), QueriesMany)
    return batched(questions, many.most_at_once if many else 1, strict=False)


def without_phones[Outcome](outcome: Outcome, parcels: Sequence[AskedParcel]) -> Outcome | Refused:
    """The outcome; the words of a refusal, which may repeat what was asked, without the buyers' phones."""
    if not isinstance(outcome, Refused):
        return outcome
    words = outcome.words
    for parcel in parcels:
        words = words.replace(parcel.phone, "****") if parcel.phone else words
    return Refused(words=words)
