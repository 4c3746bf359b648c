"""How the partners sign, and how they want to be signed to. Written apart from the connectors that it tests."""

import base64
import hashlib
import hmac


def shopify(secret: str, body: bytes) -> str:
    """The `X-Shopify-Hmac-Sha256` of a webhook."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def standard_webhook(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a Standard Webhooks message; `timestamp` in seconds."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def kuaidi100_push(salt: str, param: str) -> str:
    """The `sign` of a 快递100 push."""
    return _md5(param + salt)


def kuaidi100_query(key: str, customer: str, param: str) -> str:
    """The `sign` of a 快递100 query."""
    return _md5(param + key + customer)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()
