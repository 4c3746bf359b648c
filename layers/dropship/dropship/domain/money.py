"""Money: whole minor units of a currency, never a float."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Self

from pydantic import ConfigDict, Field

from .errors import InvalidMessage, InvariantBroken
from .fact import Fact

# ISO 4217 currencies whose minor unit is not 1/100: the number of their decimal places.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_CURRENCY = re.compile(r"[A-Z]{3}")
# With these traps, an inexact result is an error.
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation, Overflow])


class Money(Fact):
    """An amount in minor units (cents, fen) of an ISO 4217 currency."""

    model_config = ConfigDict(strict=True)

    minor: int
    currency: str = Field(pattern=rf"^{_CURRENCY.pattern}$")

    @classmethod
    def parse(cls, amount: str | int | Decimal, currency: str) -> Self:
        """Read an amount in major units, as marketplaces write it (`"19.90"`).

        Raises:
            InvalidMessage: not a finite number, or finer than the currency's minor unit.
        """
        try:
            scaled = Decimal(amount).scaleb(_EXPONENTS.get(currency, 2), _EXACT)
            if not _CURRENCY.fullmatch(currency) or not scaled.is_finite() or abs(scaled) > 10**15:
                raise InvalidOperation
            whole = int(scaled.to_integral_exact(context=_EXACT))
        except ArithmeticError:
            raise InvalidMessage(f"no amount in whole minor units of {currency[:8]!r}: {amount!s:.40}") from None
        return cls(minor=whole, currency=currency)

    @classmethod
    def nearest(cls, amount: Decimal, currency: str) -> Self:
        """Read an amount in major units, rounded to the minor unit: only for amounts that people read, not for sums.

        Raises:
            InvalidMessage: not a finite number.
        """
        try:
            whole = amount.quantize(Decimal(1).scaleb(-_EXPONENTS.get(currency, 2)), ROUND_HALF_UP)
        except ArithmeticError:
            raise InvalidMessage(f"no amount of {currency[:8]!r}") from None
        return cls.parse(whole, currency)

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise InvariantBroken(f"cannot add {other.currency} to {self.currency}")
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def times(self, quantity: int) -> "Money":
        """The amount for `quantity` units."""
        return Money(minor=self.minor * quantity, currency=self.currency)

    def __str__(self) -> str:
        exponent = _EXPONENTS.get(self.currency, 2)
        return f"{Decimal(self.minor).scaleb(-exponent):.{exponent}f} {self.currency}"
