"""After-sales: cases of refunds and returns, and their workflow."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from dropship.domain.deadlines import Deadlines
from dropship.domain.errors import IllegalTransition, InvalidMessage
from dropship.domain.exchange.marketplace import AfterSalesRequested
from dropship.domain.identity import CONNECTION_ID, EXTERNAL_ID, OrderKey
from dropship.domain.orders.withdrawal import conclude, withdraw
from dropship.domain.remedies.case import Case
from dropship.ports import Cases, Clock, Conflict, Orders, Registry, Unavailable, Workflows
from dropship.services.changing import change_case, change_order
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
    """Read `shop#case id`; InvalidMessage where it is not."""
    shop, _, case = text.partition("#")
    if not (CONNECTION_ID.fullmatch(shop) and EXTERNAL_ID.fullmatch(case)):
        raise InvalidMessage(f"not a case: {text[:100]!r}; expected 'shop#case id'")
    return shop, case


@dataclass(frozen=True)
class AfterSales:
    """Handles cases, and hands cancellations on. Every message may come again."""

    orders: Orders
    cases: Cases
    registry: Registry
    cancellation: Cancellation
    workflows: Workflows
    clock: Clock

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
                self._change(message.case, self._overdue)
            case DecideCase(decision=decision, by=by, words=words):
                self._act(
                    message, lambda case: case.decide(decision, by, words, self.clock.now(), self._deadlines(case))
                )
            case TellCase(event=event, by=by):
                self._act(message, lambda case: case.tell(event, by, self.clock.now(), self._deadlines(case)))

    def await_outcome(self, case_key: str, task_token: str) -> None:
        """The workflow waits for the case to end: remember how to answer it, and answer at once if it ended."""

        def remember(case: Case) -> None:
            case.task_token = task_token

        shop, case_id = parse_case(case_key)
        change_case(self.cases, shop, case_id, remember)
        self._examine(shop, case_id)

    def record(self, case_key: str) -> str:
        """See that the outcome of an ended case is in the order's remedy ledger; the case's status.

        A case that outlived the workflow's patience stays open, under its own clock.
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

    def _deadlines(self, case: Case) -> Deadlines:
        return self.registry.shop(case.shop).deadlines

    def _open(self, request: AfterSalesRequested) -> None:
        case = Case.open(request, self.clock.now(), self.registry.shop(request.shop).deadlines)
        if self.orders.load(request.order_key, fresh=True) is None:
            raise Unavailable(f"order {request.order_key} is not known yet")
        with suppress(Conflict):  # it is open already: this is a repeat
            self.cases.save(case, 0)
        self._examine(request.shop, case.id)
        self.workflows.start_case(request.shop, case.id)

    def _examine(self, shop: str, case_id: str) -> None:
        """See whether a refund can still be met by sending nothing, and answer the workflow of an ended case."""
        case = self._load(shop, case_id)
        if case.status == "OPEN" and case.kind == "refund":
            key = OrderKey(shop, case.order)
            order, outcome = change_order(
                self.orders, key, lambda order: withdraw(order, case_id, case.units, self.clock.now())
            )
            if outcome == "ASKED":
                self.cancellation.ask_suppliers(order)
                outcome = change_order(
                    self.orders, key, lambda order: withdraw(order, case_id, case.units, self.clock.now())
                )[1]
            if outcome == "DONE":
                case, _ = change_case(
                    self.cases,
                    shop,
                    case_id,
                    lambda case: case.withdrawn_in_time(self.clock.now(), self._deadlines(case)),
                )
        self._conclude(case)

    def _conclude(self, case: Case) -> None:
        """Carry the end of a case into the order's ledger, then let its workflow end."""
        if not case.finished:
            return
        change_order(
            self.orders,
            OrderKey(case.shop, case.order),
            lambda order: conclude(order, case.id, case.status, self.clock.now()),
        )
        if case.task_token:
            self.workflows.finish(case.task_token, {"status": case.status})

    def _check(self, key: OrderKey) -> None:
        """See to what an order's withdrawals still wait for: the suppliers first, then the cases they may end."""
        for remedy in self.cancellation.check(key).remedies:
            if self.cases.load(key.shop, remedy.case) is not None:
                self._examine(key.shop, remedy.case)

    def _overdue(self, case: Case) -> None:
        case.overdue(self.clock.now(), self._deadlines(case))

    def _act(self, wish: DecideCase | TellCase, change: Callable[[Case], None]) -> None:
        """Do what a person wants of a case, if it still is as they saw it: states come again, decisions do not."""

        def act(case: Case) -> None:
            if wish.steps is None or wish.steps == len(case.timeline):
                change(case)

        self._change(wish.case, act)

    def _change(self, case_key: str, change: Callable[[Case], object]) -> None:
        shop, case_id = parse_case(case_key)
        try:
            case, _ = change_case(self.cases, shop, case_id, change)
        except IllegalTransition:
            case = self._load(shop, case_id)  # decided already: a repeat, or too late
        self._conclude(case)
