"""What a connector is able to do is seen from the methods it has; nothing else is said about it."""

from .requests import Incapable


def able[Capability](connector: object, capability: type[Capability]) -> Capability | None:
    """The connector, if it has all that the capability's protocol names; None otherwise."""
    return connector if isinstance(connector, capability) else None


def needed[Capability](connector: object, capability: type[Capability]) -> Capability:
    """The connector, which has to have that capability; Incapable otherwise."""
    found = able(connector, capability)
    if found is None:
        raise Incapable(f"connector {type(connector).__name__} lacks the capability {capability.__name__}")
    return found
