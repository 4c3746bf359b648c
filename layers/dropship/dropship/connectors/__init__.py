"""Connectors: one file each, found by channel name, imported only when the channel is seen.

The channel `supplier-v1` is the module `supplier_v1` in one of the three folders. A connector is pure: it
verifies, reads and builds, and leaves all input and output to its caller.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable
from functools import cache
from typing import cast

from .contract import Connector, MarketplaceConnector, SupplierConnector, TrackerConnector, UnknownChannel

FOLDERS = ("marketplaces", "suppliers", "carriers")
CHANNEL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CONNECTORS: dict[str, Connector] = {}


def connector[C: Connector](channel: str) -> Callable[[type[C]], type[C]]:
    """Register the decorated class under its channel name."""

    def register(kind: type[C]) -> type[C]:
        _CONNECTORS[channel] = kind()
        return kind

    return register


@cache
def find(channel: str) -> Connector:
    """The connector of a channel.

    Raises:
        UnknownChannel: no connector has that name.
    """
    if CHANNEL.fullmatch(channel):
        module = channel.replace("-", "_")
        for folder in FOLDERS:
            name = f"{__name__}.{folder}.{module}"
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
                return _CONNECTORS[channel]
    raise UnknownChannel(f"no connector for channel {channel[:40]!r}")


def marketplace(channel: str) -> MarketplaceConnector:
    """The marketplace connector of a channel; UnknownChannel if there is none."""
    return cast(MarketplaceConnector, _of_role(channel, "marketplace"))


def supplier(channel: str) -> SupplierConnector:
    """The supplier connector of a channel; UnknownChannel if there is none."""
    return cast(SupplierConnector, _of_role(channel, "supplier"))


def tracker(channel: str) -> TrackerConnector:
    """The tracker connector of a channel; UnknownChannel if there is none."""
    return cast(TrackerConnector, _of_role(channel, "tracker"))


def _of_role(channel: str, role: str) -> Connector:
    found = find(channel)
    if found.role != role:
        raise UnknownChannel(f"channel {channel} is a {found.role}, not a {role}")
    return found
