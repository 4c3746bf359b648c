"""What every connector has to keep, capability by capability; a new one is tested here by being in its folder.

What is played to it is in `tests/data/contracts/{channel}.json`; `tests/support/recordings.py` says how to write that.
"""

import contextlib
import copy
import inspect
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dropship import connectors
from dropship.connectors.contract import (
    BadSignature,
    Downloads,
    Greets,
    KeepsQuery,
    NeedsPhone,
    RawRequest,
    Receives,
    RefreshesTokens,
    UnknownChannel,
    able,
)
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import OrderHint
from dropship.domain.exchange.outcomes import Absent, Busy, Refused, Unknown
from dropship.ports import HttpResponse
from dropship.services.messages import Webhook
from dropship.services.reception import envelope
from tests.support import made_up
from tests.support.hostile import HOSTILE, places, replaced
from tests.support.recordings import (
    CAPABILITY_OF,
    OURS,
    QUESTIONS,
    channel_of,
    difference,
    protocols,
    recorded_calls,
    recording,
    response,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODULES = OURS | made_up.CHANNELS
READERS = {"marketplace": "ReceivesOrders", "supplier": "ReceivesSupplierEvents", "tracker": "ReceivesReports"}
PROTOCOLS = {
    name: kind for name, kind in protocols().items() if name not in {"Protocol", "Receives", *READERS.values()}
}


def connector_of(channel):
    return connectors.find(channel).connector


def with_capability(capability):
    """Parametrize by the channels whose connector has it."""
    return pytest.mark.parametrize("channel", [one for one in MODULES if able(connector_of(one), capability)])


def capabilities(channel):
    """Names of the capabilities that a connector has, its reader by its role."""
    found = {name for name, kind in PROTOCOLS.items() if able(connector_of(channel), kind)}
    return found | ({READERS[connectors.find(channel).role]} if able(connector_of(channel), Receives) else set())


def half_there(channel):
    """For each capability of which a connector has something and not all: what it lacks of it."""
    has = set(dir(connector_of(channel)))
    wanted = PROTOCOLS | {name: protocols()[name] for name in [READERS[connectors.find(channel).role]]}
    lacks = {name: sorted(kind.__protocol_attrs__ - has) for name, kind in wanted.items()}
    return {name: lacking for name, lacking in lacks.items() if lacking and wanted[name].__protocol_attrs__ & has}


every_connector = pytest.mark.parametrize("channel", MODULES)
CALLS = list(recorded_calls(list(MODULES)))
every_call = pytest.mark.parametrize("call", CALLS, ids=[f"{call.recording.channel} {call.name}" for call in CALLS])


# ---- Every connector


@every_connector
def test_it_is_found_by_its_role_and_by_no_other(channel):
    by_role = {"marketplace": connectors.marketplace, "supplier": connectors.supplier, "tracker": connectors.tracker}
    role, connector = connectors.find(channel)
    assert by_role.pop(role)(channel) is connector
    for find in by_role.values():
        with pytest.raises(UnknownChannel):
            find(channel)


@every_connector
def test_it_is_able_to_do_something_and_each_thing_is_recorded(channel):
    known = recording(channel)
    recorded = {CAPABILITY_OF[call.name] for call in known.calls}
    recorded |= {READERS[connectors.find(channel).role]} if known.signed and known.events else set()
    recorded |= {"Greets"} if known.greetings else set()
    recorded |= {name for name in ("KeepsQuery", "NeedsPhone") if name in capabilities(channel)}  # tested by the others
    assert half_there(channel) == {}, "the class has a part of a capability: give it the rest, or leave it out"
    assert capabilities(channel), "the class has no method of the contract: see dropship/connectors/contract"
    file = f"tests/data/contracts/{channel}.json"
    how = "to receive needs `signed` and `events`, to greet `greetings`, all else an entry in `calls`"
    assert capabilities(channel) - recorded == set(), f"the class is able to, and {file} has no record of it: {how}"
    assert recorded - capabilities(channel) == set(), f"{file} records it, and the class is not able to"


@every_connector
def test_its_methods_take_what_the_contract_gives_them(channel):
    for name in capabilities(channel):
        for method, wanted in inspect.getmembers(protocols()[name], inspect.isfunction):
            if not method.startswith("_"):
                given_to = inspect.signature(getattr(type(connector_of(channel)), method)).parameters
                assert list(given_to) == list(inspect.signature(wanted).parameters), method


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_the_front_door_does_not_pay_for_the_models(module):
    script = (
        f"import sys, tests.support.made_up, {module}; print(*({{'pydantic', 'dropship.ports'}} & sys.modules.keys()))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(["", *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "channel",
    ["", "nobody", "../shopify", "shopify.x", "os", "x" * 5000, "Shopify", "supplier_v1", "_17track", "__init__", "-"],
)
def test_an_unknown_channel_has_no_connector(channel):
    with pytest.raises(UnknownChannel):
        connectors.find(channel)


def test_a_connector_that_is_registered_under_another_name_is_said_to_be(monkeypatch):
    connectors.find("shopify")
    monkeypatch.delitem(connectors._CONNECTORS, "shopify")
    with pytest.raises(UnknownChannel, match=r"marketplaces\.shopify registers no channel 'shopify'"):
        connectors.find.__wrapped__("shopify")


def test_a_file_that_is_not_named_after_a_channel_is_refused():
    assert [channel_of(name) for name in ("corner_shop", "_17track")] == ["corner-shop", "17track"]
    for name in ("shop__1", "_corner_shop", "Corner", "corner_"):
        with pytest.raises(ValueError, match="is not named after a channel"):
            channel_of(name)


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ([{"is": "OrderHint", "order": "1", "deleted": False}], ""),
        ([], "all: expected 0 of them, found [OrderHint(order='1', deleted=False)]"),
        ([{"is": "OrderChanged"}], "[0]: expected OrderChanged, found OrderHint(order='1', deleted=False)"),
        ([{"order": "2"}], "[0].order: expected '2', found '1'"),
        ([{"odrer": None}], "[0].odrer: expected None, found no such field"),
    ],
)
def test_what_is_not_as_recorded_is_named(expected, wrong):
    assert difference(expected, [OrderHint(order="1")]) == wrong


