"""Secrets in SSM parameters, remembered for a few minutes. A secret's content is in no message, log or error."""

import json
import re
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

    def get(self, name: str, *, newer_than_s: float | None = None) -> Fields:
        """The secret's fields. That there is none is remembered for ten seconds."""
        fields = self._known.get(name, newer_than_s)
        if fields is not None:
            return fields
        if not _NAME.fullmatch(name) or self._unknown.get(name, newer_than_s):
            raise NotFound(f"there is no secret {name[:100]!r}")
        fields = self._read(name)
        self._known.keep(name, fields, KNOWN_FOR_S)
        return fields

    def _read(self, name: str) -> Fields:
        client = self._ssm()
        try:
            with unavailable_if_passing(f"read the secret {name}"):
                answer = client.get_parameter(Name=f"{self._prefix}/{name}", WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            self._unknown.keep(name, value=True, seconds=UNKNOWN_FOR_S)
            raise NotFound(f"there is no secret {name}") from None
        try:
            fields = json.loads(answer["Parameter"]["Value"])
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise Unavailable(f"the secret {name} is not a JSON object; correct the parameter")
        return fields
