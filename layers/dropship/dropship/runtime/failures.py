"""Errors in the log: what failed and where, but never the data, which may be a buyer's (decision 18)."""

import traceback

from pydantic import ValidationError

from dropship.connectors.contract import Incapable, UnknownChannel
from dropship.domain.errors import DomainError
from dropship.ports import Conflict, NotFound, Unavailable
from dropship.services.desk.ops import NotPossible

# The messages of these errors are our own and hold only keys and states. Any other error may quote its input.
_OURS = (DomainError, Conflict, NotFound, NotPossible, Unavailable, Incapable, UnknownChannel)


def is_permanent(error: object) -> bool:
    """Whether the same message will always fail, because it breaks a rule or its contract."""
    return isinstance(error, DomainError | ValidationError | Incapable | UnknownChannel)


def describe(error: BaseException) -> dict[str, object]:
    """The error for a log line: its class, its place, and its message only if that is our own."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, object] = {"error": type(error).__name__}
    if frames:
        described["at"] = f"{frames[-1].filename.rsplit('/', 2)[-1]}:{frames[-1].lineno}"
    if isinstance(error, ValidationError):
        described["fields"] = [".".join(map(str, issue["loc"])) for issue in error.errors(include_input=False)][:5]
    elif isinstance(error, _OURS):
        described["words"] = str(error)[:300]
    return described
