"""The back office API: its answers, one message for each wish, and the caller's name from the verified token."""

import base64
import json

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.domain.deadlines import Deadlines, Moment
from dropship.domain.identity import OrderKey
from dropship.domain.orders.attention import HoldReason, TaskKind
from dropship.ports import Unavailable
from tests.support.aggregate_examples import order as example_order
from tests.support.lambdas import event
from tests.support.service_world import CASE, KEY, lines

ORDER = f"/ops/orders/{KEY.shop}/{KEY.external_id}"
READS = ["get_order", "list_orders", "list_attention", "list_cases", "get_case"]


@pytest.fixture
def api(function):
    return function("ops_api")


@pytest.fixture
def held(function):
    """The example order, on hold because nobody offers its goods."""
    webhook = event("order_ingest/orders_paid")
    message = json.loads(webhook["Records"][0]["body"])
    order = json.loads(message["body"]) | {"line_items": lines(sku="NOBODY-HAS-IT")}
    webhook["Records"][0]["body"] = json.dumps(message | {"body": json.dumps(order)})
    function("order_ingest")(webhook)
    function("dispatch_plan")(event("dispatch_plan/plan"))


@pytest.fixture
def case(function):
    """The case of the example refund."""
    for path in ("order_ingest/orders_paid", "dispatch_submit/submit", "after_sales/open_case"):
        function(path.partition("/")[0])(event(path))


def request(name, path=None, body=None, **changes):
    """An example request, with another path or body."""
    asked = event(f"ops_api/{name}") | changes
    if path is not None:
        asked["rawPath"] = asked["requestContext"]["http"]["path"] = path
    if body is not None:
        asked["body"] = body
    return asked


def ask(api, request):
    answer = api(request)
    kinds = answer.get("multiValueHeaders") or answer["headers"]
    assert "application/json" in json.dumps(kinds)
    return answer["statusCode"], json.loads(answer["body"])


# ---- Reading


def test_an_order_is_shown_without_its_buyer(api, held):
    status, body = ask(api, request("get_order"))
    assert (status, body["order"]["key"], body["order"]["status"]) == (200, str(KEY), "ON_HOLD")
    assert "Steve" not in json.dumps(body)


def test_lists_show_what_there_is(api, held):
    status, body = ask(api, request("list_orders"))
    assert (status, [order["key"] for order in body["orders"]]) == (200, [str(KEY)])
    status, body = ask(api, request("list_attention"))
    assert (status, [entry["order"] for entry in body["attention"]]) == (200, [str(KEY)])
    assert ask(api, request("list_cases")) == (200, {"cases": []})


@pytest.fixture
def queries(monkeypatch):
    """The DynamoDB operations that are called, in order."""
    made, client = [], session.dynamodb()
    real = client._make_api_call

    def call(operation, given):
        made.append(operation)
        return real(operation, given)

    monkeypatch.setattr(client, "_make_api_call", call)
    return made


@pytest.fixture
def many(resources, clock):
    """Orders that need a person: one with two holds and a task, one with one of the holds, and a quiet one."""
    orders, moment = DynamoOrders(ItemTable(resources["OrdersTable"])), Moment(clock.now(), Deadlines())
    for name, kinds in {"quiet": (), "one": ("NO_SOURCE",), "three": ("NO_SOURCE", "DISPATCH_FAILED")}.items():
        made = example_order(OrderKey("main-shop", name), moment.now)
        for reason in kinds:
            made.hold(HoldReason(reason), moment)
        if name == "three":
            made.open_task(TaskKind.SHIP_LATE, moment)
        orders.save(made, 0)


KINDS_OF_THREE = ["HOLD_NO_SOURCE", "HOLD_DISPATCH_FAILED", "SHIP_LATE"]


def test_an_order_with_two_holds_and_a_task_is_found_by_each_of_the_three_kinds(api, many):
    for kind in KINDS_OF_THREE:
        status, body = ask(api, request("list_attention", queryStringParameters={"kind": kind}))
        found = {entry["order"]: set(entry["kinds"]) for entry in body["attention"]}
        assert (status, found["main-shop#three"]) == (200, set(KINDS_OF_THREE))


