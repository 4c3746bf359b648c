"""From recorded lines to usage and dollars, with figures that can be checked by hand."""

from dataclasses import replace

import pytest

from tools.cost.bill import Prices, Usage, fixed_of_schedule, seconds_of, share_of_schedule, steady_usage_of, usage_of
from tools.cost.line import cost_line
from tools.cost.record import Record, record_of
from tools.cost.unbatched import unbatched

PRICES = Prices.load()


def invocation(trace: str = "1", function: str = "order-ingest", **fields: object) -> dict:
    name = f"daifa-local-{function}"
    return {"kind": "invocation", "trace": trace, "function": name, "memory_mb": 512, "began": 0.0,
            "failed": False, "log": [100, 200], "platform_log": True, "source": "sqs", "records": 1,
            **fields}  # fmt: skip


def call(action: str, trace: str = "1", service: str = "dynamodb", **fields: object) -> dict:
    return {"kind": "call", "trace": trace, "service": service, "action": action, "table": "daifa-local-OrdersTable-1",
            "bytes": 0} | fields  # fmt: skip


def put(trace: str = "1", **fields: object) -> dict:
    return call("PutItem", trace, old=0, new=1500, refused=False, indexes=[]) | fields


def state(kind: str, execution: str = "e1") -> dict:
    return {"kind": "state", "type": kind, "execution": execution, "state": kind, "seconds": 0.1}


def of(*lines: dict) -> Record:
    return record_of(list(lines))


def test_calls_go_to_the_invocation_that_made_them_and_calls_of_nobody_to_none():
    record = of(call("GetItem", "1"), call("GetItem", "2"), call("GetItem", ""), invocation("1"), invocation("2"))
    assert [len(one.calls) for one in record.invocations] == [1, 1]


def test_a_write_is_billed_with_its_indexes_and_a_refused_one_like_any_other():
    indexes = [{"index": "due", "change": "move", "bytes": 100, "partition": "D#1"}]
    usage = usage_of(of(put(indexes=indexes, refused=True), invocation()), PRICES)
    assert (usage.write_units, usage.read_units) == (2 + 2, 0)


def test_log_bytes_are_lines_with_26_bytes_each_and_what_lambda_writes_itself():
    assert usage_of(of(invocation()), PRICES).log_bytes == 100 + 200 + 2 * 26 + 345
    assert usage_of(of(invocation(platform_log=False)), PRICES).log_bytes == 352


def test_durations_are_waits_and_cpu_at_the_memorys_share_of_a_processor():
    handler = {"kind": "handler", "trace": "1", "partners": 4, "in_a_row": 2, "cpu": 1.0}
    (one,) = of(call("GetItem"), invocation(memory_mb=1769), handler).invocations
    assert seconds_of(one, PRICES) == pytest.approx((5 + 2 * 200 + 1 + 0.3 + 0.8 + 4 * 0.8) / 1000)
    assert seconds_of(replace(one, memory_mb=512), PRICES) == pytest.approx((405 + 5.3 * 1769 / 512) / 1000)
    batch = tuple(one.calls[0] | {"more": more} for more in (False, True, True))
    assert seconds_of(replace(one, calls=batch), PRICES) == seconds_of(one, PRICES), "a batch of items is one call"


def test_a_batch_taken_and_deleted_is_two_requests_whatever_its_messages():
    polls = [
        {"kind": "poll", "action": name, "queue": "q", "entries": 10, "bytes": 5} for name in ("Receive", "Delete")
    ]
    assert usage_of(of(*polls), PRICES).sqs_requests == 2


def test_a_workflow_is_billed_by_states_and_start_or_by_starts_and_time():
    states = [state("task"), state("map"), state("task")]
    tasks = [invocation(str(number), "dispatch-plan", source="direct", log=[]) for number in (1, 2)]
    usage = usage_of(of(*states, *tasks), PRICES)
    assert (usage.transitions, usage.express_starts) == (4, 1)
    assert usage.express_gb_seconds == pytest.approx(0.1 * 64 / 1024)  # 30 ms between states and 9 in the functions
    assert usage.dollars(PRICES, "EXPRESS").get("transitions") is None
    assert usage.dollars(PRICES, "STANDARD")["transitions"] == pytest.approx(4 * 25 / 1e6)


