"""What ops people see and ask for. Reading is direct; every wish is one message to the queue of its workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dropship.connectors.reading import read_json
from dropship.domain.attention import Attention, AttentionPage
from dropship.domain.errors import InvalidMessage
from dropship.domain.identity import OrderKey
from dropship.domain.orders import timeline as timeline_words
from dropship.domain.orders.attention import ORDER_KINDS
from dropship.domain.orders.order import Order
from dropship.domain.remedies.case import CASE_KINDS, REPORTED_STEPS, Case, Decision, reported_step
from dropship.domain.remedies.lifecycle import AFTER_SALES_CASE
from dropship.ports import Cases, Clock, Loaded, NotFound, Orders, Queues, Registry, Unavailable
from dropship.services.messages import CloseTask, DecideCase, DispatchAgain, ReleaseHold, TellCase

from .queries import USUAL, check_day, check_ids, check_shop, read_attention_query, read_limit, write_position


class NotPossible(Exception):
    """The wish makes no sense as things stand; nothing was changed."""


# How each refusal is told over HTTP.
STATUS_OF: Mapping[type[Exception], int] = {InvalidMessage: 400, NotFound: 404, NotPossible: 409, Unavailable: 503}


class DecisionBody(BaseModel):
    """Approve or refuse a case, or report an event of it; exactly one of the two."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    decision: Decision | None = None
    event: str | None = Field(default=None, description="one of " + ", ".join(sorted(REPORTED_STEPS)))
    words: str = Field(default="", max_length=500)


def read_decision(body: str | bytes) -> DecisionBody:
    """Read a decision from JSON; InvalidMessage names the fields that are wrong, without quoting them.

    A name that is there twice is refused: which of two decisions is meant, nobody can tell.
    """
    read_json(body)
    try:
        return DecisionBody.model_validate_json(body)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, issue['loc'])) or 'body'}: {issue['msg']}" for issue in error.errors())
        raise InvalidMessage("; ".join(wrong)) from None


