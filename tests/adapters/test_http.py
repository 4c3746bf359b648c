"""The way out to partners, against a server of our own on this machine."""

import gzip
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dropship.adapters import http, pinned_connections
from dropship.adapters.http import PartnerHttp
from dropship.ports import HttpRequest, NoAnswer

SECRET = "s3cr3t-of-the-buyer"
LONG_S = 100.0
"""A limit that is met only where something never comes, so that no test depends on how fast the machine is."""
SHORT_S = 0.3
"""A limit for what never comes."""
DRIP_S = 0.02


class Partner(ThreadingHTTPServer):
    """Answers as the test says, and records the requests."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.opened = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Trace: 1\r\nX-Trace: 2\r\n\r\nok"
        self.before_answering = lambda: None
        self.drips = b""
        self.over = threading.Event()  # the test is

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def connections(self):
        return len(self.opened)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Partner

    def setup(self):
        super().setup()
        self.server.opened.append(self.client_address)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        self.server.before_answering()
        self.send()
        if b"content-length: 2\r\n" not in self.server.answer.lower():
            self.close_connection = True

    def send(self):
        """Send the answer, and then what drips, byte by byte until the client closes."""
        with suppress(OSError):
            self.wfile.write(self.server.answer)
            while self.server.drips and not self.server.over.wait(DRIP_S):
                self.wfile.write(self.server.drips)

    do_GET = do_POST = answer  # noqa: N815 - the names that the server calls

    def log_message(self, *args):
        pass


def serve(partner):
    thread = threading.Thread(target=partner.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield partner
    partner.over.set()
    partner.shutdown()
    thread.join()
    partner.server_close()


@pytest.fixture
def partner():
    yield from serve(Partner())


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A connection, with its handshake, may take as long as this machine needs."""
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", LONG_S)


@pytest.fixture
def out():
    return PartnerHttp(allow_private_addresses=True, read_timeout_s=LONG_S)


@pytest.fixture
def hasty():
    """Gives up soon."""
    return PartnerHttp(allow_private_addresses=True, read_timeout_s=SHORT_S)


