"""The exact body of an HTTP request, from the event that API Gateway makes of it."""

import base64
from collections.abc import Mapping


def request_body(event: Mapping[str, object]) -> bytes:
    """The body's bytes. API Gateway passes them as text, or as base64 if it thinks they are not text."""
    text = str(event.get("body") or "")
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
