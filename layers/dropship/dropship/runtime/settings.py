"""Settings: environment variables, each read when it is needed, so that a function needs only those it uses."""

import os
from collections.abc import Mapping


class InvalidSetting(Exception):
    """An environment variable is missing or has a wrong value. Correct the function's environment in template.yaml."""


class Settings:
    """The function's environment, typed. Reading a setting that is missing raises InvalidSetting."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    @property
    def stage(self) -> str:
        """The installation's name."""
        return self._read("STAGE")

    @property
    def orders_table(self) -> str:
        """The table of orders and waybills."""
        return self._read("ORDERS_TABLE")

    @property
    def cases_table(self) -> str:
        """The table of after-sales cases."""
        return self._read("CASES_TABLE")

    @property
    def registry_table(self) -> str:
        """The table of connections and offers."""
        return self._read("REGISTRY_TABLE")

    @property
    def fulfilment_workflow_arn(self) -> str:
        """The state machine `order_fulfilment`."""
        return self._read("FULFILMENT_WORKFLOW_ARN")

    @property
    def case_workflow_arn(self) -> str:
        """The state machine `after_sales_case`."""
        return self._read("CASE_WORKFLOW_ARN")

    @property
    def secrets_prefix(self) -> str:
        """What the names of all secrets begin with, e.g. `/daifa/prod`."""
        return self._read("SECRETS_PREFIX")

    @property
    def allow_private_addresses(self) -> bool:
        """Whether partners may have private addresses and plain HTTP; true only in the local stage."""
        text = self._environment.get("ALLOW_PRIVATE_ADDRESSES", "false")
        if text not in {"true", "false"}:
            raise InvalidSetting(f"ALLOW_PRIVATE_ADDRESSES is {text[:20]!r}; expected 'true' or 'false'")
        return text == "true"

    @property
    def retry_base_s(self) -> float:
        """Seconds until a failed message is tried again the first time; each further wait is four times as long."""
        text = self._environment.get("RETRY_BASE_S", "5")
        try:
            return float(text)
        except ValueError:
            raise InvalidSetting(f"RETRY_BASE_S is {text[:20]!r}; expected a number of seconds") from None

    def queue_url(self, queue: str) -> str:
        """The URL of a queue by its name: `supplier-events` is in SUPPLIER_EVENTS_QUEUE_URL."""
        return self._read(f"{queue.upper().replace('-', '_')}_QUEUE_URL")

    def _read(self, name: str) -> str:
        value = self._environment.get(name, "")
        if not value:
            raise InvalidSetting(f"the environment variable {name} is not set")
        return value
