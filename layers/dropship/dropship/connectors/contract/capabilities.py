"""What a connector is able to do is seen from the methods it has; nothing else is said about it."""

from functools import cache
from typing import cast, get_protocol_members

from .requests import Incapable


def able[Capability](connector: object, capability: type[Capability]) -> Capability | None:
    """The connector, if its class has all that the capability's protocol names; None otherwise."""
    has = _has(type(connector), cast(type[object], capability))
    return cast(Capability, connector) if has else None


def needed[Capability](connector: object, capability: type[Capability]) -> Capability:
    """The connector, which has to have that capability; Incapable otherwise."""
    found = able(connector, capability)
    if found is None:
        raise Incapable(f"connector {type(connector).__name__} lacks the capability {capability.__name__}")
    return found


@cache
def _has(kind: type[object], capability: type[object]) -> bool:
    return all(hasattr(kind, member) for member in get_protocol_members(capability))
