"""Secrets: the same answers in memory and from SSM, and how long answers from SSM are cached."""

import json

import pytest
from botocore.exceptions import ClientError

from dropship.adapters import session
from dropship.adapters.ssm import GUESSES, GUESSES_WITHIN_S, SsmSecrets
from dropship.ports import NotFound, Unavailable
from tests.support.fakes import FakeSecrets

NAME = "webhook/shopify/main-shop"
FIELDS = {"secrets": ["current", "previous"]}


class Monotonic:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def put(text, name=NAME):
    session.ssm().put_parameter(Name=f"/daifa/test/{name}", Value=text, Type="SecureString", Overwrite=True)


@pytest.fixture
def monotonic():
    return Monotonic()


@pytest.fixture
def in_ssm(aws, monotonic):
    put(json.dumps(FIELDS))
    return SsmSecrets("/daifa/test", clock=monotonic)


@pytest.fixture
def calls(in_ssm, watch):
    return watch(session.ssm())


@pytest.fixture(params=["memory", "ssm"])
def secrets(request):
    return FakeSecrets({NAME: FIELDS}) if request.param == "memory" else request.getfixturevalue("in_ssm")


def test_a_secret_is_read_by_its_name(secrets):
    assert secrets.get(NAME) == FIELDS
    assert secrets.get(NAME, newer_than_s=30) == FIELDS


@pytest.mark.parametrize("name", ["webhook/shopify/nobody", "api/shopify/main-shop"])
def test_a_secret_that_is_not_there_is_not_found(secrets, name):
    for _ in range(2):
        with pytest.raises(NotFound, match=name):
            secrets.get(name)


@pytest.mark.parametrize(
    "name", ["", "webhook", "webhook/../api/x", "webhook/Shopify/x", "webhook/x\n/y", "a//b", "/a/b"]
)
def test_a_name_that_no_secret_can_have_is_not_asked_for(in_ssm, calls, name):
    with pytest.raises(NotFound):
        in_ssm.get(name)
    assert calls.made == []


def guess(secrets, count):
    for number in range(count):
        with pytest.raises(NotFound):
            secrets.get(f"webhook/shopify/guess-{number}")


def test_who_guesses_names_is_soon_not_asked_for_any_more_while_known_ones_are(in_ssm, calls, monotonic):
    in_ssm.get(NAME)
    guess(in_ssm, GUESSES)
    calls.made.clear()
    for name in ("webhook/shopify/one-more", "webhook/shopify/second-shop"):
        with pytest.raises(Unavailable, match="too many names"):
            in_ssm.get(name)
    assert calls.made == []
    monotonic.seconds += GUESSES_WITHIN_S - 1
    assert in_ssm.get(NAME, newer_than_s=5) == FIELDS, "read anew"


def test_after_a_while_a_name_that_was_never_read_is_asked_for_again(in_ssm, monotonic):
    guess(in_ssm, GUESSES)
    monotonic.seconds += GUESSES_WITHIN_S
    assert in_ssm.get(NAME) == FIELDS


def test_a_secret_is_remembered_for_five_minutes(in_ssm, calls, monotonic):
    in_ssm.get(NAME)
    put('{"secrets": ["new"]}')
    calls.made.clear()
    monotonic.seconds += 299
    assert in_ssm.get(NAME) == FIELDS
    assert calls.made == []
    monotonic.seconds += 1
    assert in_ssm.get(NAME) == {"secrets": ["new"]}


def test_a_rotated_secret_is_seen_at_once_by_who_asks_for_a_newer_one_but_not_for_each_who_asks(
    in_ssm, calls, monotonic
):
    in_ssm.get(NAME)
    put('{"secrets": ["new"]}')
    monotonic.seconds += 31
    assert in_ssm.get(NAME, newer_than_s=30) == {"secrets": ["new"]}
    calls.made.clear()
    monotonic.seconds += 30
    in_ssm.get(NAME, newer_than_s=30)
    assert calls.made == []


def test_an_absent_secret_is_asked_for_again_after_ten_seconds(in_ssm, monotonic):
    with pytest.raises(NotFound):
        in_ssm.get("api/shopify/main-shop")
    put('{"access_token": "t"}', "api/shopify/main-shop")
    with pytest.raises(NotFound):
        in_ssm.get("api/shopify/main-shop")
    monotonic.seconds += 10
    assert in_ssm.get("api/shopify/main-shop") == {"access_token": "t"}


@pytest.mark.parametrize("content", ["hunter2", '["hunter2"]', '"hunter2"', '{"hunter2"', "[" * 4000, "null"])
def test_a_malformed_secret_is_unavailable_and_its_content_is_not_told(in_ssm, content):
    put(content)
    with pytest.raises(Unavailable) as refused:
        in_ssm.get(NAME)
    assert NAME in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_secret_that_cannot_be_read_now_is_unavailable(in_ssm, calls):
    calls.fail(ClientError({"Error": {"Code": "ThrottlingException"}}, "GetParameter"))
    with pytest.raises(Unavailable, match=NAME):
        in_ssm.get(NAME)
    assert in_ssm.get(NAME) == FIELDS


def test_a_secret_that_may_not_be_read_is_an_error_of_the_deployment(in_ssm, calls):
    calls.fail(ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParameter"))
    with pytest.raises(ClientError):
        in_ssm.get(NAME)


def test_a_flood_of_unknown_names_does_not_fill_the_memory(in_ssm, monkeypatch):
    monkeypatch.setattr("dropship.adapters.expiring.LARGEST", 3)
    for number in range(10):
        with pytest.raises(NotFound):
            in_ssm.get(f"webhook/shopify/shop-{number}")
    assert len(in_ssm._unknown._kept) <= 3
