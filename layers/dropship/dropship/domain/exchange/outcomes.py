"""How a call to a partner ended, where it did not simply succeed."""

from dropship.domain.fact import Fact


class Refused(Fact):
    """The partner said no, provably without effect; `words` are its own, for a person to read."""

    words: str


class Busy(Fact):
    """Nothing happened; ask again, after `retry_after` seconds if the partner said so.

    `why` says, in our words, what a person has to mend first, such as a key that is not taken; empty where nothing.
    """

    retry_after: int | None = None
    why: str = ""


class Unknown(Fact):
    """Nobody can tell whether it happened: no answer, a server error, or an answer that makes no sense."""

    why: str


class Absent(Fact):
    """The partner has nothing under our reference."""