@pytest.fixture
def clock(monkeypatch):
    """The time by which connections go; it stands still unless a test moves it."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(pinned_connections, "monotonic", lambda: now.seconds)
    return now


def refusal(out, url, request=None):
    request = request or HttpRequest("GET", "/")
    with pytest.raises(NoAnswer) as refused:
        out.send(url, request)
    return refused.value


def test_the_request_arrives_whole_and_the_answer_comes_back_whole(partner, out):
    body = "订单".encode()
    answer = out.send(partner.url + "/base/", HttpRequest("POST", "/orders?page=1", {"X-Key": "k"}, body))
    method, path, headers, received = partner.asked[0]
    assert (method, path, received) == ("POST", "/base/orders?page=1", body)
    assert headers["X-Key"] == "k"
    assert headers["Host"] == partner.url.removeprefix("http://")
    assert headers["user-agent"] == "daifa"
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers["x-trace"] == "1, 2"
    assert all(name == name.lower() for name in answer.headers)


@pytest.mark.parametrize("status", [b"301 Moved", b"404 Not Found", b"429 Slow", b"500 Oops"])
def test_every_status_is_an_answer_and_a_redirect_is_not_followed(partner, out, status):
    partner.answer = b"HTTP/1.1 " + status + b"\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nno"
    assert out.send(partner.url, HttpRequest("GET", "/")).status == int(status[:3])
    assert len(partner.asked) == 1


def test_a_connection_is_used_again(partner, out, clock):
    for _ in range(3):
        out.send(partner.url, HttpRequest("GET", "/"))
    assert partner.connections == 1


def test_a_connection_that_lay_idle_is_replaced(partner, out, clock):
    out.send(partner.url, HttpRequest("GET", "/"))
    clock.seconds += pinned_connections.IDLE_LIMIT_S
    out.send(partner.url, HttpRequest("GET", "/"))
    assert partner.connections == 2


def test_a_connection_in_use_is_not_replaced(partner, out, clock):
    for _ in range(4):
        out.send(partner.url, HttpRequest("GET", "/"))
        clock.seconds += pinned_connections.IDLE_LIMIT_S - 5
    assert partner.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n?",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nno chunk",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot a zip",
    ],
    ids=["none", "garbage", "cut off", "two lengths", "bad chunk", "not a zip"],
)
def test_a_broken_answer_leaves_it_unknown_whether_the_request_had_its_effect(partner, out, answer):
    partner.answer = answer
    assert refusal(out, partner.url).sent is True
    assert len(partner.asked) == 1, "nothing is sent twice"


def test_an_answer_that_does_not_come_leaves_it_unknown(partner, hasty):
    partner.before_answering = partner.over.wait
    assert refusal(hasty, partner.url).sent is True


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "begins", [HEAD + b"X-Long: ", HEAD + b"Content-Length: 9999999\r\n\r\n"], ids=["headers", "body"]
)
def test_an_answer_that_drips_has_the_time_of_one_read(partner, hasty, begins):
    """Each byte comes in time, and the answer never ends."""
    partner.answer, partner.drips = begins, b"x"
    assert refusal(hasty, partner.url).sent is True


def test_after_an_answer_that_took_its_time_the_connection_has_all_of_it_again(partner, out, clock, monkeypatch):
    given, real = [], pinned_connections._InTime

    class Slow(real):
        """Takes nearly all of its time."""

        def __init__(self, raw, sock):
            given.append(sock.gettimeout())
            super().__init__(raw, sock)
            clock.seconds += LONG_S - 1

    monkeypatch.setattr(pinned_connections, "_InTime", Slow)
    monkeypatch.setattr(pinned_connections, "IDLE_LIMIT_S", 2 * LONG_S)
    for _ in range(3):
        assert out.send(partner.url, HttpRequest("GET", "/")).status == 200
    assert (partner.connections, given) == (1, [LONG_S] * 3)


def test_the_addresses_of_a_host_share_the_time_to_connect(monkeypatch):
    tried = []

    def silent(address, timeout, **_):
        tried.append(timeout)
        later.append(timeout)
        raise TimeoutError

    later = [1000.0]
    monkeypatch.setattr(pinned_connections, "monotonic", lambda: sum(later))
    monkeypatch.setattr(pinned_connections, "create_connection", silent)
    out = PartnerHttp(allow_private_addresses=True, resolve=lambda _host, _port: ["192.0.2.1", "192.0.2.2"])
    assert refusal(out, "http://partner.example").sent is False
    assert tried == [http.CONNECT_TIMEOUT_S]


def test_an_answer_that_is_too_large_is_refused(partner, out):
    partner.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (http.LARGEST_ANSWER + 1)
    failure = refusal(out, partner.url)
    assert (failure.sent, str(failure)) == (True, "the answer of 127.0.0.1 is larger than 5242880 bytes")


def test_an_answer_of_the_largest_size_is_taken(partner, out):
    partner.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * http.LARGEST_ANSWER
    assert len(out.send(partner.url, HttpRequest("GET", "/")).body) == http.LARGEST_ANSWER


def test_an_answer_that_unpacks_to_too_much_is_refused(partner, out):
    bomb = gzip.compress(b"\0" * (http.LARGEST_ANSWER * 4))
    partner.answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb
    assert "larger than" in str(refusal(out, partner.url))


def test_after_a_failure_the_next_request_has_a_connection_of_its_own(partner, out):
    good, partner.answer = partner.answer, b""
    refusal(out, partner.url)
    partner.answer = good
    assert out.send(partner.url, HttpRequest("GET", "/")).body == b"ok"


def test_nothing_was_sent_where_nobody_listens(out):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert refusal(out, f"http://127.0.0.1:{unused.getsockname()[1]}").sent is False


def test_nothing_was_sent_where_the_name_does_not_resolve():
    def unknown(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    failure = refusal(PartnerHttp(resolve=unknown), "https://partner.example")
    assert (failure.sent, str(failure)) == (False, "no connection to partner.example: gaierror")


def test_nothing_was_sent_where_the_name_cannot_be_one():
    assert refusal(PartnerHttp(), f"https://{'a' * 70}.example").sent is False


def test_the_next_address_is_tried_where_the_first_does_not_answer(partner):
    addresses = ["127.0.0.2", "127.0.0.1"]
    out = PartnerHttp(allow_private_addresses=True, resolve=lambda *_: addresses, read_timeout_s=LONG_S)
    url = f"http://partner.example:{partner.server_port}"
    assert out.send(url, HttpRequest("GET", "/")).status == 200
    assert partner.asked[0][2]["Host"] == url.removeprefix("http://")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_called_from_a_deployment(partner, host):
    failure = refusal(PartnerHttp(), f"https://{host}:{partner.server_port}")
    assert failure.sent is False
    assert "not at a public address" in str(failure)
    assert partner.connections == 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off", None])
def test_an_error_tells_the_host_and_nothing_of_the_request(partner, out, answer):
    partner.answer = answer or b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (http.LARGEST_ANSWER + 1)
    request = HttpRequest("POST", f"/{SECRET}?key={SECRET}", {"authorization": SECRET}, SECRET.encode())
    failure = refusal(out, partner.url, request)
    assert "127.0.0.1" in str(failure)
    assert SECRET not in str(failure)
    assert failure.__cause__ is None


# --- TLS -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for `partner.example`."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("partner.example")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "partner.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


class TlsPartner(Partner):
    """A partner that speaks TLS. It ignores errors of clients that do not trust it."""

    def __init__(self, certificate):
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.names = []
        context.sni_callback = lambda _connection, name, _context: self.names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, address):
        pass


@pytest.fixture
def tls_partner(certificate):
    yield from serve(TlsPartner(certificate))


@pytest.fixture
def tls_out():
    return PartnerHttp(allow_private_addresses=True, resolve=lambda *_: ["127.0.0.1"], read_timeout_s=LONG_S)


def test_tls_is_to_the_name_though_the_connection_is_to_the_checked_address(
    tls_partner, tls_out, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = f"https://partner.example:{tls_partner.server_port}"
    assert tls_out.send(url, HttpRequest("GET", "/")).body == b"ok"
    assert tls_partner.names == ["partner.example"]
    assert tls_partner.asked[0][2]["Host"] == f"partner.example:{tls_partner.server_port}"


def test_nothing_is_sent_to_whom_nobody_vouches_for(tls_partner, tls_out):
    failure = refusal(tls_out, f"https://partner.example:{tls_partner.server_port}")
    assert failure.sent is False
    assert tls_partner.asked == []


def test_nothing_is_sent_to_whom_has_the_certificate_of_another(tls_partner, tls_out, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    failure = refusal(tls_out, f"https://other.example:{tls_partner.server_port}")
    assert failure.sent is False
    assert tls_partner.asked == []


# ---- Several threads at once


def test_threads_share_one_pool_and_its_connections_are_used_again(partner, out, clock):
    together = 10
    partner.before_answering = Barrier(together, timeout=LONG_S).wait  # all are under way at the same time
    for _ in range(2):
        with ThreadPoolExecutor(together) as pool:
            asked = [pool.submit(out.send, partner.url, HttpRequest("GET", f"/{n}")) for n in range(together)]
            assert {each.result().status for each in asked} == {200}
    assert len(out._pools) == 1
    assert (len(partner.asked), partner.connections) == (2 * together, together)
    assert len({path for _, path, _, _ in partner.asked}) == together
