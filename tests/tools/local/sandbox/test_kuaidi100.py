import json
from datetime import UTC, datetime

import pytest

from dropship.connectors import tracker
from dropship.connectors.contract import AskedParcel
from dropship.domain.exchange.outcomes import Absent, Busy, Refused
from dropship.domain.exchange.tracking import TrackingStage
from tests.support.recorded import TRACKER, only
from tools.local.sandbox.client import SandboxError

pytestmark = pytest.mark.enable_socket

KUAIDI100 = tracker("kuaidi100")


@pytest.fixture
def subscribe(call, access, our_api):
    def subscribing(number="YT1", carrier="yuantong", phone="", **changed):
        parcel, secret = AskedParcel(carrier, number, phone), access("kuaidi100/kd100", **changed)
        request = KUAIDI100.subscribe(parcel, f"{our_api.url}/webhooks/kuaidi100/kd100", secret)
        return call("/kuaidi100", request)

    return subscribing


@pytest.fixture
def query(call, access):
    def querying(number="YT1", carrier="yuantong", phone="", **changed):
        request = KUAIDI100.query(AskedParcel(carrier, number, phone), access("kuaidi100/kd100", **changed))
        return KUAIDI100.read_query(call("/kuaidi100", request))

    return querying


def test_scans_are_pushed_to_whoever_subscribed_signed_with_their_salt(subscribe, sandbox, our_api):
    assert KUAIDI100.read_subscribe(subscribe()) is None
    assert sandbox.scan("YT1", "yuantong", ["103", "1002"]) == [200]
    path, request = our_api.received[0]
    assert path == "/webhooks/kuaidi100/kd100"
    KUAIDI100.verify(request, ["a salt"], datetime.now(UTC))
    report = only(KUAIDI100.read_events(request, TRACKER))
    assert (report.carrier, report.number) == ("yuantong", "YT1")
    assert {event.stage for event in report.events} == {TrackingStage.PICKED_UP, TrackingStage.IN_TRANSIT}
    assert abs((datetime.now(UTC) - report.events[0].at).total_seconds()) < 10


def test_a_second_subscription_is_answered_501(subscribe):
    subscribe()
    assert json.loads(subscribe().body)["returnCode"] == "501"


def test_a_wrong_key_is_refused(subscribe, query):
    assert json.loads(subscribe(key="WRONG").body)["returnCode"] == "601"
    assert isinstance(query(key="WRONG"), Refused)


@pytest.mark.parametrize("carrier", ["shunfeng", "zhongtong"])
@pytest.mark.parametrize("phone", ["", "567", "13800135678", "abcd"])
def test_some_carriers_are_refused_without_the_end_of_the_phone(subscribe, query, sandbox, carrier, phone):
    refused = Refused(words="408 快递公司参数异常：验证码错误")
    assert KUAIDI100.read_subscribe(subscribe("N1", carrier, phone)) == refused
    assert query("N1", carrier, phone) == refused
    assert sandbox.parcels("N1") == []


@pytest.mark.parametrize("carrier", ["shunfeng", "zhongtong"])
def test_with_the_end_of_the_phone_they_are_followed(subscribe, query, sandbox, carrier):
    assert KUAIDI100.read_subscribe(subscribe("N1", carrier, "5678")) is None
    assert sandbox.scan("N1", carrier, ["103"]) == [200]
    assert [event.code for event in query("N1", carrier, "5678").events] == ["103"]


def test_nothing_is_pushed_where_nobody_subscribed(sandbox, our_api):
    with pytest.raises(SandboxError, match="Nobody subscribed"):
        sandbox.scan("YT1", "yuantong", ["103"])
    assert our_api.received == []


def test_a_query_finds_scans_that_were_not_pushed(sandbox, query):
    assert query() == Absent()
    sandbox.scan("YT1", "yuantong", ["103", "5", "301"], push=False)
    assert [event.code for event in query().events] == ["301", "5", "103"]
    [parcel] = sandbox.parcels("YT1")
    assert (parcel["state"], parcel["callback_url"], "salt" in parcel) == ("3", "", False)


def test_a_scan_may_be_of_any_moment_and_is_shown_in_chinas_time(sandbox, query):
    sandbox.scan("YT1", "yuantong", ["0"], at="2026-11-21T08:15:30Z", push=False)
    [event] = query().events
    assert (event.raw_time, event.at) == ("2026-11-21 16:15:30", datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC))


def test_a_delivered_parcel_ends_its_subscription(subscribe, sandbox, our_api):
    subscribe()
    sandbox.scan("YT1", "yuantong", ["103", "301"])
    body = our_api.received[0][1].body.decode()
    assert "%22status%22%3A+%22shutdown%22" in body
    assert "%22ischeck%22%3A+%221%22" in body


def test_it_may_be_asked_too_often(sandbox, query):
    sandbox.fault("kuaidi100", "throttle", "query")
    assert isinstance(query(), Busy)


def test_a_scan_without_a_code_is_an_error(sandbox):
    with pytest.raises(SandboxError, match="a scan is"):
        sandbox._call("POST", "/control/kuaidi100/scan", {"number": "YT1", "carrier": "yuantong", "scans": [{}]})
