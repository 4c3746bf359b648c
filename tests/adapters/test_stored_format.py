"""The format in which texts are stored: they are read as they were written, for ever, or refused with the reason."""

import hashlib
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship.adapters.stored_format import FORMAT, LARGEST, WORDS, Unreadable, pack, unpack
from dropship.domain.errors import InvariantBroken
from tests.support.aggregate_examples import case, marketplace_order, order, shipped

DIGESTS = {1: "900ce323f0ee6d823486c220850d39a70d4626a95a036c97b82e8989547b1e41"}
"""The digest of the words of each format ever written. Add new ones; none of them may change."""
TEXT = b'{"shop":"main-shop","external_id":"1001","status":"DELIVERED"}'
WRITTEN = {1: "01787db5d72e6a835717b9899979ba60367abd6168606088c374007de51366"}
"""`TEXT` as each format wrote it."""
BODIES = [each.model_dump_json(exclude_defaults=True) for each in (order(), shipped(), case(), marketplace_order())]
bodies = pytest.mark.parametrize("body", BODIES, ids=["order", "shipped", "case", "source"])


def test_the_words_of_a_format_never_change():
    assert {number: hashlib.sha256(words).hexdigest() for number, words in WORDS.items()} == DIGESTS
    assert max(WORDS) == FORMAT, "words that changed are a new format"


@pytest.mark.parametrize("number", WRITTEN)
def test_what_any_format_wrote_is_read(number):
    assert unpack({"B": bytes.fromhex(WRITTEN[number])}) == TEXT


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_as_it_was_written(text):
    assert unpack(pack(text)) == text.encode()


@bodies
def test_what_is_stored_takes_half_as_much_as_its_text(body):
    assert len(pack(body)["B"]) < len(body) / 2


@given(st.sampled_from(BODIES), st.data())
def test_what_is_damaged_in_any_place_is_refused_or_read_as_it_was_written(body, data):
    packed = pack(body)["B"]
    place, bit = data.draw(st.integers(0, len(packed) - 1)), data.draw(st.integers(0, 7))
    damaged = bytearray(packed)
    damaged[place] ^= 1 << bit
    with suppress(Unreadable):
        assert unpack({"B": bytes(damaged)}) == body.encode(), "some bits of the stream mean nothing"


@given(st.sampled_from(BODIES), st.data())
def test_what_was_cut_off_or_goes_on_is_refused(body, data):
    packed = pack(body)["B"]
    for value in (packed[: data.draw(st.integers(0, len(packed) - 1))], packed + b"\0"):
        with pytest.raises(Unreadable):
            unpack({"B": value})


@given(st.binary(max_size=300))
def test_bytes_that_are_none_of_ours_are_refused(value):
    with pytest.raises(Unreadable):
        unpack({"B": value})


def test_a_text_that_was_not_packed_is_refused():
    with pytest.raises(Unreadable, match="no format of ours"):
        unpack({"S": BODIES[0]})


def test_what_a_newer_version_wrote_is_refused_by_the_number_of_its_format():
    newer = bytes([FORMAT + 1]) + pack(BODIES[0])["B"][1:]
    with pytest.raises(Unreadable, match=f"written by a newer version, in format {FORMAT + 1}"):
        unpack({"B": newer})


def test_what_would_fill_the_memory_is_refused_before_it_does():
    stream = zlib.compressobj(9, zdict=WORDS[FORMAT])
    bomb = bytes([FORMAT]) + stream.compress(bytes(20 * LARGEST)) + stream.flush()
    assert len(bomb) < 400_000, "it fits into an item"
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="larger than any we write"):
            unpack({"B": bomb})
        assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST
    finally:
        tracemalloc.stop()


def test_no_text_is_written_that_would_not_be_read():
    assert len(unpack(pack("x" * LARGEST))) == LARGEST
    with pytest.raises(InvariantBroken, match="too large to be stored"):
        pack("x" * (LARGEST + 1))
