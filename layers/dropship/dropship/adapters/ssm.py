"""Secrets in SSM parameters, cached for five minutes. A secret's content is in no message, log or error."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from dropship.ports import NotFound, Unavailable

from . import session
from .expiring import Expiring
from .session import unavailable_if_passing

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

KNOWN_FOR_S = 300.0
UNKNOWN_FOR_S = 10.0
GUESSES, GUESSES_WITHIN_S = 20, 60.0  # decision 40
"""How many unknown names may be asked for, and within how many seconds.

Parameter Store answers 40 requests per second for the whole account, and anybody may send a webhook with any name.
"""
_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+){1,4}")

Fields = Mapping[str, object]


class SsmSecrets:
    """Implements `ports.Secrets`. The secret `webhook/shopify/main-shop` is the parameter `{prefix}/webhook/…`."""

    def __init__(
        self,
        prefix: str,
        ssm: "Callable[[], SSMClient]" = session.ssm,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._prefix = prefix
        self._ssm = ssm
        self._known: Expiring[Fields] = Expiring(clock)
        self._unknown: Expiring[bool] = Expiring(clock)
        self._clock = clock
        self._guesses: deque[float] = deque(maxlen=GUESSES)
        self._seen: set[str] = set()

    def get(self, name: str, *, newer_than_s: float | None = None) -> Fields:
        """The secret's fields. That a secret does not exist is cached for ten seconds.

        Raises:
            NotFound: there is no secret of that name.
            Unavailable: it cannot be read now; or it was never read, and too many unknown names were asked for lately.
        """
        fields = self._known.get(name, newer_than_s)
        if fields is not None:
            return fields
        if not _NAME.fullmatch(name) or self._unknown.get(name, newer_than_s):
            raise NotFound(f"there is no secret {name[:100]!r}")
        guessing = len(self._guesses) == GUESSES and self._clock() - self._guesses[0] < GUESSES_WITHIN_S
        if guessing and name not in self._seen:
            raise Unavailable("too many names that are no secret's were asked for")
        fields = self._read(name)
        self._seen.add(name)
        self._known.keep(name, fields, KNOWN_FOR_S)
        return fields

    def put(self, name: str, fields: Fields) -> None:
        """Store new fields of an existing secret, encrypted with the account's key for parameters.

        Raises:
            Unavailable: they cannot be stored now.
        """
        client, value = self._ssm(), json.dumps(fields, ensure_ascii=False)
        with unavailable_if_passing(f"keep the secret {name}"):
            client.put_parameter(Name=f"{self._prefix}/{name}", Value=value, Type="SecureString", Overwrite=True)
        self._known.keep(name, fields, KNOWN_FOR_S)

    def _read(self, name: str) -> Fields:
        client = self._ssm()
        try:
            with unavailable_if_passing(f"read the secret {name}"):
                answer = client.get_parameter(Name=f"{self._prefix}/{name}", WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            self._unknown.keep(name, value=True, seconds=UNKNOWN_FOR_S)
            self._guesses.append(self._clock())
            raise NotFound(f"there is no secret {name}") from None
        try:
            fields = json.loads(answer["Parameter"]["Value"])
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise Unavailable(f"the secret {name} is not a JSON object; correct the parameter")
        return fields
