"""IAM in this process: a call of a function that no grant of its role covers is answered with AccessDenied."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.faults.world import ACCOUNT, REGION
from tests.functions.lambdas import STAGE, Function
from tests.grants.granted import Grant, own_grants
from tests.template.document import QUEUES, ROOT, TABLES, WORKFLOWS

_ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
_PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "Stage": STAGE}
_AS_ONE = {"SendMessageBatch": "SendMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"}
"""Operations that IAM knows under the name of another."""


def arn(resource: str, values: Mapping[str, str]) -> str:
    """The ARN, or pattern of ARNs, of a resource as the template names it; `values` are those of logical ids."""
    if resource in TABLES:
        return _ARN.format("dynamodb", f"table/{values[resource]}")
    if resource in QUEUES:
        return _ARN.format("sqs", values[resource].rsplit("/", 1)[1])
    if resource in WORKFLOWS:
        return values[resource]
    for name, workflow in WORKFLOWS.items():  # named by its text where a reference would be a circle
        if "Name" in workflow and resource.endswith(f":stateMachine:{workflow['Name']['Fn::Sub']}"):
            return values[name]
    with_arns = re.sub(r"\$\{(\w+)\.Arn\}", lambda match: arn(match[1], values), resource)
    return re.sub(r"\$\{([\w:]+)\}", lambda match: _PSEUDO[match[1]], with_arns)


def asked(client: BaseClient, operation: str, parameters: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    """ARNs of the resources that a call is about.

    Raises:
        NotImplementedError: a call of a kind that no function of ours made so far; say here what it is about.
    """
    match client.meta.service_model.signing_name, operation:
        case "dynamodb", _ if "TableName" in parameters:
            table = _ARN.format("dynamodb", f"table/{parameters['TableName']}")
            return [f"{table}/index/{parameters['IndexName']}" if "IndexName" in parameters else table]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            return [_ARN.format("dynamodb", f"table/{table}") for table in parameters["RequestItems"]]
        case "sqs", _:
            return [_ARN.format("sqs", parameters["QueueUrl"].rsplit("/", 1)[1])]
        case "ssm", "GetParameter":
            return [_ARN.format("ssm", f"parameter{parameters['Name']}")]
        case "states", "StartExecution":
            return [parameters["stateMachineArn"]]
        case "states", "SendTaskSuccess":
            waiting = [name for name, workflow in WORKFLOWS.items() if _waits(workflow)]
            return [values[name] for name in waiting]
    raise NotImplementedError(f"{client.meta.service_model.signing_name}:{operation}")


def _waits(workflow: Mapping[str, Any]) -> bool:
    return ".waitForTaskToken" in (ROOT / workflow["DefinitionUri"]).read_text(encoding="utf-8")


@dataclass
class Gate:
    """What stands before every call of a function: the template's grants without one."""

    values: Mapping[str, str]
    without: Grant | None = None
    used: set[Grant] = field(default_factory=set)
    denied: list[str] = field(default_factory=list)
    _running: str = ""

    def check(self, client: BaseClient, operation: str, parameters: Mapping[str, Any]) -> None:
        """Let a call pass; ClientError where no grant covers it. What no function calls passes."""
        if not self._running:
            return
        action = f"{client.meta.service_model.signing_name}:{_AS_ONE.get(operation, operation)}"
        for resource in asked(client, operation, parameters, self.values):
            covering = {
                grant
                for grant in _GRANTS
                if grant != self.without
                and (grant.holder, grant.action) == (self._running, action)
                and fnmatchcase(resource, arn(grant.resource, self.values))
            }
            self.used |= covering
            if not covering:
                self.denied.append(f"{self._running}: {action} on {resource}")
                error = {"Code": "AccessDeniedException", "Message": f"not authorized to perform {action}"}
                raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation)  # type: ignore[typeddict-item]

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """While this lasts, functions have only what they are granted."""
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


_GRANTS = own_grants()
