"""Secrets of the local stack: made up once for each connection and kept in `secrets.json`, for both sides.

`{"webhook": {"shopify/main-shop": ["…"]}, "api": {"supplier-v1/acme": {"api_key": "…"}}}`
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.local.sandbox.players import Player, players

Secrets = dict[str, dict[str, Any]]


def complete(known: Secrets, connections: Iterable[tuple[str, str]]) -> Secrets:
    """The known secrets, plus new ones for connections (channel, id) that have none.

    If the sandbox plays the channel, they have the form that its partner uses.
    """
    webhook, api = dict(known.get("webhook", {})), dict(known.get("api", {}))
    for channel, connection in connections:
        name = f"{channel}/{connection}"
        if name not in webhook or name not in api:
            secret, credentials = players().get(channel, Player).made_up_secrets()
            webhook[name], api[name] = [secret], credentials
    return {"webhook": webhook, "api": api}


def read_secrets(file: Path) -> Secrets:
    """The content of the file; empty if there is no file."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write_secrets(file: Path, content: Secrets) -> None:
    """Write the file, readable by its owner only."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(content, indent=2) + "\n")
