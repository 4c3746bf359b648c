"""Workflow executions in memory."""

from collections.abc import Mapping

from dropship.domain.identity import OrderKey
from dropship.domain.orders.unrouted import Unrouted


class FakeWorkflows:
    """`ports.Workflows`. An execution with the name of an earlier one is not started again."""

    def __init__(self) -> None:
        self.fulfilments: dict[str, dict[str, str]] = {}
        """Inputs of `order_fulfilment` by name, without `unrouted`: the plan uses that instead of reading the order."""
        self.unrouted: dict[str, Unrouted | None] = {}
        self.cases: list[str] = []
        """Cases (`shop#case id`) with an execution of `after_sales_case`."""
        self.finished: dict[str, dict[str, str]] = {}
        """First answers by task token."""

    def start_fulfilment(self, order: OrderKey, name: str, reason: str, unrouted: Unrouted | None = None) -> None:
        self.fulfilments.setdefault(name, {"order": str(order), "reason": reason})
        self.unrouted.setdefault(name, unrouted)

    def start_case(self, shop: str, case: str) -> None:
        if f"{shop}#{case}" not in self.cases:
            self.cases.append(f"{shop}#{case}")

    def finish(self, task_token: str, output: Mapping[str, str]) -> None:
        self.finished.setdefault(task_token, dict(output))
