"""The workflow's two steps: their inputs, their outputs, and the names of errors for which the workflow tries again."""

import json

import pytest

from dropship.ports import Conflict, Unavailable
from dropship.services.purchasing import dispatch
from tests.support.fakes import FakeOrders
from tests.support.lambdas import event
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import KEY, PO
from tests.support.state_language import definition, retrier_for, tasks

TASKS = tasks(definition("order_fulfilment"))
OF_THE_SERVICE = ("Lambda.", "Sandbox.", "States.")
SUBMIT = event("dispatch_submit/submit")


def own_names(task):
    """Our own errors for which a task is tried again."""
    named = {name for retrier in task["Retry"] for name in retrier["ErrorEquals"]}
    return {name for name in named if not name.startswith(OF_THE_SERVICE)}


def submit(function, times=1):
    """Submit `times` times. Returns each status, or the class name of the error, as Lambda reports it."""
    submission = function("dispatch_submit")
    outcomes = []
    for _ in range(times):
        try:
            outcomes.append(submission(SUBMIT)["status"])
        except Exception as error:  # noqa: BLE001 - Lambda reports whatever it is by its class
            outcomes.append(type(error).__name__)
    return outcomes


@pytest.fixture
def paid(function):
    function("order_ingest")(event("order_ingest/orders_paid"))


def test_the_workflow_tries_again_by_names_that_exist():
    ours = {error.__name__: error for error in (dispatch.SupplierBusy, dispatch.OutcomeUnknown, Unavailable, Conflict)}
    for task in TASKS.values():
        assert own_names(task) <= ours.keys()


@pytest.mark.parametrize("failure", [answer(429), answer(503), REFUSED_CONNECTION])
def test_a_busy_supplier_is_an_error_that_the_workflow_tries_again(function, paid, partners, failure):
    partners.acme.fail("place", failure)
    first, second = submit(function, 2)
    assert first in retrier_for(TASKS["Submit"], first)["ErrorEquals"]
    assert (first, second) == ("SupplierBusy", "DISPATCHED")


@pytest.mark.parametrize("failure", [LOST, answer(500), answer(201, {})])
def test_an_unknown_outcome_is_an_error_that_the_workflow_tries_again(function, paid, partners, failure):
    partners.acme.fail("place", failure, after=True)
    first, second = submit(function, 2)
    assert first in retrier_for(TASKS["Submit"], first)["ErrorEquals"]
    assert (first, second) == ("OutcomeUnknown", "DISPATCHED")
    assert partners.acme.requests("place") == [PO]


class ThrottledOrders(FakeOrders):
    def load(self, _key, **_):
        raise Unavailable("the table is throttled")


def test_what_passes_is_an_error_that_every_task_tries_again(function, partners):
    """Eight lost races in a row, a throttled table, or a secret that cannot be read now: nothing was sent."""
    for name, example in (("dispatch_plan", "plan"), ("dispatch_submit", "submit"), ("dispatch_submit", "give_up")):
        loaded = function(name)
        loaded.app.orders = ThrottledOrders()
        with pytest.raises(Unavailable):
            loaded(event(f"{name}/{example}"))
    assert partners.acme.asked == []
    for name, task in TASKS.items():
        assert "Unavailable" in own_names(task), f"{name} gives up at once where waiting would do"


def test_the_steps_of_a_case_are_tried_again_by_the_same_name():
    for name, task in tasks(definition("after_sales_case")).items():
        assert own_names(task) == {"Unavailable"}, name


def test_a_task_names_no_error_of_ours_that_its_function_never_raises():
    assert own_names(TASKS["Submit"]) == {"SupplierBusy", "OutcomeUnknown", "Unavailable"}
    assert own_names(TASKS["Plan"]) == own_names(TASKS["GiveUp"]) == {"Unavailable"}


@pytest.mark.parametrize("failure", [answer(422, {"message": "no"}), None])
def test_a_no_and_a_stale_plan_are_no_errors(function, paid, partners, failure):
    if failure is None:
        function("order_ingest")(event("order_ingest/orders_updated"))
    else:
        partners.acme.fail("place", failure)
    assert submit(function) == ["STALE" if failure is None else "CANCELLED"]


def test_what_a_task_sends_is_what_its_function_takes(function, paid):
    """The Map's item is the payload of Submit. With the caught error added, it is the payload of GiveUp."""
    planned = function("dispatch_plan")(event("dispatch_plan/plan"))
    (item,) = planned["purchase_orders"]
    assert function("dispatch_submit")(item | {"worker": "one"})["status"] == "DISPATCHED"
    taken = {name.removesuffix(".$") for name in TASKS["GiveUp"]["Parameters"]["Payload"]}
    assert set(event("dispatch_submit/give_up")) == taken


@pytest.mark.parametrize("error", [{}, {"Error": None}, {"Error": "States.Timeout", "Cause": "Steve Shipper"}])
def test_giving_up_keeps_the_errors_name_and_never_its_cause(function, paid, error, logged):
    give_up = function("dispatch_submit")
    assert give_up(event("dispatch_submit/give_up") | {"error": error})["status"] == "ON_HOLD"
    assert "Steve" not in json.dumps(logged())
    (hold,) = give_up.app.orders.load(KEY).value.holds
    assert hold.detail == str(error.get("Error", "unknown"))


@pytest.mark.parametrize("order", ["", "main-shop", "main-shop#", "a#b#c", "main-shop#<script>"])
def test_an_input_that_names_no_order_fails_before_anything_is_read(function, order):
    with pytest.raises(Exception, match="not an order key"):
        function("dispatch_plan")({"order": order})
