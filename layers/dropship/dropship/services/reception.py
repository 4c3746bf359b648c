"""The front door: verify, keep the exact bytes in a queue, answer. Nothing is parsed, no database is asked.

Decision 1 says how it knows who may come in.
"""

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple

from dropship.connectors import find
from dropship.connectors.contract import BadSignature, Connector, RawRequest, UnknownChannel
from dropship.ports import Clock, NotFound, Queues, Secrets, Unavailable

MAX_BODY = 700 * 1024
# A message of SQS holds 1 MiB; a body that is longer as JSON text than as base64 travels as the latter.
MAX_TEXT = 1_000_000
QUEUE_OF_ROLE = {"marketplace": "inbox", "supplier": "supplier-events", "tracker": "tracking"}
# After a rotation the cached secret may be the old one; look again, but not for every forged request.
SECRET_RECHECK_S = 30.0


class Answer(NamedTuple):
    """What the sender is told."""

    status: int
    body: bytes


def receive(
    channel: str, connection: str, request: RawRequest, secrets: Secrets, queues: Queues, clock: Clock
) -> Answer:
    """Take in one webhook: 200 once it is durable, 401, 404, 413, or 503 where it could not be kept."""
    if len(request.body) > MAX_BODY:
        return _refuse(413, f"the body is larger than {MAX_BODY} bytes")
    try:
        connector = find(channel)
        _verify(connector, f"webhook/{channel}/{connection}", request, secrets, clock)
        queues.send(QUEUE_OF_ROLE[connector.role], envelope(channel, connection, connector, request))
    except (UnknownChannel, NotFound):
        return _refuse(404, "no such channel or connection")
    except BadSignature:
        return _refuse(401, "the signature is missing or wrong")
    except Unavailable:
        return _refuse(503, "not kept; please send it again")
    return Answer(200, connector.accepted)


def _refuse(status: int, why: str) -> Answer:
    return Answer(status, json.dumps({"error": why}).encode())


def _verify(connector: Connector, name: str, request: RawRequest, secrets: Secrets, clock: Clock) -> None:
    now = clock.now()
    try:
        connector.verify(request, _texts(secrets.get(name)), now)
    except BadSignature:
        connector.verify(request, _texts(secrets.get(name, newer_than_s=SECRET_RECHECK_S)), now)


def _texts(secret: Mapping[str, object]) -> list[str]:
    values = secret.get("secrets")
    return [value for value in values if isinstance(value, str) and value] if isinstance(values, list) else []


def envelope(channel: str, connection: str, connector: Connector, request: RawRequest) -> str:
    """The queue message: the bytes as they came, and the headers its reader needs. `messages.Webhook` reads it."""
    message = {
        "kind": "webhook",
        "channel": channel,
        "connection": connection,
        "headers": {name: request.headers[name] for name in connector.kept_headers if name in request.headers},
    }
    try:
        text = json.dumps(message | {"body": request.body.decode()})
    except UnicodeDecodeError:
        text = ""
    if text and len(text) <= MAX_TEXT:
        return text
    return json.dumps(message | {"body_base64": base64.b64encode(request.body).decode()})
