"""Connections as data: which addresses the registry accepts, and which tracker follows which carrier."""

import pytest
from pydantic import ValidationError

from dropship.domain.deadlines import Deadlines
from dropship.domain.registry.connections import Shop, Tracker

TRACKER = Tracker(id="kd100", channel="kuaidi100", base_url="https://kd.test", codes={"yuantong": "yto", "jd": "jd"})


def shop(**changes: str) -> Shop:
    return Shop(**{"id": "main", "channel": "shopify", "base_url": "https://shop.test", "domain": "a.test"} | changes)


@pytest.mark.parametrize(("carrier", "code"), [("yto", "yuantong"), ("jd", "jd"), ("yuantong", None), ("", None)])
def test_a_tracker_has_a_code_of_its_own_for_our_carrier_or_does_not_follow_it(carrier, code):
    assert TRACKER.code_of(carrier) == code


@pytest.mark.parametrize("url", ["https://shop.test", "http://127.0.0.1:8000/shops/main", "https://shop.test/a%20b"])
def test_an_address_is_a_scheme_a_host_and_a_path(url):
    assert shop(base_url=url).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "shop.test",
        "ftp://shop.test",
        "https://",
        "https://ann:secret@shop.test",
        "https://shop.test?a=b",
        "https://shop.test/a?b",
        "https://shop.test/#a",
        "https://shop.test/a b",
        "https://shop.test\n",
    ],
)
def test_an_address_with_anything_else_in_it_is_refused(url):
    with pytest.raises(ValidationError, match="base_url"):
        shop(base_url=url)


@pytest.mark.parametrize("name", ["", "Main", "main_shop", "a" * 33, "../x"])
def test_an_id_that_could_be_no_part_of_a_path_is_refused(name):
    with pytest.raises(ValidationError, match="id"):
        shop(id=name)


def test_a_shop_that_says_nothing_has_the_usual_deadlines_and_lets_the_buyer_know():
    assert (shop().deadlines, shop().notify_buyer) == (Deadlines(), True)
