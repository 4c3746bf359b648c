"""Ask trackers for news of parcels: many parcels in one request if the tracker can, and several requests at once."""

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
    """A parcel, and the tracker that is asked about it."""

    waybill: Waybill
    tracker: Tracker
    parcel: AskedParcel


Together = Sequence[Question]
"""The questions of one request to one tracker."""


class AskAll(Protocol):
    """Works like `map` with one sequence: for each request, the answers to its questions, in the same order."""

    def __call__(
        self, ask: Callable[[Together], Sequence[Answer]], requests: Iterable[Together], /
    ) -> Iterable[Sequence[Answer]]:
        """Send all requests."""


@dataclass(frozen=True)
class Asking:
    """Asks trackers."""

    partners: PartnerCalls
    ask_all: AskAll
    """How several requests are sent: `map` sends them one by one, the `map` of an executor several at once."""

    def ask(self, questions: Sequence[Question], failures: list[Exception]) -> Mapping[Waybill, Answer]:
        """Ask about all parcels, and return the answers by waybill.

        A tracker that does not answer, or cannot be asked, is not asked again in this call; its parcels get no answer,
        and the next poll round asks again. Errors are added to `failures`.
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
        ask_all = self.ask_all if len(requests) > 1 else map  # one request needs no threads
        found: dict[Waybill, Answer] = {}
        for together, answers in zip(requests, ask_all(ask, requests), strict=True):
            found |= {one.waybill: answer for one, answer in zip(together, answers, strict=False)}
        return found

    def _can_be_asked(self, tracker: Tracker, failures: list[Exception]) -> bool:
        """Whether the key of the tracker can be read. It is read here once, before several requests need it at once."""
        with kept_for_the_end(failures):
            self.partners.access(tracker)
            return True
        return False

    def _send(self, tracker: Tracker, together: Together) -> Sequence[Answer]:
        """The answers to the questions; one answer to the whole request counts for each question."""
        connector = tracker_connector(tracker.channel)
        parcels = [question.parcel for question in together]
        answers: Sequence[Answer] | Answer
        if many := able(connector, QueriesMany):
            answers = self._query_many(tracker, many, parcels)
        elif one := able(connector, Queries):
            answers = self._query(tracker, one, parcels[0])
        else:
            answers = Absent()  # this tracker cannot be asked: it only pushes
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
    """The outcome, without the buyers' phones: the words of a refusal may repeat what was asked."""
    if not isinstance(outcome, Refused):
        return outcome
    words = outcome.words
    for parcel in parcels:
        words = words.replace(parcel.phone, "****") if parcel.phone else words
    return Refused(words=words)
