"""How a call to a partner ended, if it did not succeed."""

from dropship.domain.fact import Fact


class Refused(Fact):
    """The partner said no, so the call certainly had no effect; `words` are its own, for a person to read."""

    words: str


class Busy(Fact):
    """Nothing happened; ask again, after `retry_after` seconds if the partner said so.

    `why` says, in our own words, what a person has to correct first, for example a refused key; empty if nothing.
    """

    retry_after: int | None = None
    why: str = ""


class Unknown(Fact):
    """It is not known whether it happened: no answer, a server error, or an answer that breaks the contract."""

    why: str


class Absent(Fact):
    """The partner has nothing under our reference."""