# ---- Receives

_NAMES = st.sampled_from(
    [
        *(f"{x}shopify-{name}" for x in ("", "x-") for name in ("hmac-sha256", "topic")),
        *(f"{kind}-{name}" for kind in ("webhook", "svix") for name in ("id", "timestamp", "signature")),
        *("x-wc-webhook-signature", "event-sign", "sign", "content-type"),
    ]
)
_VALUES = st.text(st.characters(), max_size=40) | st.sampled_from(["v1,", "v1,AAAA", f"{NOW.timestamp():.0f}", "=="])
_QUERIES = st.dictionaries(st.sampled_from(["signature", "timestamp", "nonce", "sign"]), _VALUES)
OTHER = "whsec_" + "QUJD" * 8
SECRETS = [OTHER, "another", "key:secret"]


@with_capability(Receives)
@given(
    headers=st.dictionaries(_NAMES, _VALUES),
    body=st.binary() | st.just(b"sign=x&param=%7B%7D") | st.just(b"[{}]"),
    query=_QUERIES,
)
def test_it_refuses_whatever_is_not_signed(channel, headers, body, query):
    with pytest.raises(BadSignature):
        connector_of(channel).verify(RawRequest(headers, body, query=query), SECRETS, NOW)


@with_capability(Receives)
def test_it_takes_what_is_signed_with_the_current_or_the_previous_secret(channel):
    for request, secret, now in recording(channel).signed:
        for secrets in ([secret], [secret, OTHER], [OTHER, secret]):
            try:
                connector_of(channel).verify(request, secrets, now)
            except BadSignature as refused:
                refused.add_note(f"JSON is written anew: record a signed body as a text. It was given {request.body!r}")
                raise


@with_capability(Receives)
def test_it_refuses_what_is_signed_with_another_secret_with_an_empty_one_or_with_none(channel):
    for request, secret, now in recording(channel).signed:
        for secrets in ([], [""], [OTHER], [secret + "x"], [secret[:-1]]):
            with pytest.raises(BadSignature):
                connector_of(channel).verify(request, secrets, now)