@dataclass(frozen=True)
class Ops:
    """The back office. InvalidMessage: what the URL names cannot be the id of a shop, an order or a case."""

    orders: Orders
    cases: Cases
    registry: Registry
    queues: Queues
    clock: Clock

    def order(self, shop: str, external_id: str) -> dict[str, object]:
        """One order with its timeline. NotFound where there is none."""
        return {"order": describe_order(self._load(shop, external_id).value)}

    def recent(self, /, shop: str = "", day: str | None = None, limit: str = "50", **others: str) -> dict[str, object]:
        """Orders of a shop received on a UTC day (today if not given), newest first.

        Raises:
            InvalidMessage: the query says something else, or nothing.
            NotFound: there is no such shop.
        """
        most = read_limit(limit, others)
        if not shop:
            raise InvalidMessage("which shop? add ?shop=…")
        check_shop(shop)
        if day is not None:
            check_day(day)
        self.registry.shop(shop)
        found = self.orders.recent(shop, day or self.clock.now().strftime("%Y-%m-%d"), most)
        return {"orders": [{"key": str(key), "received_at": at.isoformat()} for key, at in found]}

    def attention(
        self,
        /,
        kind: str | None = None,
        shop: str | None = None,
        after: str | None = None,
        limit: str = USUAL,
        **others: str,
    ) -> dict[str, object]:
        """Orders that need a person, the most urgent first, of equal urgency the newest first.

        Raises:
            InvalidMessage: the query says something else.
        """
        wanted = read_attention_query(ORDER_KINDS, kind, shop, after, read_limit(limit, others))
        page = self.orders.needing_attention(wanted)
        entries = [{"order": entry.name, **describe_attention(entry.attention)} for entry in page.entries]
        return {"attention": entries, **_next(page)}

    def open_cases(
        self,
        /,
        kind: str | None = None,
        shop: str | None = None,
        after: str | None = None,
        limit: str = USUAL,
        **others: str,
    ) -> dict[str, object]:
        """Cases that wait for a person, each with its order, in the same order.

        Raises:
            InvalidMessage: the query says something else.
        """
        wanted = read_attention_query(CASE_KINDS, kind, shop, after, read_limit(limit, others))
        page = self.cases.needing_attention(wanted)
        entries = [
            {"case": entry.name, "order": str(entry.order), **describe_attention(entry.attention)}
            for entry in page.entries
        ]
        return {"cases": entries, **_next(page)}

    def case(self, shop: str, case: str) -> dict[str, object]:
        """One case with its history. NotFound where there is none."""
        return {"case": describe_case(self._load_case(shop, case))}

    def release(self, shop: str, external_id: str, reason: str, by: str) -> None:
        """Ask for a hold to be released; the order then dispatches by itself.

        Raises:
            NotFound: there is no such order.
            NotPossible: it has no such hold.
        """
        order = self._load(shop, external_id).value
        held = max((hold for hold in order.holds if hold.kind == reason), key=lambda hold: hold.since, default=None)
        if held is None:
            raise NotPossible(
                f"the order has no hold {reason[:40]}; it has: {[str(hold.kind) for hold in order.holds]}"
            )
        wish = ReleaseHold(order=str(order.key), reason=held.kind, by=by, since=held.since)
        self.queues.send("inbox", wish.model_dump_json())

    def close_task(self, shop: str, external_id: str, kind: str, by: str) -> None:
        """Ask for the tasks of a kind to be closed: a person has seen to them.

        Raises:
            NotFound: there is no such order.
            NotPossible: it has no such task.
        """
        order = self._load(shop, external_id).value
        last = max((task for task in order.tasks if task.kind == kind), key=lambda task: task.since, default=None)
        if last is None:
            raise NotPossible(f"the order has no task {kind[:40]}; it has: {[str(task.kind) for task in order.tasks]}")
        wish = CloseTask(order=str(order.key), task=last.kind, by=by, since=last.since)
        self.queues.send("inbox", wish.model_dump_json())

    def dispatch(self, shop: str, external_id: str, by: str) -> None:
        """Ask for the order to be dispatched again.

        Raises:
            NotFound: there is no such order.
            NotPossible: there is nothing to dispatch, or a hold stands in the way.
        """
        order = self._load(shop, external_id).value
        if not order.needs_dispatch:
            why = (
                f"it is on hold: {[str(hold.kind) for hold in order.holds]}" if order.holds else f"it is {order.status}"
            )
            raise NotPossible(f"there is nothing to dispatch: {why}")
        self.queues.send("inbox", DispatchAgain(order=str(order.key), by=by).model_dump_json())

    def decide(self, shop: str, case: str, body: DecisionBody, by: str) -> None:
        """Approve or refuse a case, or report an event of it.

        Raises:
            NotFound: there is no such case.
            NotPossible: the case is not waiting for that.
        """
        found = self._load_case(shop, case)
        if (body.decision is None) == (body.event is None):
            raise NotPossible("say either a decision (approve, refuse) or an event")
        key, steps = f"{shop}#{case}", len(found.timeline)
        if body.decision is not None:
            if found.status != "OPEN":
                raise NotPossible(f"the case is {found.status} and waits for no decision")
            wish: DecideCase | TellCase = DecideCase(
                case=key, decision=body.decision, by=by, words=body.words, steps=steps
            )
        else:
            told = body.event or ""
            event = reported_step(told)
            if event is None or not AFTER_SALES_CASE.allows(found.status, event):
                raise NotPossible(f"'{told[:40]}' cannot happen to a case that is {found.status}")
            wish = TellCase(case=key, event=event, by=by, steps=steps)
        self.queues.send("after-sales", wish.model_dump_json())

    def _load(self, shop: str, external_id: str) -> Loaded[Order]:
        check_ids("an order", shop, external_id)
        loaded = self.orders.load(OrderKey(shop, external_id), fresh=True)
        if loaded is None:
            raise NotFound(f"no order {shop}#{external_id}")
        return loaded

    def _load_case(self, shop: str, case: str) -> Case:
        check_ids("a case", shop, case)
        loaded = self.cases.load(shop, case)
        if loaded is None:
            raise NotFound(f"no case {shop}#{case}")
        return loaded.value


def _next(page: AttentionPage) -> dict[str, str]:
    return {} if page.next is None else {"next": write_position(page.next)}


def describe_order(order: Order) -> dict[str, object]:
    """The order as the console shows it; no buyer's data is in it."""
    timeline = [
        {"at": event.at, "what": timeline_words.words(event), "about": timeline_words.about(event)}
        for event in order.timeline
    ]
    shown = order.model_dump(exclude={"recipient_digest", "due_for", "timeline"})
    shown |= {"timeline": timeline, "due": order.due}
    return {"key": str(order.key), **_shown(shown)}


def _shown(value: Any) -> Any:  # noqa: ANN401 - any part of a dumped model
    """A dumped model as JSON has it, with times as people read them."""
    match value:
        case dict():
            return {name: _shown(part) for name, part in value.items()}
        case list() | tuple():
            return [_shown(part) for part in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return value


def describe_attention(attention: Attention) -> dict[str, object]:
    """Why a person is needed, as lists show it; `kind` is the first of `kinds`, and `since` its time."""
    return {
        "kind": attention.kinds[0],
        "kinds": list(attention.kinds),
        "urgency": attention.urgency.name,
        "since": attention.since.isoformat(),
    }


def describe_case(case: Case) -> dict[str, object]:
    """The case as the console shows it."""
    timeline = [{"at": event.at, "what": event.kind, "about": event.by} for event in case.timeline]
    shown = case.model_dump(exclude={"task_token", "due_for", "timeline"}) | {"timeline": timeline}
    return {name: _shown(part) for name, part in shown.items()}
