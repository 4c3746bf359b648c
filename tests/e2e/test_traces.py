"""What the whole run left behind: no buyer's data, no secret, no signature; nothing lost."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World, eventually
from tests.support.template_document import FUNCTIONS
from tools.local.sandbox.examples import payload

pytestmark = pytest.mark.afterwards


@pytest.fixture(scope="module")
def forbidden(world: World) -> list[str]:
    """All texts of buyers and partners that must not appear in any trace."""
    order = payload("orders_paid")
    address = order["shipping_address"]
    buyers = [address["name"], address["address1"], address["phone"], address["city"], order["email"]]
    secrets = json.loads(Path(world.stack.directory, "secrets.json").read_text())
    texts = list(_leaves(secrets))
    signatures = [
        value
        for record in world.sandbox.records(direction="sent")
        for name, value in record["headers"].items()
        if "hmac" in name.lower() or "signature" in name.lower()
    ]
    assert len(signatures) > 10
    assert all(len(text) >= 8 for text in buyers)
    return [*buyers, *texts, *signatures, world.stack.ops_token()]


def _leaves(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    elif isinstance(node, str) and len(node) >= 8:
        yield node


def test_no_log_line_holds_a_buyers_data_a_secret_or_a_signature(world: World, forbidden):
    lines = world.stack.function_logs()
    assert len(lines) > 200
    assert len({line.function for line in lines}) == len(FUNCTIONS), "every function ran"
    found = {(line.function, text) for line in lines for text in forbidden if text in line.text}
    assert found == set()


def test_no_execution_input_holds_a_buyers_data_or_a_secret(world: World, forbidden):
    client = world.stack.client("stepfunctions")
    inputs = []
    for workflow in ("Fulfilment", "Case"):
        for execution in world.executions(workflow, ""):
            seen = client.describe_execution(executionArn=execution["executionArn"])
            inputs.append(seen.get("input", "") + seen.get("output", ""))
    assert len(inputs) > 30
    assert [text for text in forbidden if any(text in one for one in inputs)] == []


@pytest.mark.without_iam
def test_nothing_is_left_in_a_queue_and_only_what_can_never_be_done_is_set_aside(world: World):
    names = [output.removesuffix("Url") for output in world.stack.queues]
    aside = [name for name in names if name.endswith("DeadLetters")]
    busy = [name for name in names if name not in aside]
    world.quiet(*busy, patience_s=200)  # a message may come again after a lease, or after a visibility timeout
    assert +Counter({name: world.depth(name) for name in aside}) == world.dead_letters


@pytest.mark.without_iam
def test_of_what_was_refused_or_set_aside_nothing_is_kept(world: World):
    assert world.refused
    assert [(shop, order["id"]) for shop, order in world.refused if world.order(order, shop) is not None] == []


@pytest.mark.parametrize(("function", "said"), [("deadline-sweep", "sweep"), ("tracking-schedule", "poll round")])
def test_a_schedule_starts_its_function(world: World, function, said):
    def runs() -> list[str]:
        return [line.text for line in world.stack.function_logs() if line.function == function and said in line.text]

    eventually(lambda: len(runs()) > world.invoked[function], lambda: f"{world.invoked}: {runs()}")
