"""Reading what partners send, even if it is hostile."""

import contextlib
import json
from datetime import UTC, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship.connectors.reading import credential, cut, read_json, read_json_rows, retry_after
from dropship.domain.errors import InvalidMessage
from dropship.domain.money import Money
from dropship.ports import NotFound
from tests.support.recorded import access, answer


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1e99999999999999999999}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":2}',
        b'{"a":"\xff"}',
        b'{"a":"\x00"}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"\xed\xa0\x80"}',
    ],
    ids=lambda raw: repr(raw[:12]) + str(len(raw)),
)
def test_what_is_not_one_json_object_in_utf8_is_refused(raw):
    with pytest.raises(InvalidMessage):
        read_json(raw)


def test_a_byte_order_mark_is_passed_over():
    assert read_json(b'\xef\xbb\xbf{"a":"b"}').text("a") == "b"


def test_fractions_are_exact():
    assert read_json(b'{"a":89.99}').amount_or_none("a", "USD").minor == 8999


@pytest.mark.parametrize("value", [True, "3", 1.5, -1, None, [], {}, 1_000_001, 10**4000])
def test_a_count_is_a_whole_number_and_nothing_else(value):
    with pytest.raises(InvalidMessage, match=r"^lines\[0\].quantity is"):
        read_json(json.dumps({"lines": [{"quantity": value}]}).encode()).rows("lines")[0].count("quantity")


def test_a_missing_field_is_named_by_its_path():
    with pytest.raises(InvalidMessage, match=r"^data\.reference is missing$"):
        read_json(b'{"data":{}}').child("data").id("reference")


@pytest.mark.parametrize("value", [True, 1.0, -5, "", "a b", "a#b", "a\0", "é", "\ud800", "x" * 65, 10**64, None])
def test_what_could_not_be_a_key_is_no_id(value):
    with pytest.raises(InvalidMessage):
        read_json(json.dumps({"id": value}).encode()).id("id")


def test_ids_keep_all_their_digits():
    assert read_json(b'{"id":820982911946154508}').id("id") == "820982911946154508"


def test_texts_are_trimmed_cut_and_freed_of_control_characters():
    fields = read_json(json.dumps({"a": " x\0y\n\u0085 ", "b": "长" * 300, "c": 12, "d": None}).encode())
    assert fields.text("a") == "x y"
    assert fields.text("b") == "长" * 255
    assert (fields.text("c"), fields.text("d"), fields.text("none")) == ("12", "", "")


def test_half_a_character_is_refused():
    with pytest.raises(InvalidMessage, match="surrogate"):
        read_json(b'{"a":"\\ud83d"}').text("a")
    assert cut("a\ud83db") == "a?b"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-20T13:01:19-04:00", "2026-11-20T17:01:19+00:00"),
        ("2026-11-20T08:15:30.123456789Z", "2026-11-20T08:15:30.123456+00:00"),
    ],
)
def test_moments_become_utc(text, utc):
    assert read_json(json.dumps({"at": text}).encode()).time("at").isoformat() == utc


@pytest.mark.parametrize(
    "value", ["2026-11-20T13:01:19", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", "soon", 1, None, True]
)
def test_what_names_no_moment_is_refused_where_it_decides_and_none_where_it_informs(value):
    fields = read_json(json.dumps({"at": value}).encode())
    with pytest.raises(InvalidMessage):
        fields.time("at")
    assert fields.time_or_none("at") is None


def test_a_time_without_offset_is_that_of_the_zone_that_the_partner_means():
    fields = read_json(b'{"at":"2026-11-20 13:01:19","sure":"2026-11-20T13:01:19+00:00"}')
    china = timezone(timedelta(hours=8))
    assert fields.time("at", UTC).isoformat() == "2026-11-20T13:01:19+00:00"
    assert fields.time_or_none("at", china).isoformat() == "2026-11-20T05:01:19+00:00"
    assert fields.time("sure", china).isoformat() == "2026-11-20T13:01:19+00:00"


@pytest.mark.parametrize(
    "value",
    ["NaN", "-1.00", -1, "1e5", "1e999999", "1_0", "１", "", "9" * 14, "0." + "1" * 21, True, None, [], " 1"],
)
def test_what_is_no_amount_is_none_and_refuses_nothing(value):
    assert read_json(json.dumps({"price": value}).encode()).amount_or_none("price", "USD") is None


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("13.9563", "USD", 1396),
        ("13.955", "USD", 1396),
        ("3.33333333333", "EUR", 333),
        ("13.5", "JPY", 14),
        (3, "KWD", 3000),
    ],
)
def test_an_amount_finer_than_the_minor_unit_is_rounded(value, currency, minor):
    fields = read_json(json.dumps({"price": value}).encode())
    assert fields.amount_or_none("price", currency) == Money(minor=minor, currency=currency)


@pytest.mark.parametrize("currency", ["usd", "", "US", "DOLLARS"])
def test_an_amount_without_its_currency_is_none(currency):
    assert read_json(b'{"price":"1.00"}').amount_or_none("price", currency) is None


def test_a_list_of_objects_is_read_row_by_row():
    assert [row.id("id") for row in read_json_rows(b'[{"id":1},{"id":"b"}]')] == ["1", "b"]
    assert read_json_rows(b"[]") == []
    with pytest.raises(InvalidMessage, match=r"^\[1\]\.id is missing$"):
        read_json_rows(b'[{"id":1},{}]')[1].id("id")


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"[1]", b"[{}", b"[[]]", b'[{"a":1,"a":2}]', b"[" * 100_000])
def test_what_is_not_one_json_list_of_objects_is_refused(raw):
    with pytest.raises(InvalidMessage):
        read_json_rows(raw)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("5", 5), ("0", 0), ("86400", 3600), ("9" * 5000, None), ("-1", None), ("٣", None), ("", None)],
)
def test_retry_after_is_read_in_seconds(header, seconds):
    assert retry_after(answer(429, retry_after=header)) == seconds
    assert retry_after(answer(429)) is None


@pytest.mark.parametrize("secret", [{}, {"key": ""}, {"key": 1}, {"key": None}])
def test_a_missing_credential_is_named(secret):
    with pytest.raises(NotFound, match="'key'"):
        credential(access(**secret), "key")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(value=_JSON)
def test_every_reader_gives_a_value_or_refuses(value):
    try:
        fields = read_json(json.dumps({"x": value}).encode())
    except InvalidMessage:  # e.g. NaN
        return
    readers = [fields.text, fields.id, fields.count, fields.time, fields.time_or_none, fields.child]
    for read in [*readers, fields.rows, fields.rows_if_any, lambda name: fields.amount_or_none(name, "USD")]:
        with contextlib.suppress(InvalidMessage):
            read("x")


@pytest.mark.parametrize("written", ["{}", '{"lines": null}'])
def test_a_list_that_decides_has_to_be_there_and_may_be_empty(written):
    with pytest.raises(InvalidMessage, match=r"^lines (is missing|is not a list)$"):
        read_json(written).rows("lines")
    assert read_json('{"lines": []}').rows("lines") == []
    assert read_json(written).rows_if_any("lines") == []


def test_a_number_with_a_fraction_is_never_a_float():
    assert read_json(b'{"a":[{"b":0.1}]}').rows("a")[0]._values == {"b": Decimal("0.1")}
