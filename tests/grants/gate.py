"""IAM in this process: if no grant of a function's role covers a call, the answer is AccessDenied."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.faults.world import ACCOUNT, REGION
from tests.grants.granted import Deployment, Grant
from tests.support.lambdas import STAGE, Function
from tests.support.template_document import ROOT, WORKFLOWS

_AS_ONE = {"SendMessageBatch": "SendMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"}
"""Operations that IAM treats as another operation."""


def asked(client: BaseClient, operation: str, parameters: Mapping[str, Any], deployed: Deployment) -> list[str]:
    """ARNs of the resources that a call is about.

    Raises:
        NotImplementedError: no function made this kind of call so far; add here which resources it is about.
    """
    match client.meta.service_model.signing_name, operation:
        case "dynamodb", _ if "TableName" in parameters:
            table = deployed.named("dynamodb", f"table/{parameters['TableName']}")
            return [f"{table}/index/{parameters['IndexName']}" if "IndexName" in parameters else table]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            return [deployed.named("dynamodb", f"table/{table}") for table in parameters["RequestItems"]]
        case "sqs", _:
            return [deployed.named("sqs", parameters["QueueUrl"].rsplit("/", 1)[1])]
        case "ssm", "GetParameter" | "PutParameter":
            return [deployed.named("ssm", f"parameter{parameters['Name']}")]
        case "states", "StartExecution":
            return [parameters["stateMachineArn"]]
        case "states", "SendTaskSuccess":
            waiting = [name for name, workflow in WORKFLOWS.items() if _waits(workflow)]
            return [deployed.values[name] for name in waiting]
    raise NotImplementedError(f"{client.meta.service_model.signing_name}:{operation}")


def _waits(workflow: Mapping[str, Any]) -> bool:
    return ".waitForTaskToken" in (ROOT / workflow["DefinitionUri"]).read_text(encoding="utf-8")


@dataclass
class Gate:
    """Checks every call of a function against the template's grants, of which one (`without`) is left out."""

    values: Mapping[str, str]
    without: Grant | None = None
    used: set[Grant] = field(default_factory=set)
    denied: list[str] = field(default_factory=list)
    _running: str = ""

    def check(self, client: BaseClient, operation: str, parameters: Mapping[str, Any]) -> None:
        """Let a call pass; ClientError where no grant covers it. Calls from outside a function always pass."""
        if not self._running:
            return
        deployed = Deployment(ACCOUNT, REGION, STAGE, self.values)
        action = f"{client.meta.service_model.signing_name}:{_AS_ONE.get(operation, operation)}"
        for resource in asked(client, operation, parameters, deployed):
            covering = deployed.covering(self._running, action, resource) - {self.without}
            self.used |= covering
            if not covering:
                self.denied.append(f"{self._running}: {action} on {resource}")
                error = {"Code": "AccessDeniedException", "Message": f"not authorized to perform {action}"}
                raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation)

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """In this context functions can do only what they are granted."""
        call, run = BaseClient._make_api_call, Function.__call__

        def checked(client: BaseClient, operation: str, parameters: Mapping[str, Any]) -> Any:
            self.check(client, operation, parameters)
            return call(client, operation, parameters)

        def tagged(function: Function, event: object) -> Any:
            before, self._running = self._running, function.name
            try:
                return run(function, event)
            finally:
                self._running = before

        with patch.object(BaseClient, "_make_api_call", checked), patch.object(Function, "__call__", tagged):
            yield