@pytest.mark.parametrize("query", [{}, {"limit": "1"}, *({"kind": kind} for kind in KINDS_OF_THREE), {"shop": "gone"}])
@pytest.mark.parametrize("name", ["list_attention", "list_cases"])
def test_a_page_of_a_list_is_one_query_of_one_index(api, many, queries, name, query):
    if name == "list_cases" and "kind" in query:
        query = {"kind": "CASE_OPEN"}
    assert ask(api, request(name, queryStringParameters=query))[0] == 200
    assert queries == ["Query"]


def test_the_next_page_goes_on_where_the_page_ended(api, many, queries):
    status, first = ask(api, request("list_attention", queryStringParameters={"limit": "1"}))
    more = {"limit": "10", "after": first["next"]}
    status, rest = ask(api, request("list_attention", queryStringParameters=more))
    assert status == 200
    orders = [entry["order"] for entry in first["attention"] + rest["attention"]]
    assert sorted(orders) == ["main-shop#one", "main-shop#three"]
    assert "next" not in rest
    assert queries == ["Query", "Query"]


def test_a_case_is_listed_with_its_order(api, case):
    status, body = ask(api, request("list_cases", queryStringParameters={"kind": "CASE_OPEN"}))
    assert (status, [(entry["case"], entry["order"]) for entry in body["cases"]]) == (
        200,
        [(f"{KEY.shop}#{CASE}", str(KEY))],
    )


def test_a_case_is_shown(api, case):
    status, body = ask(api, request("get_case"))
    assert (status, body["case"]["id"], "task_token" in body["case"]) == (200, CASE, False)
    assert body["case"]["timeline"] == [{"at": body["case"]["opened_at"], "what": "opened", "about": ""}]


@pytest.mark.parametrize("name", [*READS, "release_hold", "close_task", "dispatch", "decide_case"])
def test_what_is_not_there_is_404_or_an_empty_list(api, received, name):
    status, body = ask(api, request(name))
    assert (status, len(body)) in {(404, 1), (200, 1)}
    assert received("InboxQueue") + received("AfterSalesQueue") == []


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("list_orders", {}),
        ("list_orders", {"shop": "main-shop", "limit": "0"}),
        ("list_orders", {"shop": "main-shop", "day": "yesterday"}),
        ("list_orders", {"shop": "main-shop", "day": "2026-02-30"}),
        ("list_orders", {"shop": "main-shop", "day": ""}),
        ("list_orders", {"shop": "x" * 3000}),
        ("list_attention", {"kind": "NO_SUCH_KIND"}),
        ("list_attention", {"kind": ""}),
        ("list_attention", {"limit": "many"}),
        ("list_attention", {"shop": "x" * 3000}),
        ("list_attention", {"after": ""}),
        ("list_attention", {"after": "9" * 5000}),
        ("list_cases", {"after": "4.1763712930000.main-shop"}),
        ("list_cases", {"kind": "HOLD_NO_SOURCE"}),
        ("list_cases", {"limit": "101"}),
        ("list_cases", {"colour": "red"}),
        ("list_cases", {"self": "1"}),
    ],
)
def test_a_query_that_makes_no_sense_is_400_in_words(api, name, query):
    status, body = ask(api, request(name, queryStringParameters=query))
    assert status == 400
    assert len(body["error"]) > 10


@pytest.mark.parametrize("name", ["get_order", "get_case", "release_hold", "close_task", "dispatch", "decide_case"])
def test_an_id_that_cannot_be_one_is_400_in_words_and_is_not_quoted(api, received, name):
    path = request(name)["rawPath"]
    for part in path.split("/")[3:5]:
        status, body = ask(api, request(name, path.replace(part, "x" * 3000)))
        assert (status, "has 1 to" in body["error"], len(body["error"]) < 120) == (400, True, True)
    assert received("InboxQueue") + received("AfterSalesQueue") == []


def test_a_shop_nobody_knows_is_404(api):
    assert ask(api, request("list_orders", queryStringParameters={"shop": "gone"}))[0] == 404


def test_a_path_that_is_none_is_404(api):
    for path in ("/ops", "/ops/", "/ops/orders/a", "/ops/nothing", "/ops/orders/a/b/c", "/"):
        assert ask(api, request("get_order", path)) == (404, {"error": "no such path"}), path


# ---- Wishes


def test_a_release_is_202_and_one_message_in_the_callers_name(api, held, received):
    assert ask(api, request("release_hold")) == (202, {"accepted": True})
    assert received("InboxQueue") == [event("order_ingest/release_hold")["Records"][0]["body"]]


