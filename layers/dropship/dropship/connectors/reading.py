"""Reads what partners send: strict JSON, and fields with errors that name the field by its path."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from dropship.domain.errors import InvalidMessage
from dropship.domain.identity import EXTERNAL_ID

from . import models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from .contract import Access

WORDS_LIMIT = 500
ABOUT_US = frozenset({401, 402, 403, 407, 423})
"""Statuses about our key or account, not about the request; the request works once a person has corrected that."""
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")
_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,20})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_UNITS = 1_000_000
_LONGEST_WAIT_S = 3600


def read_json(raw: bytes | str) -> Fields:
    """The JSON object in `raw`: UTF-8 (a byte order mark is ignored), no name twice, no NaN or Infinity.

    Numbers with a fraction become Decimal.

    Raises:
        InvalidMessage: `raw` is anything else.
    """
    values = _load(raw)
    if not isinstance(values, dict):
        raise InvalidMessage(f"a JSON {type(values).__name__} where an object belongs")
    return Fields(values)


def read_json_rows(raw: bytes | str) -> list[Fields]:
    """The objects of the JSON list in `raw`, each read as by `read_json`.

    Raises:
        InvalidMessage: `raw` is anything else.
    """
    values = _load(raw)
    if not isinstance(values, list):
        raise InvalidMessage(f"a JSON {type(values).__name__} where a list belongs")
    return Fields({"": values}).rows("")


def _load(raw: bytes | str) -> object:
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_named_once)
    except RecursionError:
        raise InvalidMessage("JSON nested too deep") from None
    except (ValueError, ArithmeticError) as malformed:  # also: not UTF-8, thousands of digits
        raise InvalidMessage(f"not JSON: {cut(str(malformed), 200)}") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object names a field twice")
    return values


def cut(text: str, limit: int = WORDS_LIMIT) -> str:
    """The text without control characters and outer blanks, cut to `limit` characters."""
    if not (text.isascii() and text.isprintable()):
        text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be stored or sent on
        text = text.translate(_CONTROLS)
    return text.strip()[:limit].strip()


def retry_after(response: models.HttpResponse) -> int | None:
    """Seconds to wait, from the header Retry-After, at most one hour; None if the partner does not say."""
    seconds = response.headers.get("retry-after", "").strip()
    if seconds.isascii() and seconds.isdecimal() and len(seconds) <= 9:
        return min(int(seconds), _LONGEST_WAIT_S)
    return None


def credential(access: Access, name: str) -> str:
    """One text of the connection's API secret; raises NotFound if the secret has no such text."""
    value = access.secret.get(name)
    if not (isinstance(value, str) and value):
        raise models.NotFound(f"the API secret of the connection has no text {name!r}")
    return value


class Fields:
    """A JSON object whose fields are read one by one. A field that cannot be read raises InvalidMessage with its path.

    A missing field and null are the same. Partners write the same field sometimes as text and sometimes as a number, so
    ids and texts may be either. A count has to be a number.
    """

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self._values = values
        self._path = path

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def text(self, name: str, limit: int = 255) -> str:
        """A text, cut to `limit` characters; empty if there is none."""
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.invalid(name, "is not a text")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise self.invalid(name, "holds half a character (a lone surrogate)")
        return cut(value, limit)

    def id(self, name: str) -> str:
        """An id, as text: 1 to 64 of A-Z a-z 0-9 _ -, or a whole number."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**64:
            return str(value)
        if isinstance(value, str) and EXTERNAL_ID.fullmatch(value):
            return value
        raise self.invalid(name, "is not an id")

    def count(self, name: str, least: int = 0) -> int:
        """A whole number of units, from `least` to a million; neither text nor fraction."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST_UNITS:
            return value
        raise self.invalid(name, f"is not a whole number from {least} to {_MOST_UNITS}")

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false; `default` if there is none."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        raise self.invalid(name, "is neither true nor false")

    def time(self, name: str, zone: tzinfo | None = None) -> datetime:
        """A time in UTC, read from ISO 8601 with an offset; without an offset it is in `zone`, if that is given.

        Use it for times that decide something, such as which of two snapshots is later. See `time_or_none`.
        """
        found = self.time_or_none(name, zone)
        if found is None:
            raise self.invalid(name, "is not an ISO 8601 time with an offset")
        return found

    def time_or_none(self, name: str, zone: tzinfo | None = None) -> datetime | None:
        """Like `time`, for a time that people only read: None if it cannot be read, and no error."""
        value = self._values.get(name)
        try:
            local = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
            if local is None or not (local.tzinfo or zone):
                return None
            found = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return found if 2000 <= found.year < 2200 else None

    def amount_or_none(self, name: str, currency: str) -> models.Money | None:
        """An amount in major units of the currency, zero or more, as text or number, rounded to the minor unit.

        People only read it: None if it cannot be read, and no error.
        """
        value = self._values.get(name)
        amount = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
        if not (_AMOUNT.fullmatch(amount) and _CURRENCY.fullmatch(currency)):
            return None
        try:
            return models.Money.nearest(Decimal(amount), currency)
        except InvalidMessage:  # the amount is too large
            return None

    def child(self, name: str) -> Fields:
        """An object; raises InvalidMessage if there is none."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise self.invalid(name, "is not an object")
        return Fields(value, f"{self._path}{name}.")

    def rows_if_any(self, name: str) -> list[Fields]:
        """A list of objects; empty if there is none."""
        return self.rows(name) if self.has(name) else []

    def rows(self, name: str) -> list[Fields]:
        """A list of objects, which may be empty. Use it for what decides, such as the lines of an order."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise self.invalid(name, "is not a list")
        rows = []
        for index, row in enumerate(value):
            if not isinstance(row, dict):
                raise self.invalid(f"{name}[{index}]", "is not an object")
            rows.append(Fields(row, f"{self._path}{name}[{index}]."))
        return rows

    def invalid(self, name: str, why: str) -> InvalidMessage:
        """The error that says what is wrong with a field, but not its value, which may be a buyer's data."""
        there = name in self._values or "[" in name
        return InvalidMessage(f"{self._path}{name} {why if there else 'is missing'}")
