"""快递100, from recorded payloads."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from dropship.connectors import tracker
from dropship.connectors.contract import AskedParcel
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.domain.exchange.tracking import TrackingStage
from tests.support.recorded import TRACKER, access, answer, kuaidi100_push, load, only, vector, webhook

ACCESS = access(customer="CUST", key="KEY", salt="s4lt")
PUSHES = load("kuaidi100_push")
kuaidi100 = tracker("kuaidi100")

STAGES = {
    TrackingStage.INFO_RECEIVED: "101 102",
    TrackingStage.PICKED_UP: "1 103",
    TrackingStage.IN_TRANSIT: "0 1001 1002 1003 7 8 10 11 12",
    TrackingStage.OUT_FOR_DELIVERY: "5",
    TrackingStage.AVAILABLE_FOR_PICKUP: "501",
    TrackingStage.DELIVERED: "3 301 302 303 304",
    TrackingStage.FAILED_ATTEMPT: "204 206",
    TrackingStage.EXCEPTION: "2 13 203 205 207 208 209 210 401",
    TrackingStage.RETURNING: "6",
    TrackingStage.RETURNED: "4 14",
    TrackingStage.EXPIRED: "201 202",
}


def scan(code=None, text=None, at="2026-11-19 22:30:20"):
    return {"time": at, "ftime": at, "context": "…", "status": text, "statusCode": code}


def result(*scans, state="0"):
    return {"message": "ok", "status": "200", "com": "yuantong", "nu": "YT1", "state": state, "data": list(scans)}


def push(*scans, state="0", **fields):
    param = {"status": "polling", "message": "", "lastResult": result(*scans, state=state), **fields}
    return only(kuaidi100.read_events(kuaidi100_push(param), TRACKER))


def stages(report):
    return [event.stage for event in report.events]


def test_a_query_is_the_recorded_one_byte_for_byte():
    recorded = vector("kuaidi100-query-1")
    credentials = access(customer=recorded["customer"], key=recorded["key"])
    request = kuaidi100.query(AskedParcel("yuantong", "YT9693083639795"), credentials)

    assert (request.method, request.path) == ("POST", "/poll/query.do")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = dict(parse_qsl(request.body.decode(), strict_parsing=True))
    assert form == {**recorded["form"], "sign": recorded["expected"]}


def test_a_query_tells_the_phone():
    form = dict(parse_qsl(kuaidi100.query(AskedParcel("shunfeng", "SF1", "5678"), ACCESS).body.decode()))
    assert json.loads(form["param"])["phone"] == "5678"


@pytest.mark.parametrize(
    ("code", "needed"), [("shunfeng", True), ("zhongtong", True), ("yuantong", False), ("jd", False), ("", False)]
)
def test_two_carriers_need_the_phone(code, needed):
    assert kuaidi100.needs_phone(code) is needed


def test_a_subscription_tells_the_phone():
    request = kuaidi100.subscribe(AskedParcel("zhongtong", "ZTO1", "5678"), "https://api.example/", ACCESS)
    form = dict(parse_qsl(request.body.decode()))
    assert json.loads(form["param"])["parameters"]["phone"] == "5678"


def test_a_subscription_names_callback_and_salt():
    callback = "https://api.example/webhooks/kuaidi100/cn?a=1&b=2"
    request = kuaidi100.subscribe(AskedParcel("yuantong", "YT1"), callback, ACCESS)

    form = dict(parse_qsl(request.body.decode(), strict_parsing=True))
    assert (request.method, request.path, form["schema"]) == ("POST", "/poll", "json")
    assert json.loads(form["param"]) == {
        "company": "yuantong",
        "number": "YT1",
        "key": "KEY",
        "parameters": {
            "callbackurl": "https://api.example/webhooks/kuaidi100/cn?a=1&b=2",
            "salt": "s4lt",
            "resultv2": "4",
        },
    }


def failure(code, words="说明"):
    return answer(200, {"result": False, "returnCode": code, "message": words})


@pytest.mark.parametrize("code", ["200", 200, "501"])
def test_subscribed_and_subscribed_already_are_one(code):
    assert kuaidi100.read_subscribe(failure(code)) is None


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (failure("500"), Busy()),
        (failure("503"), Busy()),
        (failure("600", "不是合法的订阅者"), Refused(words="600 不是合法的订阅者")),
        (failure("601"), Refused(words="601 说明")),
        (failure("701"), Refused(words="701 说明")),
        (answer(429, retry_after="5"), Busy(retry_after=5)),
        (answer(502), Busy()),
        (answer(404), Refused(words="快递100 answered 404")),
    ],
)
def test_answers_to_a_subscription(response, outcome):
    assert kuaidi100.read_subscribe(response) == outcome


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (failure("500", "查询无结果，请隔段时间再查"), Absent()),
        (answer(200, result()), Absent()),
        (failure("501"), Busy()),
        (failure("502"), Busy()),
        (failure("400"), Refused(words="400 说明")),
        (failure("408"), Refused(words="408 说明")),
        (failure("503"), Refused(words="503 说明")),
        (failure("601"), Refused(words="601 说明")),
        (answer(500), Busy()),
        (answer(503, retry_after="60"), Busy(retry_after=60)),
        (answer(404), Refused(words="快递100 answered 404")),
        *((answer(status), Busy(why=f"快递100 answered {status}")) for status in (401, 403)),
    ],
)
def test_answers_to_a_query_without_scans(response, outcome):
    assert kuaidi100.read_query(response) == outcome


@pytest.mark.parametrize("read", [kuaidi100.read_query, kuaidi100.read_subscribe])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"[" * 100_000, b'{"returnCode":{}}', b"\xff"])
def test_an_answer_that_makes_no_sense_is_unknown(read, body):
    assert isinstance(read(answer(200, body)), Unknown)


def test_a_query_is_read_like_a_push():
    recorded = PUSHES["shutdown_delivered"]
    queried = kuaidi100.read_query(answer(200, recorded["lastResult"]))
    assert queried == only(kuaidi100.read_events(kuaidi100_push(recorded), TRACKER))


def test_a_push_is_read_field_by_field():
    report = only(kuaidi100.read_events(kuaidi100_push(PUSHES["shutdown_delivered"]), TRACKER))

    assert (report.carrier, report.number) == ("jd", "JD0000000000001")
    assert [event.model_dump() for event in report.events] == [
        {
            "at": datetime(2022, 6, 30, 2, 34, 33, tzinfo=UTC),
            "raw_time": "2022-06-30 10:34:33",
            "stage": TrackingStage.DELIVERED,
            "code": "304",
        },
        {
            "at": datetime(2022, 6, 30, 0, 27, 50, tzinfo=UTC),
            "raw_time": "2022-06-30 08:27:50",
            "stage": TrackingStage.IN_TRANSIT,
            "code": "0",
        },
    ]


def test_the_recorded_form_is_read_from_its_bytes():
    report = only(kuaidi100.read_events(webhook(vector("kuaidi100-push-1")["raw_body"]), TRACKER))
    assert (report.number, stages(report)) == ("YT9693083639795", [TrackingStage.OUT_FOR_DELIVERY])


@pytest.mark.parametrize(
    ("code", "stage"), [(code, stage) for stage, codes in STAGES.items() for code in codes.split()]
)
def test_every_code_of_the_table(code, stage):
    assert stages(push(scan(code))) == [stage]
    assert stages(push(scan(int(code)))) == [stage]


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("399", TrackingStage.DELIVERED),
        ("104", TrackingStage.PICKED_UP),
        ("1004", TrackingStage.IN_TRANSIT),
        ("502", TrackingStage.OUT_FOR_DELIVERY),
        ("299", TrackingStage.EXCEPTION),
        ("601", TrackingStage.RETURNING),
        ("9", None),
        ("99", None),
        ("15", None),
        ("999", None),
        ("30001", None),
        ("３０１", None),
        ("F00", None),
    ],
)
def test_an_unknown_code_goes_with_its_main_code_or_is_kept_without_stage(code, stage):
    (event,) = push(scan(code), state="3").events
    assert (event.stage, event.code) == (stage, code)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("在途", TrackingStage.IN_TRANSIT),
        ("揽收", TrackingStage.PICKED_UP),
        ("疑难", TrackingStage.EXCEPTION),
        ("签收", TrackingStage.DELIVERED),
        ("退签", TrackingStage.RETURNED),
        ("派件", TrackingStage.OUT_FOR_DELIVERY),
        ("退回", TrackingStage.RETURNING),
        ("转投", TrackingStage.IN_TRANSIT),
        ("清关", TrackingStage.IN_TRANSIT),
    ],
)
def test_a_scan_without_code_has_its_text(text, stage):
    assert stages(push(scan(text=text))) == [stage]


def test_only_the_newest_scan_falls_back_on_the_state_of_the_parcel():
    older, newest = scan(at="2026-11-19 08:00:00"), scan(at="2026-11-20 08:00:00", text="别的")
    assert stages(push(older, newest, state="3")) == [None, TrackingStage.DELIVERED]
    assert stages(push(newest, older, state="3")) == [TrackingStage.DELIVERED, None]


def test_a_scan_whose_time_cannot_be_read_is_left_out():
    report = push(scan("3", at="昨天"), scan("0"), scan("1", at=""), scan("1", at="0001-01-01 00:00:00"))
    assert stages(report) == [TrackingStage.IN_TRANSIT]


def test_a_push_of_nothing_but_such_scans_is_refused():
    with pytest.raises(InvalidMessage, match="time"):
        push(scan("3", at="昨天"))


@pytest.mark.parametrize("words", ["60天无变化", "3天查询无记录"])
def test_a_parcel_they_gave_up_is_expired_at_its_newest_scan(words):
    newest, older = scan("0", at="2026-09-20 08:00:00"), scan("1", at="2026-09-19 08:00:00")
    report = push(older, newest, status="abort", message=words)

    assert stages(report)[:2] == [TrackingStage.PICKED_UP, TrackingStage.IN_TRANSIT]
    assert report.events[2].model_dump() == {
        "at": datetime(2026, 9, 20, tzinfo=UTC),
        "raw_time": "2026-09-20 08:00:00",
        "stage": TrackingStage.EXPIRED,
        "code": "abort",
    }


def test_another_abort_expires_nothing():
    assert stages(push(scan("0"), status="abort", message="其他")) == [TrackingStage.IN_TRANSIT]


@pytest.mark.parametrize("name", ["abort_no_record", "abort_company_corrected"])
def test_an_abort_without_scans_is_no_news(name):
    assert only(kuaidi100.read_events(kuaidi100_push(PUSHES[name]), TRACKER)) is None


def test_a_corrected_carrier_is_no_news_of_the_old_one():
    assert push(scan("0"), status="abort", message="60天无变化", comNew="ems") is None


def test_a_first_push_without_scans_is_no_news():
    assert push() is None


@pytest.mark.parametrize(
    "param",
    [
        [],
        {},
        {"lastResult": None},
        {"lastResult": {"data": "x"}},
        {"lastResult": {"data": [None]}},
        {"lastResult": {**result(scan("0")), "nu": "a#b"}},
        {"lastResult": {**result(scan("0")), "com": None}},
        {"lastResult": result(scan(True))},
        {"lastResult": result(scan("\ud800"))},
    ],
)
def test_a_push_that_makes_no_sense_is_refused(param):
    with pytest.raises(InvalidMessage):
        only(kuaidi100.read_events(kuaidi100_push(param), TRACKER))


@pytest.mark.parametrize("body", ["", "sign=1", "sign=1&param=" + "[" * 100_000, "sign=1&param=%FF"])
def test_a_push_that_is_no_form_of_json_is_refused(body):
    with pytest.raises(InvalidMessage):
        only(kuaidi100.read_events(webhook(body), TRACKER))
