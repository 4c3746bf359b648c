"""Which addresses a partner may have: only public ones, because others lead into our own network or machine.

This is checked when a seed file is loaded, and again at each call, after the name is resolved: decision 37.
"""

import ipaddress
import socket
import unicodedata
from collections.abc import Callable, Sequence

# Public IPv6 addresses are all in this block. The refused parts of it are two networks whose addresses contain an
# IPv4 address, and one that is for documentation.
_IPV6_PUBLIC = ipaddress.ip_network("2000::/3")
_IPV6_REFUSED = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16", "3fff::/20")))

Resolve = Callable[[str, int], Sequence[str]]


class RefusedAddress(Exception):
    """The host name resolves to an address that is not public."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host name or of a literal address in any notation; OSError if there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def literal_address(host: str) -> str | None:
    """The address that `host` writes in any notation (decimal, octal, hex, short, IPv6); None if it is a name."""
    plain = unicodedata.normalize("NFKC", host).rstrip(".")  # as a name is normalised before it is resolved
    if plain.startswith("["):
        return _ipv6(plain.strip("[]").partition("%")[0])
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(plain)))
    except OSError:
        return None


def _ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def public_only(host: str, addresses: Sequence[str]) -> Sequence[str]:
    """The addresses, if every one of them is public.

    Raises:
        RefusedAddress: at least one is not public, even if others are.
    """
    if not all(map(is_public, addresses)):
        raise RefusedAddress(f"{host} is not at a public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether a host in the public internet can have this address."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed not in _IPV6_PUBLIC or any(parsed in network for network in _IPV6_REFUSED):
            return False
    return parsed.is_global and not parsed.is_multicast
