"""One HTTP request to the sandbox and its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl


class Malformed(Exception):
    """The request is not valid: it is answered with 400 and this message."""


class Dropped(Exception):
    """The connection has to be closed without an answer."""


@dataclass(frozen=True)
class Request:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object.

        Raises:
            Malformed: the body is not a JSON object.
        """
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise Malformed("the body is not JSON") from None
        if not isinstance(value, dict):
            raise Malformed("the body is not a JSON object")
        return value

    def read[Kind](self, kind: type[Kind]) -> Kind:
        """The body as a dataclass of that kind.

        Raises:
            Malformed: the body has other fields.
        """
        try:
            return kind(**self.json())
        except TypeError as problem:
            raise Malformed(str(problem).split(".__init__() ")[-1]) from None

    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def readable_body(self) -> object:
        """The body for people and tests: parsed if it is JSON or a form, else as text."""
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            return self.form()
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Self:
        """An answer in JSON; a header's underscores become hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), {"Content-Type": "application/json"} | named)
