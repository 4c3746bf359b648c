"""Business figures: each is one line in the log, in the form and with the dimension that the alarms use."""

import json

import pytest

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.deadlines import Moment
from dropship.domain.orders.attention import Stake, TaskKind
from dropship.runtime.metrics import count_events
from dropship.services.messages import PollParcels
from tests.support.lambdas import STAGE, event
from tests.support.order_examples import DEADLINES, moment, received
from tests.support.partner_apis import LOST, answer
from tests.support.service_world import KEY, WAYBILL
from tests.support.template_document import ALARMS, TEMPLATE

NAMESPACE = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
WATCHED = {
    alarm["MetricName"]: {
        each["Name"]: each["Value"]["Fn::Sub"].replace("${Stage}", STAGE) for each in alarm["Dimensions"]
    }
    for alarm in ALARMS.values()
    if alarm["Namespace"] == NAMESPACE
}


@pytest.fixture
def counted(logged):
    """Metrics written since the last call, as CloudWatch reads them: (name, dimensions); each counts one."""

    def found():
        metrics = []
        for line in logged():
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == NAMESPACE
                (names,) = directive["Dimensions"]
                for metric in directive["Metrics"]:
                    assert (metric["Unit"], line[metric["Name"]]) == ("Count", [1.0])
                    metrics.append((metric["Name"], {name: line[name] for name in names}))
        return metrics

    return found


@pytest.fixture
def paid(function, counted):
    function("order_ingest")(event("order_ingest/orders_paid"))
    assert counted() == []


def hold(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/give_up"))


def lose(function, clock, partners):
    partners.acme.fail("place", LOST)
    with pytest.raises(Exception, match="unknown"):
        function("dispatch_submit")(event("dispatch_submit/submit"))
    function("dispatch_submit")(event("dispatch_submit/give_up"))


def miss(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    clock.advance(hours=25)
    function("order_ingest")(event("order_ingest/order_due"))


def be_scanned(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    function("supplier_events")(event("supplier_events/shipped"))
    scan = {"context": "…", "time": "2026-11-21 16:20:00", "ftime": "2026-11-21 16:20:00", "statusCode": "77"}
    partners.tracker.reports[WAYBILL.number] = {"com": "yuantong", "nu": WAYBILL.number, "data": [scan]}
    function("tracking_poll")(event("tracking_poll/poll"))


def be_refused(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    function("supplier_events")(event("supplier_events/shipped"))
    partners.tracker.fail("query", answer(200, {"result": False, "returnCode": "601", "message": "KEY已过期"}))
    function("tracking_poll")(event("tracking_poll/poll"))


def move_house(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    moved = event("order_ingest/orders_updated")
    told = moved["Records"][0]["body"]
    assert told.count("Door 2") == 1
    moved["Records"][0]["body"] = told.replace("Door 2", "Door 3")
    function("order_ingest")(moved)


def be_told_no(function, clock, partners):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    function("supplier_events")(event("supplier_events/shipped"))
    partners.shop.fail("ask", answer(400))
    function("shipment_writeback")(event("shipment_writeback/parcel"))


HAPPENED = {
    "OrderHeld": hold,
    "TaskOpened": move_house,
    "MoneyAtRisk": be_told_no,
    "DispatchUnknown": lose,
    "DeadlineMissed": miss,
    "UnknownTrackingCode": be_scanned,
    "TrackerRefused": be_refused,
}


def test_every_business_alarm_is_tried_here():
    assert HAPPENED.keys() == WATCHED.keys()


@pytest.mark.parametrize("metric", HAPPENED)
def test_what_an_alarm_watches_is_counted_once_under_the_alarms_dimension(
    function, paid, counted, clock, partners, metric
):
    HAPPENED[metric](function, clock, partners)
    assert (metric, WATCHED[metric]) in (found := counted())
    assert [name for name, _ in found].count(metric) == 1


@pytest.mark.parametrize("metric", HAPPENED)
def test_no_metric_has_another_dimension(function, paid, counted, clock, partners, metric):
    """With the order key as a dimension, each order would be a metric of its own, and be billed as one."""
    HAPPENED[metric](function, clock, partners)
    assert {json.dumps(dimensions) for _, dimensions in counted()} == {json.dumps({"service": f"daifa-{STAGE}"})}


def test_what_a_tracker_refuses_is_counted_with_its_words(function, paid, logged, clock, partners):
    be_refused(function, clock, partners)
    [line] = [line for line in logged() if "TrackerRefused" in line]
    assert line["what"] == "kd100: 601 KEY已过期"


def test_a_repeat_counts_nothing_again(function, paid, counted, clock, partners):
    hold(function, clock, partners)
    first = [name for name, _ in counted()]
    hold(function, clock, partners)
    assert first == ["OrderHeld"]
    assert counted() == []


def test_what_was_counted_is_not_counted_again_with_the_next_change(function, paid, counted, clock, partners):
    hold(function, clock, partners)
    counted()
    function("order_ingest")(event("order_ingest/orders_updated"))
    assert counted() == []


def test_of_several_orders_of_one_message_only_what_is_new_is_counted(function, paid, resources, counted, clock):
    function("dispatch_submit")(event("dispatch_submit/submit"))
    function("supplier_events")(event("supplier_events/shipped"))
    orders = DynamoOrders(ItemTable(resources["OrdersTable"]))
    order, version = orders.load(KEY)
    order.open_task(TaskKind.ADDRESS_CHANGED, Moment(clock.now(), DEADLINES))
    orders.save(order, version)
    order.external_id, order.parcels[0].number = "2", "YT2"
    orders.save(order, 0)
    clock.advance(hours=25)
    polled = event("tracking_poll/poll")
    polled["Records"][0]["body"] = PollParcels(orders=[str(KEY), str(order.key)]).model_dump_json()
    function("tracking_poll")(polled)
    assert [name for name, _ in counted()] == 2 * ["DeadlineMissed"]


@pytest.mark.parametrize("kind", TaskKind)
def test_each_kind_of_task_is_counted_by_what_is_at_stake(kind):
    order = received()
    order.open_task(kind, moment())
    counted = []
    count_events(lambda name, **about: counted.append((name, about)), order.key, order.pop_unsaved_events())
    wanted = {"MONEY": "MoneyAtRisk", "TIME": "DeadlineMissed", "PLACING": "DispatchUnknown", "NOTHING": "TaskOpened"}
    about = {"order": str(order.key), "what": f"needs a person: {kind}", "about": ""}
    assert counted == [(wanted[kind.stake], about)]


def test_what_costs_money_or_time_is_said_beside_the_kind():
    by_stake = {stake: {kind.value for kind in TaskKind if kind.stake is stake} for stake in Stake}
    assert by_stake[Stake.MONEY] == {
        *("CANCEL_REFUSED", "QUANTITY_CHANGED", "REFUNDED_ON_THE_WAY"),
        *("SUPPLIER_EVENT_REFUSED", "WAYBILL_REUSED", "WRITEBACK_REFUSED"),
    }
    assert by_stake[Stake.TIME] == {"ACKNOWLEDGE_LATE", "SHIP_LATE", "CANCEL_LATE", "PARCEL_STALLED"}
    assert by_stake[Stake.PLACING] == {"DISPATCH_UNKNOWN", "SUPPLIER_BUSY"}


def test_a_missed_deadline_is_also_a_task(function, paid, counted, clock, partners):
    miss(function, clock, partners)
    assert "DeadlineMissed" in [name for name, _ in counted()]
