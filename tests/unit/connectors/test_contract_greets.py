"""What every connector keeps that answers greetings: `Greets`. See `test_contract.py`."""

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dropship.connectors.contract import BadSignature, Greets, RawRequest
from tests.support.capable import HEADERS, NOW, OTHER, QUERIES, SECRETS, connector_of, with_capability
from tests.support.recordings import recording


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
@given(headers=HEADERS, body=st.binary(), query=QUERIES, method=st.sampled_from(["GET", "POST"]))
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