def test_a_decision_is_202_and_one_message_in_the_callers_name(api, case, received):
    assert ask(api, request("decide_case")) == (202, {"accepted": True})
    assert received("AfterSalesQueue") == [event("after_sales/decide_case")["Records"][0]["body"]]


def test_a_task_that_a_person_has_seen_to_is_closed_by_one_message(api, function, received):
    for path in ("order_ingest/orders_paid", "dispatch_submit/submit", "order_ingest/orders_updated"):
        function(path.partition("/")[0])(event(path))
    assert ask(api, request("close_task")) == (202, {"accepted": True})
    assert received("InboxQueue") == [event("order_ingest/close_task")["Records"][0]["body"]]
    function("order_ingest")(event("order_ingest/close_task"))
    assert ask(api, request("close_task"))[0] == 409


def test_a_dispatch_of_what_can_be_dispatched_is_202(api, function, received):
    function("order_ingest")(event("order_ingest/orders_paid"))
    assert ask(api, request("dispatch")) == (202, {"accepted": True})
    assert received("InboxQueue") == [event("order_ingest/dispatch_again")["Records"][0]["body"]]


def test_a_wish_that_makes_no_sense_now_is_409_in_words_and_sends_nothing(api, held, received):
    status, body = ask(api, request("dispatch"))
    assert (status, "on hold" in body["error"]) == (409, True)
    status, body = ask(api, request("release_hold", f"{ORDER}/holds/DISPATCH_FAILED/release"))
    assert (status, "NO_SOURCE" in body["error"]) == (409, True)
    assert received("InboxQueue") == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        '"approve"',
        '{"decision": "maybe"}',
        '{"decision": true}',
        '{"decision": "approve", "colour": "red"}',
        '{"decision": "approve", "words": 7}',
        "[" * 100_000,
        '{"decision": ' + "9" * 5000 + "}",
        '{"words": "\\ud800", "decision": "approve"}',
    ],
)
def test_a_body_that_cannot_be_read_is_400_and_is_not_quoted(api, case, received, body):
    status, answer = ask(api, request("decide_case", body=body))
    assert status == 400
    assert "999" not in answer["error"]
    assert received("AfterSalesQueue") == []


def test_no_body_at_all_is_400(api, case):
    asked = request("decide_case")
    del asked["body"]
    assert ask(api, asked)[0] == 400


@pytest.mark.parametrize(("raw", "status"), [(b'{"decision": "approve"}', 202), (b"\xff\xfe{", 400), (b"", 400)])
def test_a_body_may_come_in_base64_and_then_need_not_be_text(api, case, raw, status):
    encoded = base64.b64encode(raw).decode()
    assert ask(api, request("decide_case", body=encoded, isBase64Encoded=True))[0] == status


def test_a_body_that_says_neither_or_both_is_409(api, case, received):
    for body in ("{}", '{"decision": "approve", "event": "withdraw"}'):
        assert ask(api, request("decide_case", body=body))[0] == 409
    assert received("AfterSalesQueue") == []


def test_what_cannot_be_kept_now_is_503_in_words(api, held, monkeypatch):
    def down(*_):
        raise Unavailable("cannot send to inbox now")

    monkeypatch.setattr(api.app.queues, "send", down)
    assert ask(api, request("release_hold")) == (503, {"error": "cannot send to inbox now"})


# ---- Who calls


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"username": "ann", "sub": "s-1"}, "ann"),
        ({"sub": "s-1"}, "s-1"),
        ({}, "unknown"),
    ],
)
def test_the_caller_is_whom_the_token_names(api, held, received, claims, name):
    asked = request("release_hold")
    asked["requestContext"]["authorizer"]["jwt"]["claims"] = claims
    assert ask(api, asked)[0] == 202
    assert json.loads(received("InboxQueue")[0])["by"] == name


def test_a_decision_too_is_in_the_name_of_whom_the_token_names(api, case, received):
    asked = request("decide_case")
    asked["requestContext"]["authorizer"]["jwt"]["claims"] = {"username": "bob"}
    assert ask(api, asked)[0] == 202
    assert json.loads(received("AfterSalesQueue")[0])["by"] == "bob"


def test_the_body_and_the_query_cannot_name_another_caller(api, case, received):
    status, _ = ask(api, request("decide_case", body='{"decision": "approve", "by": "eve"}'))
    assert status == 400
    assert received("AfterSalesQueue") == []
