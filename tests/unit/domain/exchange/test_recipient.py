"""The fields that an address label needs."""

import pytest

from dropship.domain.exchange.marketplace import Recipient

WHOLE = {"name": "Ann Lee", "address1": "1 Main St", "city": "Yiwu", "country_code": "CN"}


@pytest.mark.parametrize("nothing", ["", " ", "\u3000", "\u200b\u200d", "\ufeff \u2060", "\u202e\u202c"])
def test_what_nobody_can_see_is_missing(nothing: str) -> None:
    assert Recipient(**WHOLE | {"name": nothing, "city": nothing}).missing == ["name", "city"]


@pytest.mark.parametrize("text", ["李", "\u202eeel nnA\u202c", "An\u200bn", "٣", "-"])
def test_what_can_be_seen_is_there(text: str) -> None:
    assert Recipient(**WHOLE | {"name": text}).missing == []
