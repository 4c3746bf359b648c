"""Capabilities: what a connector can do is decided only by the methods it has."""

from typing import cast, get_protocol_members

from .requests import Incapable

_ANSWERS: dict[tuple[type[object], type[object]], bool] = {}
"""A cache, so that each class is checked only once for each capability."""


def able[Capability](connector: object, capability: type[Capability]) -> Capability | None:
    """The connector, if its class has all members of the capability's protocol; None otherwise."""
    asked = type(connector), capability
    if asked not in _ANSWERS:
        _ANSWERS[asked] = all(hasattr(type(connector), member) for member in get_protocol_members(capability))
    return cast(Capability, connector) if _ANSWERS[asked] else None


def needed[Capability](connector: object, capability: type[Capability]) -> Capability:
    """The connector; raises Incapable if it lacks the capability."""
    found = able(connector, capability)
    if found is None:
        raise Incapable(f"connector {type(connector).__name__} lacks the capability {capability.__name__}")
    return found
