"""The template's grants, and which of them AWS itself uses in a role's name."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.template.document import FUNCTIONS, WORKFLOWS, environment, events, folder, grants, target


class Grant(NamedTuple):
    """One action on one resource, as the template names it, that one function or workflow may do."""

    holder: str
    action: str
    resource: str


LOGS = "Lambda writes what the function prints into its log group"
POLLS = "Lambda takes the messages of the queue and deletes those that are done"
STARTS = "Step Functions starts the functions of the definition"
DELIVERS = "Step Functions makes the delivery of an EXPRESS workflow's log"
FAILED = "Lambda sets aside an event that a schedule sent and no try could do"


def reason(grant: Grant) -> str:
    """Why no call of ours shows the grant; empty where one has to.

    What is exempted here is checked another way: tests/template sees that nothing else of the kind is granted, and that
    it is granted for the function's own log group, queue, definition and destination alone.
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
    """Where Lambda sends what a function could not do; logical ids of queues."""
    names = [name for name in FUNCTIONS if folder(name) == holder]
    configs = [FUNCTIONS[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}) for name in names]
    return {target(end["Destination"]) for config in configs for end in config.values()}


def all_grants() -> Iterator[Grant]:
    """Every grant of every role; functions are named by their folder, workflows by their logical id."""
    for name, properties in FUNCTIONS.items():
        yield from (Grant(folder(name), *pair) for pair in grants(target(properties["Role"])))
    for name, properties in WORKFLOWS.items():
        yield from (Grant(name, *pair) for pair in grants(target(properties["Role"])))


def own_grants() -> list[Grant]:
    """Grants that our own calls use."""
    return sorted({grant for grant in all_grants() if not reason(grant)})


def expected_of_the_service(function: str) -> set[Grant]:
    """What AWS needs to run a function, by the function's own settings."""
    holder, group = folder(function), target(FUNCTIONS[function]["LoggingConfig"]["LogGroup"])
    needed = {Grant(holder, f"logs:{action}", group) for action in ("CreateLogStream", "PutLogEvents")}
    for trigger in events(function, "SQS"):
        queue = target(trigger["Queue"])
        needed |= {
            Grant(holder, f"sqs:{act}", queue) for act in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        }
    needed |= {Grant(holder, "sqs:SendMessage", queue) for queue in destinations(holder)}
    return needed


def queue_urls(function: str) -> set[str]:
    """Queues that a function is told the address of; logical ids."""
    return {target(value) for name, value in environment(function).items() if name.endswith("_QUEUE_URL")}
