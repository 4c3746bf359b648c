import json
from pathlib import Path
from typing import get_args

import pytest

from dropship.domain.errors import IllegalTransition
from dropship.domain.lifecycle import Lifecycle
from dropship.domain.orders.lifecycles import (
    ORDER,
    PARCEL,
    PURCHASE_ORDER,
    OrderStatus,
    OrderStep,
    ParcelStatus,
    ParcelStep,
    PurchaseOrderStatus,
    PurchaseOrderStep,
)
from dropship.domain.remedies.lifecycle import AFTER_SALES_CASE, CaseStatus, CaseStep
from tools.lifecycles import DOCUMENT, document

SPECIFIED = json.loads(Path("tests/data/lifecycles.json").read_text())
# Steps that we added to the specification, and why.
ADDED = {
    "order": {("RECEIVED", "nothing_to_fulfil", "COMPLETED")},  # gift cards, services: nothing is shipped
}
TABLES = {
    "order": ORDER,
    "purchase_order": PURCHASE_ORDER,
    "parcel": PARCEL,
    "aftersale_case": AFTER_SALES_CASE,
}
tables = pytest.mark.parametrize(("name", "lifecycle"), TABLES.items(), ids=list(TABLES))


def steps(lifecycle: Lifecycle) -> set[tuple[str, str, str]]:
    return {(state, event, goal) for state, row in lifecycle.table.items() for event, goal in row.items()}


@tables
def test_a_table_is_the_specified_one_but_for_the_listed_additions(name, lifecycle):
    specified = SPECIFIED[name]
    wanted = {(step["from"], step["event"], step["to"]) for step in specified["transitions"]}
    assert steps(lifecycle) - wanted == ADDED.get(name, set())
    assert wanted - steps(lifecycle) == set()
    assert (lifecycle.initial, sorted(lifecycle.terminal)) == (specified["initial"], sorted(specified["terminal"]))


@tables
def test_every_state_can_be_reached_and_only_final_states_have_no_exit(name, lifecycle):
    goals = {goal for _, _, goal in steps(lifecycle)} | {lifecycle.initial}
    events = {event for _, event, _ in steps(lifecycle)}
    for state in goals:
        assert lifecycle.path(lifecycle.initial, state, events) is not None
        assert (state in lifecycle.terminal) == (not lifecycle.table.get(state))
        assert any(lifecycle.path(state, end, events) is not None for end in lifecycle.terminal)


@tables
def test_a_step_that_is_not_in_the_table_is_refused(name, lifecycle):
    for end in lifecycle.terminal:
        assert not lifecycle.allows(end, "cancel")
        with pytest.raises(IllegalTransition, match=end):
            lifecycle.next(end, "cancel")


def test_the_drawings_in_the_docs_are_the_tables():
    assert DOCUMENT.read_text() == document(), "run `python -m tools.lifecycles`"


@pytest.mark.parametrize(
    ("lifecycle", "statuses", "kinds_of_step"),
    [
        (ORDER, OrderStatus, OrderStep),
        (PURCHASE_ORDER, PurchaseOrderStatus, PurchaseOrderStep),
        (PARCEL, ParcelStatus, ParcelStep),
        (AFTER_SALES_CASE, CaseStatus, CaseStep),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_types_beside_a_table_name_just_its_statuses_and_steps(lifecycle, statuses, kinds_of_step):
    found = {status for start, _, goal in steps(lifecycle) for status in (start, goal)}
    assert set(get_args(statuses)) == found
    assert set(get_args(kinds_of_step)) == {step for _, step, _ in steps(lifecycle)}
