"""The ports of one function, each made at its first use, so that a cold start loads only what is needed."""

import logging
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger

from .settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from dropship.ports import Cases, Clock, Http, Orders, Queues, Registry, Secrets, Suppliers, Workflows
    from dropship.services.changing import Moments
    from dropship.services.partner_calls import PartnerCalls


AT_ONCE = 25
"""How many calls to partners one function waits for at the same time."""
_TALKATIVE = ("botocore", "boto3", "urllib3")
"""Libraries that log whole requests, with buyers' data and secrets, if Lambda's log level is DEBUG."""


class Application:
    """All ports of one Lambda function. Each is made when it is first needed, and kept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.settings = Settings()
        self.logger = Logger(location=None, xray_trace_id=None)  # both fields are long and not used here
        self._counting = Lock()
        for library in _TALKATIVE:
            logging.getLogger(library).setLevel(logging.WARNING)

    @cached_property
    def threads(self) -> "Executor":
        """Threads that wait for partners. They are kept, because starting them takes longer than their work."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(AT_ONCE)

    @cached_property
    def clock(self) -> "Clock":
        """The system's clock."""
        from dropship.adapters.system_clock import SystemClock

        return SystemClock()

    @property
    def moments(self) -> "Moments":
        """What time it is, with the deadlines of a shop. Never kept, as `partners`."""
        from dropship.services.changing import Moments

        return Moments(self.registry, self.clock)

    @cached_property
    def orders(self) -> "Orders":
        """The Orders table."""
        from dropship.adapters.dynamodb_items import ItemTable
        from dropship.adapters.dynamodb_orders import DynamoOrders

        from .metrics import count_events

        return DynamoOrders(ItemTable(self.settings.orders_table), partial(count_events, self.count))

    @cached_property
    def cases(self) -> "Cases":
        """The Cases table."""
        from dropship.adapters.dynamodb_cases import DynamoCases
        from dropship.adapters.dynamodb_items import ItemTable

        return DynamoCases(ItemTable(self.settings.cases_table))

    @cached_property
    def registry(self) -> "Registry":
        """The Registry table, cached."""
        from dropship.adapters.dynamodb_registry import DynamoRegistry

        return DynamoRegistry(self.settings.registry_table)

    @cached_property
    def queues(self) -> "Queues":
        """The queues."""
        from dropship.adapters.sqs import SqsQueues

        return SqsQueues(self.settings.queue_url)

    @cached_property
    def workflows(self) -> "Workflows":
        """The workflows."""
        from dropship.adapters.step_functions import StepFunctionsWorkflows

        return StepFunctionsWorkflows(self.settings)

    @cached_property
    def secrets(self) -> "Secrets":
        """The secrets, cached."""
        from dropship.adapters.ssm import SsmSecrets

        return SsmSecrets(self.settings.secrets_prefix)

    @cached_property
    def http(self) -> "Http":
        """HTTP requests to partners."""
        from dropship.adapters.http import PartnerHttp

        return PartnerHttp(allow_private_addresses=self.settings.allow_private_addresses)

    @property
    def partners(self) -> "PartnerCalls":
        """Calls to partners, with their credentials. Made new each time, so that it uses the current ports."""
        from dropship.services.partner_calls import PartnerCalls

        return PartnerCalls(self.http, self.secrets, self.clock)

    @cached_property
    def suppliers(self) -> "Suppliers":
        """The suppliers, each reached through its docking."""
        from dropship.services.docking import Dockings

        return Dockings(self)

    def count(self, metric: str, **about: str) -> None:
        """Count one occurrence of a metric in the namespace of the deployment; `about` is extra data for people."""
        from aws_lambda_powertools.metrics import MetricUnit, single_metric

        with self._counting, single_metric(name=metric, unit=MetricUnit.Count, value=1) as occurrence:
            occurrence.add_dimension(name="service", value=f"daifa-{self.settings.stage}")
            for name, value in about.items():
                occurrence.add_metadata(key=name, value=value)