def test_a_retry_is_a_transition_too():
    tasks = [invocation(str(number), "dispatch-plan", source="direct") for number in range(3)]
    assert usage_of(of(state("task"), *tasks), PRICES).transitions == 1 + 1 + 2


def test_orders_bear_their_part_of_a_sweep_and_the_clock_bears_the_rest():
    page = call("Query", bytes=1024, index="due")
    send = call("SendMessageBatch", service="sqs", bytes=100)
    look = call("GetItem", bytes=900, consistent=False)
    (sweep,) = of(page | {"consistent": False}, look, send, invocation(function="deadline-sweep")).invocations
    share, fixed = share_of_schedule(sweep, PRICES), fixed_of_schedule(sweep, PRICES)
    assert (share.read_units, share.sqs_requests, share.lambda_requests) == (0.125 + 0.5, 1, 0)
    assert share.lambda_gb_seconds > 0
    assert (fixed.read_units, fixed.sqs_requests, fixed.lambda_requests, fixed.schedule_starts) == (0.5, 0, 1, 1)


def test_of_a_schedule_that_reads_everybodys_entries_an_order_bears_its_own():
    page = call("Query", index="recent", bytes=300, of={"O#shop#1": 100, "O#shop#2": 200}, consistent=False)
    looks = [call("GetItem", bytes=900, of={f"O#shop#{order}": 900}, consistent=False) for order in (1, 2)]
    registry = call("GetItem", table="daifa-local-RegistryTable-1", of={"SHOP": 9}, consistent=False)
    record = of(page, *looks, registry, invocation(function="deadline-sweep"), call("GetItem", "2"), invocation("2"))
    sweep, other = record.of_orders({"shop#1"}, "deadline-sweep").invocations
    assert [(one["action"], one["bytes"]) for one in sweep.calls] == [("Query", 100), ("GetItem", 900), ("GetItem", 0)]
    assert len(other.calls) == 1


def test_what_a_container_reads_once_a_minute_is_shared_by_the_orders_of_that_minute():
    registry = call("GetItem", table="daifa-local-RegistryTable-1", consistent=True)
    own = call("GetItem", consistent=True)
    record = of(registry, own, call("GetItem", "2", consistent=True), invocation("1"), invocation("2"))
    busy = 2 * (5 + (1 + 0.3 + 0.8) * 1769 / 512) / 1000
    assert usage_of(record, PRICES).read_units == 3
    assert steady_usage_of(record, PRICES).read_units == pytest.approx(2 + busy / 60)


@pytest.mark.parametrize(
    ("lines", "idle"),
    [
        ([call("GetItem")], True),
        ([call("GetItem"), put()], False),
        ([call("SendMessage", service="sqs")], False),
        ([{"kind": "handler", "trace": "1", "partners": 1, "in_a_row": 1, "cpu": 0.1}], False),
    ],
)
def test_an_invocation_is_idle_if_it_only_read_our_own_state(lines, idle):
    (one,) = of(*lines, invocation()).invocations
    assert one.idle is idle


def test_an_invocation_whose_answer_somebody_goes_on_with_is_not_idle():
    (one,) = of(invocation(function="dispatch-plan", source="direct")).invocations
    assert not one.idle


def test_without_batches_every_message_is_received_worked_on_and_deleted_by_itself():
    poll = {"kind": "poll", "action": "ReceiveMessage", "queue": "q", "entries": 5, "bytes": 5}
    more = unbatched(of(poll, poll, invocation(records=5)), PRICES)
    assert (more.sqs_requests, more.lambda_requests) == (8, 4)


def test_dollars_are_amounts_by_the_price_file():
    usage = Usage(write_units=10, read_units=4, http_api_requests=2)
    assert usage.total(PRICES, "EXPRESS") * 1e6 == pytest.approx(10 * 0.625 + 4 * 0.125 + 2)
    assert usage.operations("EXPRESS") == 16


def test_one_line_tells_a_newcomer_what_an_order_cost():
    usage = Usage(lambda_requests=9, sqs_requests=12, write_units=14, read_units=5.5, transitions=4)
    line = cost_line(usage, PRICES)
    assert line.startswith(
        "$0.000016 on AWS (EXPRESS), $0.000116 (STANDARD): 9 invocations, 12 queue requests, 14 write"
    )
