"""The partners that the sandbox plays, one file for each channel; a file in this folder is found by itself.

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
    """One partner of a channel, as the sandbox makes it when it is first spoken to."""

    channel: ClassVar[str]
    address: ClassVar[str]
    """Where it lives: `shopify/{id}`, or `kuaidi100` where there is one for everybody."""
    about: ClassVar[str]
    """What it is, for the help."""
    usage: ClassVar[str] = ""
    """What can be seen of it and what it can be told, for the help."""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        self.id = connection
        self.settings = settings
        self.sender = sender

    @property
    def name(self) -> str:
        """As in records and faults: `shopify:main-shop`."""
        return f"{self.channel}:{self.id}" if self.id else self.channel

    def operation(self, request: Request) -> str:
        """What a request is for, as in records and faults."""
        raise NotImplementedError

    def answer(self, request: Request, operation: str) -> Reply:
        """What the partner answers when it is well."""
        raise NotImplementedError

    def throttled(self, retry_after: int) -> Reply:
        """How the partner says that it is asked too often."""
        return Reply.of({"message": "Too Many Requests"}, 429, Retry_After=str(retry_after))

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """What can be seen of it at `GET /{address}/{what}`; None where that is nothing of the sandbox's own."""

    def do(self, action: str, request: Request) -> object | None:
        """What it is told by `POST /control/{address}/{action}`; None where it knows no such action."""

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """A webhook secret and API credentials, in the form that the partner gives them out."""
        return secrets.token_hex(16), {"key": secrets.token_hex(16)}


_PLAYERS: dict[str, type[Player]] = {}


def player[Kind: type[Player]](channel: str, *, address: str) -> Callable[[Kind], Kind]:
    """Register the decorated class as the player of a channel, living at an address."""

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
