"""Calls to partners: several requests in a row; tokens that run out are renewed and kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from dropship.connectors.contract import NextRequest
from dropship.domain.exchange.outcomes import Busy, Unknown
from dropship.domain.registry.connections import Shop
from dropship.ports import HttpRequest, Unavailable
from dropship.services.partner_calls import MOST_REQUESTS, PartnerCalls
from tests.support import made_up
from tests.support.fakes import FakeClock, FakeHttp, FakeSecrets
from tests.support.partner_apis import LOST, REFUSED_CONNECTION, answer
from tests.support.service_world import NOW

SHOP = Shop(id="dou-shop", channel="doudian", base_url="https://dou.test", domain="95250")
NAME = "api/doudian/dou-shop"
KEYS = {"app_key": "key", "app_secret": "secret"}
assert "doudian" in made_up.CHANNELS


class Doudian:
    """Accepts the valid token, and gives a new pair of tokens for a refresh token that was not used before."""

    def __init__(self):
        self.valid, self.refresh, self.asked, self.down = "token-2", "refresh-1", [], False

    def __call__(self, request):
        stamp = parse_qs(urlsplit(request.path).query)["timestamp"][0] if "?" in request.path else ""
        self.asked.append((request.path.partition("?")[0], request.headers.get("token", ""), stamp))
        if request.path.startswith("/token/refresh"):
            if self.down:
                raise LOST
            if self.refresh.encode() not in request.body:
                return answer(200, {"code": 50002, "msg": "the refresh token is used up"})
            self.refresh = "refresh-2"
            return answer(200, {"code": 10000, "data": {"access_token": self.valid, "refresh_token": self.refresh}})
        if request.headers["token"] != self.valid:
            return answer(200, {"code": 30002, "sub_code": "isv.access-token-expired:0"})
        return answer(200, {"code": 10000})

    @property
    def paths(self):
        return [path for path, *_ in self.asked]


@pytest.fixture
def doudian():
    return Doudian()


@pytest.fixture
def secrets():
    return FakeSecrets({NAME: {**KEYS, "access_token": "token-1", "refresh_token": "refresh-1"}})


@pytest.fixture
def partners(doudian, secrets):
    http = FakeHttp()
    http.partner(SHOP.base_url, doudian)
    return PartnerCalls(http, secrets, FakeClock(NOW))


def build(access):
    return HttpRequest("POST", "/order", {"token": str(access.secret["access_token"])})


def read(response):
    return b"10000" in response.body


def test_a_token_that_has_run_out_is_renewed_and_kept_and_the_request_sent_again(partners, doudian, secrets):
    assert partners.call(SHOP, build, read) is True
    assert doudian.paths == ["/order", "/token/refresh", "/order"]
    assert secrets.known[NAME] == {**KEYS, "access_token": "token-2", "refresh_token": "refresh-2"}

    assert partners.call(SHOP, build, read) is True
    assert doudian.paths[3:] == ["/order"]


def test_what_signs_the_time_is_given_the_time(partners, doudian):
    partners.call(SHOP, build, read)
    assert doudian.asked[1][2] == str(int(NOW.timestamp()))
    partners.clock.advance(seconds=90)
    assert partners.access(SHOP).now == NOW + timedelta(seconds=90)


def test_a_token_that_another_worker_renewed_meanwhile_is_used(partners, doudian, secrets):
    class Remembering(FakeSecrets):
        def get(self, name, *, newer_than_s=None):
            found = super().get(name, newer_than_s=newer_than_s)
            return found if newer_than_s is not None else {**found, "access_token": "token-1"}

    fresh = Remembering({NAME: {**secrets.known[NAME], "access_token": "token-2"}})
    assert PartnerCalls(partners.http, fresh, partners.clock).call(SHOP, build, read) is True
    assert doudian.paths == ["/order", "/order"]


def test_a_refresh_token_that_another_worker_was_faster_with_is_looked_for(partners, doudian, secrets):
    real, reads = secrets.get, []

    def get(name, *, newer_than_s=None):
        reads.append(newer_than_s)
        if newer_than_s == 0:
            secrets.known[NAME] = {**KEYS, "access_token": "token-2", "refresh_token": "refresh-2"}
        return real(name, newer_than_s=newer_than_s)

    secrets.get, doudian.refresh = get, "refresh-2"
    assert partners.call(SHOP, build, read) is True
    assert doudian.paths == ["/order", "/token/refresh", "/order"]
    assert reads == [None, 10.0, 0]


@pytest.mark.parametrize("down", [True, False])
def test_a_token_that_cannot_be_renewed_is_the_partners_answer(partners, doudian, secrets, down):
    doudian.down, doudian.refresh = down, "refresh-9"
    before = secrets.known[NAME]
    assert partners.call(SHOP, build, read) is False
    assert doudian.paths == ["/order", "/token/refresh"]
    assert secrets.known[NAME] == before


def test_a_new_token_that_cannot_be_kept_is_not_used(partners, doudian, secrets):
    def put(name, fields):
        raise Unavailable("not now")

    secrets.put = put
    with pytest.raises(Unavailable):
        partners.call(SHOP, build, read)
    assert doudian.paths == ["/order", "/token/refresh"]


def test_a_key_that_was_refused_and_cannot_be_read_again_is_an_error(partners, doudian, secrets):
    read_first = secrets.get

    def get(name, *, newer_than_s=None):
        if newer_than_s is not None:
            raise Unavailable("not now")
        return read_first(name)

    secrets.get = get
    with pytest.raises(Unavailable):
        partners.call(SHOP, build, read)
    assert doudian.paths == ["/order"]


def test_many_threads_renew_a_token_once(partners, doudian):
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: partners.call(SHOP, build, read), range(40))) == [True] * 40
    assert doudian.paths.count("/token/refresh") == 1


# ---- Several requests


def then(response):
    """Read an answer by asking for one more request."""
    return NextRequest(build, lambda second: (response.status, second.status))


def test_an_answer_may_lead_to_another_request(partners, doudian):
    assert partners.call(SHOP, build, then) == (200, 200)
    assert doudian.paths == ["/order", "/token/refresh", "/order", "/order"], "the second one has the new token, too"


@pytest.mark.parametrize(("silence", "at_first"), [(LOST, Unknown), (REFUSED_CONNECTION, Busy)])
def test_silence_at_a_later_request_is_unknown_because_the_first_one_may_have_had_an_effect(
    partners, doudian, silence, at_first
):
    partners.http.answer(silence)
    assert isinstance(partners.call(SHOP, build, then), at_first)
    partners.http.answer(answer(200), silence)
    assert isinstance(partners.call(SHOP, build, then), Unknown)


def test_requests_that_lead_to_no_end_are_given_up(partners, doudian):
    def on_and_on(_response):
        return NextRequest(build, on_and_on)

    doudian.valid = "token-1"
    assert isinstance(partners.call(SHOP, build, on_and_on), Unknown)
    assert len(doudian.asked) == MOST_REQUESTS
