"""Secrets of the local stack: made up once per connection, kept in `secrets.json`, so that both sides share them.

`{"webhook": {"shopify/main-shop": ["…"]}, "api": {"supplier-v1/acme": {"api_key": "…"}}}`
"""

import base64
import json
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Secrets = dict[str, dict[str, Any]]


def _shopify() -> tuple[str, dict[str, str]]:
    return f"shpss_{secrets.token_hex(16)}", {"access_token": f"shpat_{secrets.token_hex(16)}"}


def _supplier() -> tuple[str, dict[str, str]]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"whsec_{key}", {"api_key": f"key_{secrets.token_hex(16)}"}


def _kuaidi100() -> tuple[str, dict[str, str]]:
    salt = secrets.token_hex(8)
    return salt, {"customer": secrets.token_hex(16).upper(), "key": secrets.token_hex(6), "salt": salt}


# The webhook secret and the API credentials of one connection, in the form that its partner gives them out.
MAKERS: dict[str, Callable[[], tuple[str, dict[str, str]]]] = {
    "shopify": _shopify,
    "supplier-v1": _supplier,
    "kuaidi100": _kuaidi100,
}


def complete(known: Secrets, connections: Iterable[tuple[str, str]]) -> Secrets:
    """The known secrets, and new ones for connections (channel, id) that lack theirs."""
    webhook, api = dict(known.get("webhook", {})), dict(known.get("api", {}))
    for channel, connection in connections:
        name = f"{channel}/{connection}"
        if name not in webhook or name not in api:
            secret, credentials = MAKERS[channel]()
            webhook[name], api[name] = [secret], credentials
    return {"webhook": webhook, "api": api}


def read_secrets(file: Path) -> Secrets:
    """What the file has; nothing if there is none."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write_secrets(file: Path, content: Secrets) -> None:
    """Write the file, readable by its owner only."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(content, indent=2) + "\n")
