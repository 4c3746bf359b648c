"""A sandbox and a fake of our API, each on a free loopback port."""

import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dropship.connectors.contract import Access, RawRequest
from dropship.ports import HttpResponse
from tools.local.sandbox.client import Sandbox
from tools.local.sandbox.server import Server

LONG_S = 100.0
"""A limit that is met only where something never comes, so that no test depends on how fast the machine is."""
SECRETS = {
    "webhook": {
        "shopify/main-shop": ["shpss_current", "shpss_previous"],
        "woocommerce/woo-shop": ["w<oo&secret'"],
        "supplier-v1/acme": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "kuaidi100/kd100": ["a salt"],
    },
    "api": {
        "shopify/main-shop": {"access_token": "shpat_1"},
        "woocommerce/woo-shop": {"consumer_key": "ck_1", "consumer_secret": "cs_1"},
        "supplier-v1/acme": {"api_key": "key_1"},
        "kuaidi100/kd100": {"customer": "CUSTOMER", "key": "KEY", "salt": "a salt"},
    },
}


class OurApi(ThreadingHTTPServer):
    """Accepts webhooks as our front door does; `answers` are the next statuses, then 200."""

    daemon_threads = True

    def __init__(self):
        self.received = []
        self.answers = []
        super().__init__(("127.0.0.1", 0), _Door)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Door(BaseHTTPRequestHandler):
    def do_POST(self):
        headers = {name.lower(): text for name, text in self.headers.items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, RawRequest(headers, body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def our_api():
    with OurApi() as server, running(server):
        yield server


@pytest.fixture
def directory(tmp_path):
    """A stack's directory before the stack is up."""
    return tmp_path


@pytest.fixture
def empty_sandbox(directory):
    """A sandbox whose stack is not up yet."""
    with Server(0, directory, verbose=False) as server, running(server):
        yield Sandbox(server.url)


@pytest.fixture
def sandbox(empty_sandbox, directory, our_api):
    (directory / "stack.json").write_text(json.dumps({"api_url": our_api.url}))
    (directory / "secrets.json").write_text(json.dumps(SECRETS))
    return empty_sandbox


@pytest.fixture
def call(sandbox):
    """Send a connector's request to the partner at a base address of the sandbox."""

    def send(base, request, **headers):
        wanted = urllib.request.Request(
            f"{sandbox.url}{base}{request.path}",
            request.body or None,
            {**request.headers, **headers},
            method=request.method,
        )
        try:
            with urllib.request.urlopen(wanted, timeout=LONG_S) as answer:
                return _response(answer.status, answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return _response(refusal.code, refusal)

    return send


@pytest.fixture
def access():
    """The credentials for requests to a connection; some fields may be changed."""
    return lambda name, **changed: Access(SECRETS["api"][name] | changed, datetime.now(UTC))


@pytest.fixture
def wait_for():
    """Wait until a condition holds."""

    def waiting(condition):
        deadline = time.monotonic() + LONG_S
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen within {LONG_S:.0f} seconds"
            time.sleep(0.02)

    return waiting


@contextmanager
def running(server):
    """Run the server in the background."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _response(status, answer):
    return HttpResponse(status, {name.lower(): text for name, text in answer.headers.items()}, answer.read())
