"""The sandbox's HTTP server, on this machine's loopback address only."""

import socket
import sys
import traceback
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tools.local.sandbox import control
from tools.local.sandbox.exchange import Dropped, Malformed, Reply, Request
from tools.local.sandbox.world import World

HOST = "127.0.0.1"
LARGEST_BODY = 4 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # sends headers and body without delay
    timeout = 60
    server: "Server"

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle()

    def do_PUT(self) -> None:
        """Answer a PUT."""
        self._handle()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._handle()

    def _handle(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not size.isdecimal() or int(size) > LARGEST_BODY:
            self.close_connection = True
            self._write(Reply.of({"error": "send a body of up to 4 MiB with its Content-Length"}, 413))
            return
        try:
            self._write(self._answer(int(size)))
        except Dropped:
            self._drop()
        except ConnectionError:
            self.close_connection = True

    def _answer(self, size: int) -> Reply:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): text for name, text in self.headers.items()},
            body=self.rfile.read(size),
        )
        world = self.server.world
        try:
            return control.answer(world, request) or world.answer(request)
        except Malformed as problem:
            return Reply.of({"error": str(problem)}, 400)
        except Dropped:
            raise
        except Exception:  # noqa: BLE001 - a bug in a player is answered with 500
            traceback.print_exc()
            return Reply.of({"error": "the sandbox itself failed; see its log"}, 500)

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is inherited
        """One line for each request, without headers and body, so without buyers' data."""
        if self.server.verbose:
            print(f"{datetime.now().astimezone():%H:%M:%S} {format % arguments}", file=sys.stderr)


class Server(ThreadingHTTPServer):
    """The sandbox of the stack in `directory`, listening on `port` (0: any free one)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, directory: Path, *, verbose: bool = True) -> None:
        self.world = World(directory)
        self.verbose = verbose
        super().__init__((HOST, port), Handler)

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{HOST}:{self.server_port}"
