"""How the partners sign, and check our signatures. Written independently of the connectors that it tests."""

import base64
import hashlib
import hmac


def hmac_sha256_base64(secret: str, body: bytes) -> str:
    """The `X-Shopify-Hmac-Sha256` or `X-WC-Webhook-Signature` of a webhook."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def standard_webhook(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a Standard Webhooks message; `timestamp` in seconds."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def md5_upper(*parts: str) -> str:
    """The `sign` of a 快递100 push (over `param` and salt) or query (over `param`, key and customer)."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest().upper()
