"""Addresses in a seed file that look like a partner's and lead inside: what happens when one is called."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from dropship.adapters.http import PartnerHttp
from dropship.ports import HttpRequest, HttpResponse, NoAnswer


def reaches_inside(how: Mapping[str, str], items: Mapping[str, str]) -> list[str]:
    """Call the supplier `acme` at the address that the registry has now; what is wrong with how that went.

    `how` says what its name leads to (`dns: 10.0.0.5`), or that it sends us on (`redirect: true`).
    """
    if how.get("redirect"):
        return _redirected()
    address = _base_url(items)
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return str(how["dns"]).split()

    try:
        PartnerHttp(resolve=resolve).send(address, HttpRequest("GET", "/purchase-orders", {}))
    except NoAnswer as refused:
        return (
            []
            if asked and "is not at a public address" in str(refused)
            else [f"{address} was not refused for its address: {refused}"]
        )
    return [f"{address} answered"]


def _base_url(items: Mapping[str, str]) -> str:
    (item,) = [text for name, text in items.items() if name.startswith("RegistryTable SUPPLIER#acme ")]
    return str(json.loads(json.loads(item)["body"]["S"])["base_url"])


def _redirected() -> list[str]:
    """A partner that sends us on: we hear of it and go nowhere."""
    with _sending_on() as (address, asked):
        http = PartnerHttp(allow_private_addresses=True, read_timeout_s=100)
        answer: HttpResponse = http.send(address, HttpRequest("GET", "/first", {}))
    return [] if (answer.status, asked) == (302, ["/first"]) else [f"it was followed: {answer.status}, {asked}"]


@contextmanager
def _sending_on() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/latest/meta-data/iam/security-credentials/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
