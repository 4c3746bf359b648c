"""Connectors: one file each, found by channel name, imported only when the channel is seen.

The channel `supplier-v1` is the module `supplier_v1` in one of the three folders. A name with a digit first cannot be
imported, so `17track` is `_17track`. The folder says what kind of partner it is; the connector's methods say what it
can do (`contract`). A connector is pure: it verifies, reads and builds, and its caller does all input and output.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

from .contract import UnknownChannel

Role = Literal["marketplace", "supplier", "tracker"]
FOLDERS: dict[str, Role] = {"marketplaces": "marketplace", "suppliers": "supplier", "trackers": "tracker"}
CHANNEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CONNECTORS: dict[str, object] = {}


class Registered(NamedTuple):
    """A connector, and the role of its partner."""

    role: Role
    connector: object


def connector[Kind](channel: str) -> Callable[[type[Kind]], type[Kind]]:
    """Register the decorated class under its channel name."""

    def register(kind: type[Kind]) -> type[Kind]:
        _CONNECTORS[channel] = kind()
        return kind

    return register


def module_of(channel: str) -> str:
    """The name of the file of a channel's connector, without its folder and `.py`."""
    name = channel.replace("-", "_")
    return f"_{name}" if name[:1].isdigit() else name


@cache
def find(channel: str) -> Registered:
    """The connector of a channel.

    Raises:
        UnknownChannel: no connector has that name, or the file of that name registers another.
    """
    if CHANNEL.fullmatch(channel):
        for folder, role in FOLDERS.items():
            name = f"{__name__}.{folder}.{module_of(channel)}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
                if channel not in _CONNECTORS:
                    raise UnknownChannel(f"{name} registers no channel {channel!r}: compare its name in @connector(…)")
                return Registered(role, _CONNECTORS[channel])
    raise UnknownChannel(f"no connector for channel {channel[:40]!r}")


def marketplace(channel: str) -> object:
    """The marketplace connector of a channel; UnknownChannel if there is none."""
    return _of_role(channel, "marketplace")


def supplier(channel: str) -> object:
    """The supplier connector of a channel; UnknownChannel if there is none."""
    return _of_role(channel, "supplier")


def tracker(channel: str) -> object:
    """The tracker connector of a channel; UnknownChannel if there is none."""
    return _of_role(channel, "tracker")


def _of_role(channel: str, role: Role) -> object:
    found = find(channel)
    if found.role != role:
        raise UnknownChannel(f"channel {channel} is a {found.role}, not a {role}")
    return found.connector
