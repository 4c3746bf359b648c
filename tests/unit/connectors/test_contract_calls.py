"""What every connector keeps that builds requests and reads answers, call by call. See `test_contract.py`."""

import contextlib
import json

import pytest

from dropship.connectors.contract import NeedsPhone, RefreshesTokens
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.ports import HttpResponse
from tests.support.capable import MODULES, connector_of, with_capability
from tests.support.hostile import places, replaced
from tests.support.recordings import QUESTIONS, difference, recorded_calls, recording, response

CALLS = list(recorded_calls(list(MODULES)))
every_call = pytest.mark.parametrize("call", CALLS, ids=[f"{call.recording.channel} {call.name}" for call in CALLS])
HTML = b"<html>502</html>"


@every_call
def test_it_asks_what_was_recorded_and_makes_of_the_answers_what_they_mean(call):
    sent, result = call.play(call.answers)
    wrong = difference(call.content["result"], result)
    assert not wrong, wrong
    assert len(sent) == len(call.asks)
    for request, expected in zip(sent, call.asks, strict=True):
        assert {"method": request.method, "path": request.path}.items() >= {
            name: value for name, value in expected.items() if name != "body"
        }.items()
        if "body" in expected:
            assert json.loads(request.body) == expected["body"]


@every_call
def test_its_requests_are_the_same_each_time_and_can_be_sent(call):
    (first, _), (second, _) = call.play(call.answers), call.play(call.answers)
    assert first == second
    for request in first:
        assert request.path.startswith("/")
        assert not request.path.startswith("//")
        assert all(f"{name}{value}".isascii() for name, value in request.headers.items())


def _last_replaced(call, step, answer):
    return call.play([*call.answers[:step], answer])[1]


STEPS = [(call, step) for call in CALLS for step in range(len(call.asks))]
at_every_step = pytest.mark.parametrize(
    ("call", "step"), STEPS, ids=[f"{call.recording.channel} {call.name} {step}" for call, step in STEPS]
)


@at_every_step
@pytest.mark.parametrize("status", [429, 503])
def test_a_partner_that_is_busy_is_asked_again(call, step, status):
    answer = HttpResponse(status, {"retry-after": "7"}, b"")
    assert _last_replaced(call, step, answer) == Busy(retry_after=7)


@at_every_step
@pytest.mark.parametrize("status", [401, 402, 403, 407, 423])
def test_a_key_that_is_not_taken_is_for_a_person_to_mend_and_no_refusal(call, step, status):
    found = _last_replaced(call, step, HttpResponse(status, {}, b"{}"))
    assert isinstance(found, Busy)
    assert str(status) in found.why


@at_every_step
@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_after_a_servers_error_nobody_knows_whether_it_happened_and_a_question_is_asked_again(call, step, status):
    found = _last_replaced(call, step, HttpResponse(status, {}, HTML))
    harmless = call.name in QUESTIONS | {"subscribe", "ask_refresh"}
    assert isinstance(found, Busy | Unknown if harmless else Unknown), found


@at_every_step
@pytest.mark.parametrize("body", [b"", HTML, b"[]x", b"null", b'"x"', b"[" * 100_000, b"\xff", b"{}", b"[[]]"])
def test_an_answer_that_makes_no_sense_is_neither_yes_nor_no(call, step, body):
    found = _last_replaced(call, step, HttpResponse(200, {}, body))
    unclear = isinstance(found, Busy | Unknown) or (
        isinstance(found, Refused) and call.name in QUESTIONS | {"ask_refresh"}
    )
    harmless_empty = body == b"{}" and step and not isinstance(found, Absent)
    assert unclear or harmless_empty, found


@at_every_step
def test_one_senseless_field_of_an_answer_raises_nothing(call, step):
    answer = call.answers[step]
    with contextlib.suppress(ValueError):
        payload = json.loads(answer.body)
        for path in places(payload):
            for value in (None, True, "x", -1, [], {}, "\ud800"):
                body = json.dumps(replaced(payload, path, value)).encode()
                _last_replaced(call, step, answer._replace(body=body))


@with_capability(NeedsPhone)
def test_it_says_which_carriers_want_the_phone(channel):
    phones = recording(channel).content["phones"]
    assert {code: connector_of(channel).needs_phone(code) for code in [*phones["needed"], *phones["not"]]} == {
        **dict.fromkeys(phones["needed"], True),
        **dict.fromkeys(phones["not"], False),
    }


@with_capability(RefreshesTokens)
def test_it_knows_a_token_that_has_run_out_by_the_answer(channel):
    content, connector = recording(channel).content, connector_of(channel)
    assert all(connector.token_has_run_out(response(one)) for one in content["run_out"])
    assert not any(connector.token_has_run_out(response(one)) for one in content["not_run_out"])


@with_capability(RefreshesTokens)
def test_a_new_token_is_text_in_the_fields_of_the_secret(channel):
    for call in recording(channel).calls:
        if call.name == "ask_refresh":
            _, new = call.play(call.answers)
            assert new
            assert all(isinstance(value, str) and name in call.recording.access.secret for name, value in new.items())
