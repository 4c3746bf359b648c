"""After-sales: cases of refunds and returns, and their workflow."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from dropship.domain.deadlines import Moment
from dropship.domain.errors import IllegalTransition, InvalidMessage
from dropship.domain.exchange.marketplace import AfterSalesRequested
from dropship.domain.identity import CONNECTION_ID, EXTERNAL_ID, OrderKey
from dropship.domain.orders.withdrawal import conclude, to_ask, withdraw
from dropship.domain.remedies.case import Case
from dropship.domain.remedies.lifecycle import CaseStatus
from dropship.ports import Cases, Conflict, Orders, Unavailable, Workflows
from dropship.services.changing import Moments, change_case, change_order, save_new_case
from dropship.services.messages import (
    AfterSalesMessage,
    CancelOrder,
    CaseDue,
    CheckWithdrawals,
    DecideCase,
    OpenCase,
    TellCase,
)
from dropship.services.purchasing.cancellation import Cancellation


def parse_case(text: str) -> tuple[str, str]:
    """Read `shop#case id`; raise InvalidMessage if the text has another form."""
    shop, _, case = text.partition("#")
    if not (CONNECTION_ID.fullmatch(shop) and EXTERNAL_ID.fullmatch(case)):
        raise InvalidMessage(f"not a case: {text[:100]!r}; expected 'shop#case id'")
    return shop, case


@dataclass(frozen=True)
class AfterSales:
    """Handles cases, and passes cancellations on. Every message may come again."""

    orders: Orders
    cases: Cases
    cancellation: Cancellation
    workflows: Workflows
    moments: Moments

    def handle(self, message: AfterSalesMessage) -> None:
        """Handle one message of the after-sales queue."""
        match message:
            case OpenCase(request=request):
                self._open(request)
            case CancelOrder():
                self.cancellation.cancel(OrderKey.parse(message.order))
            case CheckWithdrawals():
                self._check(OrderKey.parse(message.order))
            case CaseDue():
                self._change(message.case, lambda case, moment: case.overdue(moment))
            case DecideCase(decision=decision, by=by, words=words):
                self._act(message, lambda case, moment: case.decide(decision, by, words, moment))
            case TellCase(event=event, by=by):
                self._act(message, lambda case, moment: case.tell(event, by, moment))

    def await_outcome(self, case_key: str, task_token: str) -> None:
        """The workflow waits for the case to end: keep its task token, and answer at once if the case has ended."""
        shop, case_id = parse_case(case_key)
        change_case(self.cases, shop, case_id, self.moments, lambda case, _: case.remember_workflow(task_token))
        self._examine(shop, case_id)

    def record(self, case_key: str) -> CaseStatus:
        """Make sure the outcome of an ended case is in the order's remedy ledger, and return the case's status.

        A case may still be open when the workflow has stopped waiting. It stays open, and its own clock goes on.
        """
        shop, case_id = parse_case(case_key)
        case = self._load(shop, case_id)
        self._conclude(case)
        return case.status

    def _load(self, shop: str, case_id: str) -> Case:
        loaded = self.cases.load(shop, case_id)
        if loaded is None:
            raise Unavailable(f"case {shop}#{case_id} is not known yet")
        return loaded.value

    def _open(self, request: AfterSalesRequested) -> None:
        moment = self.moments.of(request.shop)
        case = Case.open(request, moment)
        if self.orders.load(request.order_key, fresh=True) is None:
            raise Unavailable(f"order {request.order_key} is not known yet")
        with suppress(Conflict):  # the case was opened before: this is a repeat
            save_new_case(self.cases, case, moment)
        self._examine(request.shop, case.id)
        self.workflows.start_case(request.shop, case.id)

    def _examine(self, shop: str, case_id: str) -> None:
        """Check whether a refund can be settled by not sending the goods, and answer the workflow of an ended case."""
        case = self._load(shop, case_id)
        if case.status == "OPEN" and case.kind == "refund":
            key = OrderKey(shop, case.order)
            order, outcome = change_order(
                self.orders, key, self.moments, lambda order, moment: withdraw(order, case_id, case.units, moment)
            )
            if to_ask(order):
                self.cancellation.ask_suppliers(order)
                outcome = change_order(
                    self.orders, key, self.moments, lambda order, moment: withdraw(order, case_id, case.units, moment)
                )[1]
            if outcome == "DONE":
                case, _ = change_case(
                    self.cases,
                    shop,
                    case_id,
                    self.moments,
                    lambda case, moment: case.withdrawn_in_time(moment),
                )
        self._conclude(case)

    def _conclude(self, case: Case) -> None:
        """If the case has ended, write its outcome into the order's remedy ledger, then let its workflow end."""
        if not case.finished:
            return
        change_order(
            self.orders,
            OrderKey(case.shop, case.order),
            self.moments,
            lambda order, moment: conclude(order, case.id, case.outcome, moment),
        )
        if case.task_token:
            self.workflows.finish(case.task_token, {"status": case.status})

    def _check(self, key: OrderKey) -> None:
        """Ask the suppliers that an order's withdrawals wait for, then check the cases that their answers may end."""
        for remedy in self.cancellation.check(key).remedies:
            if self.cases.load(key.shop, remedy.case) is not None:
                self._examine(key.shop, remedy.case)

    def _act(self, wish: DecideCase | TellCase, change: Callable[[Case, Moment], None]) -> None:
        """Do what a person asked for, if the case has not changed since they saw it.

        The history is compared, not the state: a case may return to an earlier state, but the decision was not
        about that.
        """

        def act(case: Case, moment: Moment) -> None:
            if wish.steps is None or wish.steps == len(case.timeline):
                change(case, moment)

        self._change(wish.case, act)

    def _change(self, case_key: str, change: Callable[[Case, Moment], object]) -> None:
        shop, case_id = parse_case(case_key)
        try:
            case, _ = change_case(self.cases, shop, case_id, self.moments, change)
        except IllegalTransition:
            case = self._load(shop, case_id)  # it was decided before: this is a repeat, or it comes too late
        self._conclude(case)
