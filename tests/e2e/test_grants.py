"""With IAM enforced: functions used only what the template grants, and the run used everything that it grants."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.world import World
from tests.grants.granted import Deployment, Grant, grants_on_condition, own_grants
from tools.local.emulator import access_record

pytestmark = [
    pytest.mark.afterwards,
    pytest.mark.skipif(os.environ.get("AUTH") != "true", reason="without IAM the emulator does not know who calls"),
]


@pytest.fixture(scope="module")
def deployment(world: World) -> Deployment:
    stack = world.stack
    values = {name.removesuffix("Url").removesuffix("Arn"): value for name, value in stack.outputs.items()}
    return Deployment(stack.account, stack.region, "local", values)


@pytest.fixture(scope="module")
def calls(world: World) -> list[dict[str, str]]:
    """Every different call that functions made, with the function named by its folder."""
    rows = [json.loads(line) for line in access_record(Path(world.stack.directory)).read_text().splitlines()]
    prefix = f"{world.stack_name}-"
    return [row | {"function": row["function"].removeprefix(prefix).replace("-", "_")} for row in rows]


def test_nothing_was_asked_for_that_is_not_granted(calls, deployment):
    assert len({row["function"] for row in calls}) == 11, "every function called AWS"
    assert [row for row in calls if not row["allowed"]] == []
    asked = [(row["function"], row["action"], row["resource"]) for row in calls]
    assert [one for one in asked if not deployment.covering(*one)] == []


def test_everything_that_is_granted_was_asked_for(calls, deployment):
    used: set[Grant] = set()
    for row in calls:
        used |= deployment.covering(row["function"], row["action"], row["resource"])
    assert sorted(set(own_grants()) - grants_on_condition() - used) == []
