"""The partners that the sandbox plays, one file for each channel; every file in this folder is found automatically.

@player("its-channel", address="its-channel/{id}")
class ItsPlayer(Player): ...
"""

import importlib
import pkgutil
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from typing import ClassVar

from tools.local.sandbox.exchange import Reply, Request
from tools.local.sandbox.sender import Sender
from tools.local.sandbox.settings import Settings


class Player:
    """One partner of a channel. The sandbox makes it when it is first used."""

    channel: ClassVar[str]
    address: ClassVar[str]
    """Its address: `shopify/{id}`, or `kuaidi100` if there is one for all connections."""
    about: ClassVar[str]
    """What it is, as text for the help."""
    usage: ClassVar[str] = ""
    """What it shows and what it can be told, as text for the help."""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        self.id = connection
        self.settings = settings
        self.sender = sender

    @property
    def name(self) -> str:
        """Its name in records and faults: `shopify:main-shop`."""
        return f"{self.channel}:{self.id}" if self.id else self.channel

    def operation(self, request: Request) -> str:
        """The operation of a request, as named in records and faults."""
        raise NotImplementedError

    def answer(self, request: Request, operation: str) -> Reply:
        """The partner's answer without a fault."""
        raise NotImplementedError

    def throttled(self, retry_after: int) -> Reply:
        """The partner's answer when it gets too many requests."""
        return Reply.of({"message": "Too Many Requests"}, 429, Retry_After=str(retry_after))

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """What it shows at `GET /{address}/{what}`; None if `what` is not part of the sandbox's own API."""

    def do(self, action: str, request: Request) -> object | None:
        """Do what `POST /control/{address}/{action}` asks for; None if it knows no such action."""

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """A webhook secret and API credentials, in the form that the partner uses."""
        return secrets.token_hex(16), {"key": secrets.token_hex(16)}


_PLAYERS: dict[str, type[Player]] = {}


def player[Kind: type[Player]](channel: str, *, address: str) -> Callable[[Kind], Kind]:
    """Register the decorated class as the player of a channel, at an address."""

    def register(kind: Kind) -> Kind:
        kind.channel, kind.address = channel, address
        _PLAYERS[channel] = kind
        return kind

    return register


@cache
def players() -> Mapping[str, type[Player]]:
    """Every player by its channel."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_PLAYERS.items()))
