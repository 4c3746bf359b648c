import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dropship.domain.errors import InvalidMessage, InvariantBroken
from dropship.domain.money import Money


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "shown"),
    [
        ("19.90", "EUR", 1990, "19.90 EUR"),
        ("19.9", "EUR", 1990, "19.90 EUR"),
        ("19.900000", "EUR", 1990, "19.90 EUR"),
        (20, "EUR", 2000, "20.00 EUR"),
        (Decimal("0.01"), "USD", 1, "0.01 USD"),
        ("-5.00", "USD", -500, "-5.00 USD"),
        ("0", "CNY", 0, "0.00 CNY"),
        ("500", "JPY", 500, "500 JPY"),
        ("500.00", "JPY", 500, "500 JPY"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
        ("1E+2", "EUR", 10000, "100.00 EUR"),
        ("10000000000000", "EUR", 10**15, "10000000000000.00 EUR"),
    ],
)
def test_amounts_are_read_into_minor_units_of_their_currency(amount, currency, minor, shown):
    money = Money.parse(amount, currency)
    assert (money.minor, str(money)) == (minor, shown)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        *[("19.999", "EUR"), ("0.5", "JPY"), ("1.2345", "KWD")],
        *[("NaN", "EUR"), ("sNaN", "EUR"), ("Infinity", "EUR"), ("-Infinity", "JPY")],
        *[("1e999999", "EUR"), ("1e999999999", "EUR"), ("1e-999999", "EUR"), ("9" * 5_000, "EUR")],
        *[("1." + "0" * 60 + "1", "EUR"), ("10000000000000.01", "EUR"), (10**40, "EUR")],
        *[("", "EUR"), ("19,90", "EUR"), ("EUR 19.90", "EUR"), ("0x10", "EUR"), ("1" * 50 + "\x00", "EUR")],
        *[("1", "eur"), ("1", ""), ("1", "EURO"), ("1", "EUR\n"), ("1", "€")],
    ],
)
def test_what_is_no_exact_amount_is_refused_before_it_is_written_out(amount, currency):
    """Written out, a million digits take 400 kB and many seconds, and a billion digits never end."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidMessage) as refusal:
            Money.parse(amount, currency)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert len(str(refusal.value)) < 120


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_what_is_shown_is_read_back(minor, currency):
    money = Money(minor=minor, currency=currency)
    assert Money.parse(*str(money).split(" ")) == money
    assert Money.model_validate_json(money.model_dump_json()) == money


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("13.9563", "EUR", 1396), ("0.005", "EUR", 1), ("0.004", "EUR", 0), ("12.5", "JPY", 13), ("1.23456", "KWD", 1235)],
)
def test_an_amount_that_only_informs_is_rounded_to_the_minor_unit(amount, currency, minor):
    assert Money.nearest(Decimal(amount), currency) == Money(minor=minor, currency=currency)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999999", "1e20"])
def test_what_is_no_amount_cannot_be_rounded_to_one(amount):
    with pytest.raises(InvalidMessage):
        Money.nearest(Decimal(amount), "EUR")


def test_sums_stay_in_one_currency():
    price = Money(minor=1990, currency="EUR")
    assert price + price.times(2) == price.times(3)
    with pytest.raises(InvariantBroken):
        price + Money(minor=1, currency="USD")


@pytest.mark.parametrize("minor", [1.0, "1", True, None])
def test_minor_units_are_whole_numbers(minor):
    with pytest.raises(ValidationError):
        Money(minor=minor, currency="EUR")
