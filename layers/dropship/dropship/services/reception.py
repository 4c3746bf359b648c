"""The front door for webhooks: verify, keep the exact bytes in a queue, answer. No parsing, no database.

Decision 1 says how it knows which senders to accept.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dropship.connectors import find
from dropship.connectors.contract import (
    BadSignature,
    Greets,
    Incapable,
    KeepsQuery,
    RawRequest,
    Receives,
    UnknownChannel,
    able,
    needed,
)
from dropship.ports import Clock, NotFound, Queues, Secrets, Unavailable

MAX_BODY = 700 * 1024
# An SQS message holds 1 MiB. A body whose JSON text would be longer than this is sent as base64.
MAX_TEXT = 1_000_000
QUEUE_OF_ROLE = {"marketplace": "inbox", "supplier": "supplier-events", "tracker": "tracking"}
# After a rotation the cached secret may be the old one, so it is read again, but not for every forged request.
SECRET_RECHECK_S = 30.0


JSON, TEXT = "application/json", "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What the sender is told."""

    status: int
    body: bytes
    content_type: str = JSON


def receive(
    channel: str, connection: str, request: RawRequest, secrets: Secrets, queues: Queues, clock: Clock
) -> Answer:
    """Take in one webhook or answer a greeting: 200 once it is durable, 503 if not kept, or 401, 404, 405, 413."""
    if len(request.body) > MAX_BODY:
        return _refuse(413, f"the body is larger than {MAX_BODY} bytes")
    try:
        return _take_in(channel, connection, request, secrets, queues, clock)
    except (UnknownChannel, Incapable, NotFound):
        return _refuse(404, "no such channel or connection")
    except BadSignature:
        return _refuse(401, "the signature is missing or wrong")
    except Unavailable:
        return _refuse(503, "not kept; please send it again")


def _take_in(
    channel: str, connection: str, request: RawRequest, secrets: Secrets, queues: Queues, clock: Clock
) -> Answer:
    role, connector = find(channel)
    door = _Door(connector, f"webhook/{channel}/{connection}", request, secrets, clock)
    greeting = door.greeting()
    if greeting is not None:
        return _taken(greeting)
    if request.method != "POST":
        return _refuse(405, "only a greeting may come by another method than POST")
    receiver = needed(connector, Receives)
    door.verify(receiver)
    queues.send(QUEUE_OF_ROLE[role], envelope(channel, connection, receiver, request))
    return _taken(receiver.accepted)


def _taken(answer: bytes) -> Answer:
    return Answer(200, answer, JSON if answer[:1] in {b"{", b"["} else TEXT)


def _refuse(status: int, why: str) -> Answer:
    return Answer(status, json.dumps({"error": why}).encode())


class _Door(NamedTuple):
    """One request before its connection's secrets."""

    connector: object
    secret: str
    request: RawRequest
    secrets: Secrets
    clock: Clock

    def greeting(self) -> bytes | None:
        """The answer to a greeting; None if the request is no greeting."""
        greeter = able(self.connector, Greets)
        return None if greeter is None else self._with_secrets(greeter.greet)

    def verify(self, receiver: Receives) -> None:
        """Raise BadSignature if the request is not signed correctly."""
        self._with_secrets(receiver.verify)

    def _with_secrets[Result](self, look: Callable[[RawRequest, Sequence[str], datetime], Result]) -> Result:
        now = self.clock.now()
        try:
            return look(self.request, _texts(self.secrets.get(self.secret)), now)
        except BadSignature:
            newer = self.secrets.get(self.secret, newer_than_s=SECRET_RECHECK_S)
            return look(self.request, _texts(newer), now)


def _texts(secret: Mapping[str, object]) -> list[str]:
    values = secret.get("secrets")
    return [value for value in values if isinstance(value, str) and value] if isinstance(values, list) else []


def envelope(channel: str, connection: str, receiver: Receives, request: RawRequest) -> str:
    """The queue message: the body exactly as it came, and the headers and query fields that its reader needs.

    `messages.Webhook` reads it.
    """
    message: dict[str, object] = {
        "kind": "webhook",
        "channel": channel,
        "connection": connection,
        "headers": _kept(request.headers, receiver.kept_headers),
    }
    if keeper := able(receiver, KeepsQuery):
        message["query"] = _kept(request.query, keeper.kept_query)
    try:
        text = json.dumps(message | {"body": request.body.decode()})
    except UnicodeDecodeError:
        text = ""
    if text and len(text) <= MAX_TEXT:
        return text
    return json.dumps(message | {"body_base64": base64.b64encode(request.body).decode()})


def _kept(values: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: values[name] for name in names if name in values}
