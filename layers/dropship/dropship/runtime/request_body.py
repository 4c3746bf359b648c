"""The body of an HTTP request as it came, out of what API Gateway makes of it."""

import base64
from collections.abc import Mapping


def request_body(event: Mapping[str, object]) -> bytes:
    """The body's bytes; API Gateway hands them over as text, or in base64 where it takes them for no text."""
    text = str(event.get("body") or "")
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
