"""Signatures of partners: one function for each scheme, over the exact bytes. Pure: the caller passes the time."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

from .contract import BadSignature

TOLERANCE_S = 300
"""How far a Standard Webhooks timestamp may be from our clock, in seconds, either way."""


def matches(given: str, expected: Iterable[str]) -> bool:
    """Whether the given signature is one of the expected, compared in constant time."""
    given_bytes = given.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given_bytes, one.encode()) for one in expected)


def hmac_sha256_base64(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw body (Shopify, WooCommerce, AfterShip)."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def standard_webhooks(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks 1.0.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.

    Raises:
        ValueError: the secret is not base64, with or without `whsec_` before it.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not key:
        raise ValueError("the secret is empty")
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def check_standard_webhooks(
    signature: str, message_id: str, timestamp: str, body: bytes, secrets: Sequence[str], now: datetime
) -> None:
    """Check a Standard Webhooks delivery; `signature` may hold several signatures, separated by blanks.

    Raises:
        BadSignature: no signature fits any of the secrets, or `timestamp` is not within `TOLERANCE_S` of `now`.
    """
    if not (message_id and signature):
        raise BadSignature("no message id or no signature")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise BadSignature("the timestamp is not in unix seconds")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise BadSignature(f"signed more than {TOLERANCE_S} s from now")
    expected = []
    for secret in secrets:
        try:
            expected.append(standard_webhooks(secret, message_id, timestamp, body))
        except (ValueError, binascii.Error) as malformed:
            raise BadSignature("a secret of this connection is not base64") from malformed
    if not any(matches(given, expected) for given in signature.split(" ")):
        raise BadSignature("the signature fits none of the secrets")


def md5_upper(*parts: str) -> str:
    """MD5 over the joined parts, as upper-case hex (快递100: over `param`, then a salt, or key and customer)."""
    text = "".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()
