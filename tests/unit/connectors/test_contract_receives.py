"""What every connector keeps that receives: `Receives` and its readers, `KeepsQuery`. See `test_contract.py`."""

import contextlib
import copy
import json
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship.connectors.contract import BadSignature, Downloads, KeepsQuery, RawRequest, Receives, ReceivesOrders, able
from dropship.domain.errors import InvalidMessage
from dropship.domain.exchange.marketplace import OrderChanged, OrderHint
from dropship.services.messages import Webhook
from dropship.services.reception import envelope
from tests.support.capable import HEADERS, MODULES, NOW, OTHER, QUERIES, SECRETS, connector_of, with_capability
from tests.support.hostile import HOSTILE, places, replaced
from tests.support.recordings import OURS, difference, recording


@with_capability(Receives)
@given(
    headers=HEADERS,
    body=st.binary() | st.just(b"sign=x&param=%7B%7D") | st.just(b"[{}]"),
    query=QUERIES,
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
                refused.add_note(
                    f"The request has the headers {sorted(request.headers)} and the query {dict(request.query)}."
                )
                refused.add_note("JSON is written anew, so a signed body has to be recorded as a text. The body is:")
                refused.add_note(request.body.decode(errors="replace"))
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
    try:
        return connector_of(channel).read_events(kept.request, recording(channel).connection)
    except Exception as wrong:
        wrong.add_note(f"Of the headers only `kept_headers` reach `read_events`: {sorted(kept.request.headers)}")
        raise


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


@with_capability(ReceivesOrders)
@pytest.mark.parametrize("gone", ["missing", "null"])
def test_an_order_does_not_lose_its_lines_because_a_list_is_missing(channel, gone):
    """An order without lines has nothing to send: it would be complete, or called off, and nobody would be told."""
    for request, _ in recording(channel).events:
        lines = [len(event.order.lines) for event in read(channel, request) if type(event) is OrderChanged]
        for path in list(places(json.loads(request.body))) if sum(lines) else []:
            changed = json.loads(request.body)
            *before, last = path
            holder = reduce(lambda value, key: value[key], before, changed)
            if not (isinstance(holder, dict) and isinstance(holder[last], list) and holder[last]):
                continue
            if gone == "null":
                holder[last] = None
            else:
                del holder[last]
            with contextlib.suppress(InvalidMessage):
                events = read(channel, request._replace(body=json.dumps(changed).encode()))
                assert [len(event.order.lines) for event in events if type(event) is OrderChanged] == lines, path


@pytest.mark.parametrize("channel", [channel for channel in OURS if able(connector_of(channel), Receives)])
def test_whoever_gives_hints_can_be_asked_for_the_order(channel):
    hints = [
        one for request, _ in recording(channel).events for one in read(channel, request) if type(one) is OrderHint
    ]
    assert not hints or able(connector_of(channel), Downloads)
