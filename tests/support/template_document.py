"""The deployment template as data: CloudFormation's short tags are read as the long form. With look-ups for tests."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")
Properties = dict[str, Any]


class CloudFormationLoader(yaml.SafeLoader):
    """YAML with `!Ref`, `!GetAtt a.b`, `!Sub` and the other intrinsic functions."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


CloudFormationLoader.add_multi_constructor("!", _intrinsic)

TEMPLATE: dict[str, Any] = yaml.load(TEXT, Loader=CloudFormationLoader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Properties]:
    """Properties of every resource of a type, by logical id."""
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = {name: queue for name, queue in of_type("AWS::SQS::Queue").items() if "RedrivePolicy" in queue}
TABLES = of_type("AWS::DynamoDB::Table")
ALARMS = of_type("AWS::CloudWatch::Alarm")
WORKFLOWS = of_type("AWS::Serverless::StateMachine")


def folder(function: str) -> str:
    """The folder of a function's code below `functions/`."""
    return Path(FUNCTIONS[function]["CodeUri"]).name


def setting(function: str, name: str) -> Any:
    """A function's property, or the default from Globals."""
    return FUNCTIONS[function].get(name, TEMPLATE["Globals"]["Function"].get(name))


def environment(function: str) -> Properties:
    """A function's environment with the defaults from Globals."""
    defaults: Properties = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return defaults | FUNCTIONS[function]["Environment"]["Variables"]


def events(function: str, kind: str) -> list[Properties]:
    """The function's triggers of one kind."""
    triggers = FUNCTIONS[function].get("Events", {}).values()
    return [trigger["Properties"] for trigger in triggers if trigger["Type"] == kind]


def target(value: Any) -> str:
    """What a reference points to: a logical id, or the text of a Sub."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return str(value["Ref"])
    if "Fn::GetAtt" in value:
        return str(value["Fn::GetAtt"][0])
    return str(value["Fn::Sub"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def on_condition(role: str) -> Iterator[dict[str, Any]]:
    """Policies outside the role, which are deployed only where a parameter asks for them."""
    for resource in RESOURCES.values():
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]:
            assert "Condition" in resource, "what is always granted stands in the role"
            yield resource["Properties"]


def grants(role: str) -> Iterator[tuple[str, str]]:
    """Every (action, resource) that a role may use; both branches of a condition are included."""
    yield from _granted(RESOURCES[role]["Properties"]["Policies"])
    yield from _granted(on_condition(role))


def grants_on_condition(role: str) -> set[tuple[str, str]]:
    """Every (action, resource) of a role that exists only where a parameter asks for it."""
    return set(_granted(on_condition(role)))


def _granted(policies: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for policy in policies:
        for entry in policy["PolicyDocument"]["Statement"]:
            choices = entry["Fn::If"][1:] if "Fn::If" in entry else [entry]
            for statement in (choice for choice in choices if "Effect" in choice):
                for action in as_list(statement["Action"]):
                    for resource in as_list(statement["Resource"]):
                        yield action, target(resource)


def function_grants(function: str) -> set[tuple[str, str]]:
    return set(grants(target(FUNCTIONS[function]["Role"])))


def holders(action: str, resource: str | None = None) -> set[str]:
    """Folders of the functions that may do an action (on one resource, if named)."""
    return {
        folder(name)
        for name in FUNCTIONS
        if any(a == action and resource in {None, r} for a, r in function_grants(name))
    }
