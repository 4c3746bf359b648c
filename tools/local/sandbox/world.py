"""All partners of one stack, each made when it is first used, and what they share."""

import re
import threading
from pathlib import Path
from typing import NamedTuple

from tools.local.sandbox.exchange import Dropped, Reply, Request
from tools.local.sandbox.faults import Faults
from tools.local.sandbox.players import Player, players
from tools.local.sandbox.records import Records
from tools.local.sandbox.sender import Sender
from tools.local.sandbox.settings import Settings

_ID = "(?P<id>[a-z0-9-]{1,32})"


class Found(NamedTuple):
    """The partner at an address, and the rest of the path."""

    partner: Player
    rest: str


class World:
    """The partners, their faults and the records."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(directory)
        self.records = Records()
        self.faults = Faults()
        self.sender = Sender(self.records)
        self._partners: dict[tuple[str, str], Player] = {}
        self._lock = threading.Lock()

    def partner(self, channel: str, connection: str = "") -> Player:
        """The partner of a channel, by its connection if there is more than one."""
        with self._lock:
            key = (channel, connection)
            if key not in self._partners:
                self._partners[key] = players()[channel](connection, self.settings, self.sender)
            return self._partners[key]

    def at(self, path: str) -> Found | None:
        """The partner whose address the path begins with; None if there is none."""
        for channel, kind in players().items():
            found = re.fullmatch(f"/{kind.address.replace('{id}', _ID)}(?P<rest>/.*)", path)
            if found:
                return Found(self.partner(channel, found.groupdict().get("id", "")), found["rest"])
        return None

    def answer(self, request: Request) -> Reply:
        """The answer of the partner at the request's address, with or without a fault. The request is recorded.

        Raises:
            Dropped: there is no answer.
        """
        found = self.at(request.path)
        if found is None:
            return Reply.of(
                {"error": f"nobody lives at {request.path}; see `python -m tools.local.sandbox --help`"}, 404
            )
        partner, rest = found
        inner = Request(request.method, rest, request.query, request.headers, request.body)
        operation = partner.operation(inner)
        record = self.records.add("received", partner.name, operation, request)
        fault = self.faults.pop(partner.name, operation, request)
        record.fault = fault.mode if fault else None
        try:
            reply = (
                fault.strike(lambda: partner.answer(inner, operation), partner.throttled)
                if fault
                else partner.answer(inner, operation)
            )
        except Dropped:
            record.status = 0
            raise
        record.status = reply.status
        return reply