@with_capability(Receives)
def test_it_refuses_what_was_changed_after_it_was_signed(channel):
    for request, secret, now in recording(channel).signed:
        changed = []
        if not request.query:  # who signs in the query does not sign the body
            changed += [request._replace(body=body) for body in (request.body + b" ", request.body[:-1], b"")]
        if request.query or any("sign" in name or "hmac" in name for name in request.headers):
            changed.append(request._replace(headers={}, query={}))
        assert changed
        for other in changed:
            with pytest.raises(BadSignature):
                connector_of(channel).verify(other, [secret], now)


@with_capability(Receives)
def test_it_answers_with_json_or_with_a_plain_word(channel):
    accepted = connector_of(channel).accepted
    assert accepted.isalnum() or isinstance(json.loads(accepted), dict)


@with_capability(Receives)
def test_it_keeps_no_signature(channel):
    kept = connector_of(channel).kept_headers
    assert [name for name in kept if "sign" in name or "hmac" in name or "auth" in name] == []
    assert [name for name in kept if name != name.lower()] == []


@with_capability(KeepsQuery)
def test_it_keeps_no_signature_of_the_query(channel):
    assert [name for name in connector_of(channel).kept_query if "sign" in name or "token" in name] == []


def read(channel, request):
    """The events of a request, read from the message that it travels in."""
    kept = Webhook.model_validate_json(envelope(channel, "here", connector_of(channel), request))
    return connector_of(channel).read_events(kept.request, recording(channel).connection)


@with_capability(Receives)
def test_what_it_reads_are_the_events_that_were_recorded(channel):
    for request, expected in recording(channel).events:
        wrong = difference(expected, read(channel, request))
        assert not wrong, wrong


def _with_json_bodies():
    for channel in MODULES:
        if able(connector_of(channel), Receives):
            for request, expected in recording(channel).events:
                if expected and request.body[:1] in {b"{", b"["}:
                    yield channel, request


RECORDED = list(_with_json_bodies())


@given(data=st.data())
def test_one_senseless_field_is_refused_or_passed_over(data):
    channel, request = data.draw(st.sampled_from(RECORDED), label="recorded")
    payload = json.loads(request.body)
    path = data.draw(st.sampled_from(list(places(payload))))
    changed = replaced(copy.deepcopy(payload), path, data.draw(st.sampled_from(HOSTILE)))
    with contextlib.suppress(InvalidMessage):
        for event in read(channel, request._replace(body=json.dumps(changed).encode())):
            assert json.loads(event.model_dump_json())


@pytest.mark.parametrize("channel", [channel for channel in OURS if able(connector_of(channel), Receives)])
def test_whoever_gives_hints_can_be_asked_for_the_order(channel):
    hints = [
        one for request, _ in recording(channel).events for one in read(channel, request) if type(one) is OrderHint
    ]
    assert not hints or able(connector_of(channel), Downloads)


# ---- Greets


@with_capability(Greets)
def test_it_answers_the_greetings_that_were_recorded(channel):
    for request, answer, secrets in recording(channel).greetings:
        assert connector_of(channel).greet(request, secrets, NOW) == answer


@with_capability(Greets)
def test_nothing_that_tells_something_is_taken_for_a_greeting(channel):
    known = recording(channel)
    for request in [*(one.request for one in known.signed), *(request for request, _ in known.events)]:
        assert connector_of(channel).greet(request, [], NOW) is None


@with_capability(Greets)
@given(
    headers=st.dictionaries(_NAMES, _VALUES), body=st.binary(), query=_QUERIES, method=st.sampled_from(["GET", "POST"])
)
def test_whatever_comes_is_no_greeting_or_is_refused(channel, headers, body, query, method):
    unsigned = [known.body[:8] for known, _, secrets in recording(channel).greetings if known.body and not secrets]
    assume(not body.startswith(tuple(unsigned)))  # it may be one: Hypothesis takes constants from the sandbox, too
    with contextlib.suppress(BadSignature):
        assert connector_of(channel).greet(RawRequest(headers, body, method, query), SECRETS, NOW) is None


@with_capability(Greets)
def test_a_greeting_that_is_signed_is_refused_with_another_secret(channel):
    for request, _, secrets in recording(channel).greetings:
        if secrets:
            with pytest.raises(BadSignature):
                connector_of(channel).greet(request, [OTHER], NOW)


# ---- Calls

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
