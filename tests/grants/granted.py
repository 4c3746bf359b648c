"""The template's grants, and which of them AWS itself uses on behalf of a role."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from tests.support.template_document import FUNCTIONS, QUEUES, TABLES, WORKFLOWS, events, folder, grants, target
from tests.support.template_document import grants_on_condition as conditional


class Grant(NamedTuple):
    """One action on one resource (as the template names it) that one function or workflow may do."""

    holder: str
    action: str
    resource: str


LOGS = "Lambda writes what the function prints into its log group"
POLLS = "Lambda takes the messages of the queue and deletes those that are done"
STARTS = "Step Functions starts the functions of the definition"
DELIVERS = "Step Functions makes the delivery of an EXPRESS workflow's log"
FAILED = "Lambda sets aside an event that a schedule sent and no try could do"


def reason(grant: Grant) -> str:
    """Why no call of ours uses the grant; empty where a call of ours has to use it.

    Such grants are checked in another way: tests/template checks that nothing else of the kind is granted, and that
    they are granted only for the function's own log group, queue, definition and destination.
    """
    match grant.action:
        case "logs:CreateLogStream" | "logs:PutLogEvents":
            return LOGS
        case "sqs:ReceiveMessage" | "sqs:DeleteMessage" | "sqs:GetQueueAttributes":
            return POLLS
        case "lambda:InvokeFunction" if grant.holder in WORKFLOWS:
            return STARTS
        case "sqs:SendMessage" if grant.resource in destinations(grant.holder):
            return FAILED
        case action if action.startswith("logs:") and grant.holder in WORKFLOWS:
            return DELIVERS
    return ""


def destinations(holder: str) -> set[str]:
    """The queues to which Lambda sends events that a function could not handle, by logical id."""
    names = [name for name in FUNCTIONS if folder(name) == holder]
    configs = [FUNCTIONS[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}) for name in names]
    return {target(end["Destination"]) for config in configs for end in config.values()}


def all_grants() -> Iterator[Grant]:
    """Every grant of every role; functions are named by their folder, workflows by their logical id."""
    for name, properties in FUNCTIONS.items():
        yield from (Grant(folder(name), *pair) for pair in grants(target(properties["Role"])))
    for name, properties in WORKFLOWS.items():
        yield from (Grant(name, *pair) for pair in grants(target(properties["Role"])))


def grants_on_condition() -> set[Grant]:
    """Grants that are deployed only where a parameter asks for them."""
    return {
        Grant(folder(name), *pair)
        for name, properties in FUNCTIONS.items()
        for pair in conditional(target(properties["Role"]))
    }


@cache
def own_grants() -> list[Grant]:
    """Grants that our own calls use."""
    return sorted({grant for grant in all_grants() if not reason(grant)})


def expected_of_the_service(function: str) -> set[Grant]:
    """The grants that AWS needs to run a function with its settings."""
    holder, group = folder(function), target(FUNCTIONS[function]["LoggingConfig"]["LogGroup"])
    needed = {Grant(holder, f"logs:{action}", group) for action in ("CreateLogStream", "PutLogEvents")}
    for trigger in events(function, "SQS"):
        queue = target(trigger["Queue"])
        needed |= {
            Grant(holder, f"sqs:{act}", queue) for act in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        }
    needed |= {Grant(holder, "sqs:SendMessage", queue) for queue in destinations(holder)}
    return needed


@dataclass(frozen=True)
class Deployment:
    """A deployment of the template; `values` belong to logical ids: names, queue URLs, ARNs of workflows."""

    account: str
    region: str
    stage: str
    values: Mapping[str, str]

    def named(self, service: str, name: str) -> str:
        """The ARN of one of our own resources."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{name}"

    def arn(self, resource: str) -> str:
        """The ARN, or the pattern of ARNs, of a resource that a grant names."""
        if resource in TABLES:
            return self.named("dynamodb", f"table/{self.values[resource]}")
        if resource in QUEUES:
            return self.named("sqs", self.values[resource].rsplit("/", 1)[1])
        if resource in WORKFLOWS:
            return self.values[resource]
        for name, workflow in WORKFLOWS.items():  # a grant names it by text where a reference would be circular
            if "Name" in workflow and resource.endswith(f":stateMachine:{workflow['Name']['Fn::Sub']}"):
                return self.values[name]
        pseudo = {"AWS::Partition": "aws", "AWS::Region": self.region, "AWS::AccountId": self.account}
        pseudo["Stage"] = self.stage
        with_arns = re.sub(r"\$\{(\w+)\.Arn\}", lambda match: self.arn(match[1]), resource)
        return re.sub(r"\$\{([\w:]+)\}", lambda match: pseudo[match[1]], with_arns)

    def covering(self, holder: str, action: str, resource: str) -> set[Grant]:
        """The grants that allow a function an action on the resource with this ARN."""
        return {
            grant
            for grant in own_grants()
            if (grant.holder, grant.action) == (holder, action) and fnmatchcase(resource, self.arn(grant.resource))
        }
