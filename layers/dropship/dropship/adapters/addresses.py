"""Which addresses a partner may have: public ones. Everything else leads into our own network or to the machine.

Checked when a seed file is loaded and again when a name is called: decision 37.
"""

import ipaddress
import socket
import unicodedata
from collections.abc import Callable, Sequence

# Only this block of IPv6 is handed out; in it, two networks carry IPv4 addresses inside and one is for documents.
_IPV6_PUBLIC = ipaddress.ip_network("2000::/3")
_IPV6_REFUSED = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16", "3fff::/20")))

Resolve = Callable[[str, int], Sequence[str]]


class RefusedAddress(Exception):
    """The name leads to an address that partners cannot have."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host name or of a literal address in any notation; OSError if there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def literal_address(host: str) -> str | None:
    """The address that `host` is in any notation (decimal, octal, hex, short, IPv6); None where it is a name."""
    plain = unicodedata.normalize("NFKC", host).rstrip(".")  # names are normalised before they are looked up
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
        RefusedAddress: one is not; a name that mixes both is refused as a whole.
    """
    if not all(map(is_public, addresses)):
        raise RefusedAddress(f"{host} is not at a public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether the address can be that of a host in the public internet."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed not in _IPV6_PUBLIC or any(parsed in network for network in _IPV6_REFUSED):
            return False
    return parsed.is_global and not parsed.is_multicast
