"""Which addresses we call, and which never: this is decided before anything is sent."""

import pytest

from dropship.adapters import pinned_connections
from dropship.adapters.addresses import RefusedAddress, is_public, literal_address, public_only
from dropship.adapters.http import Base, PartnerHttp, read_base
from dropship.ports import HttpRequest, NoAnswer

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
PRIVATE = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::127.0.0.1"],
    "unspecified": ["0.0.0.0", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "fec0::1"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"],
    "metadata of the cloud": ["fd00:ec2::254", "100.100.100.200"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.254"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "100::1"],
    "for documents": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "IPv4 in IPv6": ["2002:7f00:1::", "2001:0:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(address):
    assert is_public(address)


@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind, found in PRIVATE.items() for each in found])
def test_no_other_address_is_called(kind, address):
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[fe80::1%25eth0]", "fe80::1"),
        ("[::ffff:a9fe:a9fe]", "::ffff:169.254.169.254"),
        ("8.8.8.8", "8.8.8.8"),
        ("partner.example", None),
        ("10.0.0.1.example", None),
        ("[partner]", None),
    ],
)
def test_an_address_is_known_in_any_notation_and_a_name_is_none(host, address):
    assert literal_address(host) == address


def test_a_name_with_one_private_address_among_public_ones_is_refused():
    with pytest.raises(RefusedAddress, match=r"partner\.example is not at a public address"):
        public_only("partner.example", ["8.8.8.8", "10.0.0.1"])


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_not_asked_for_again(monkeypatch):
    asked, connected = [], []

    def resolve(host, port):
        asked.append((host, port))
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address, *args, **options):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(pinned_connections, "create_connection", connect)
    with pytest.raises(NoAnswer) as refused:
        PartnerHttp(resolve=resolve).send("https://partner.example", HttpRequest("GET", "/"))
    assert refused.value.sent is False
    assert asked == [("partner.example", 443)]
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize("host", ["10.0.0.1", "partner.example", "[fd00::1]"])
def test_nothing_is_connected_where_an_address_is_refused(monkeypatch, host):
    monkeypatch.setattr(pinned_connections, "create_connection", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(NoAnswer, match="not at a public address") as refused:
        PartnerHttp(resolve=lambda *_: ["10.0.0.1"]).send(f"https://{host}/x", HttpRequest("GET", "/"))
    assert refused.value.sent is False


def test_a_base_url_is_scheme_host_port_and_path():
    assert read_base("https://partner.example/api/", plain_allowed=False) == Base(
        "https", "partner.example", 443, "/api"
    )
    assert read_base("https://partner.example:8443", plain_allowed=False).port == 8443
    assert read_base("http://localhost:4580/x", plain_allowed=True) == Base("http", "localhost", 4580, "/x")


@pytest.mark.parametrize(
    "base_url",
    [
        *(
            "http://partner.example",
            "ftp://partner.example",
            "file:///etc/passwd",
            "partner.example",
            "//partner.example",
        ),
        *("https://", "https:///path", "https://user@partner.example", "https://user:word@partner.example"),
        *(
            "https://partner.example?x=1",
            "https://partner.example/#x",
            "https://partner.example:port",
            "https://[::1",
            "",
        ),
    ],
)
def test_any_other_base_url_is_refused_before_anything_is_sent(base_url):
    with pytest.raises(NoAnswer) as refused:
        read_base(base_url, plain_allowed=False)
    assert refused.value.sent is False
    assert "word" not in str(refused.value)


def test_outside_the_local_stage_plain_http_is_refused_before_the_name_is_looked_up():
    with pytest.raises(NoAnswer, match="is not https") as refused:
        PartnerHttp(resolve=lambda *_: pytest.fail("resolved")).send("http://partner.example", HttpRequest("GET", "/"))
    assert refused.value.sent is False


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "unix"])
def test_the_local_stage_speaks_plain_http_and_nothing_else(scheme):
    with pytest.raises(NoAnswer):
        read_base(f"{scheme}://localhost/x", plain_allowed=True)


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET", "no-slash"),
        HttpRequest("GET", "//evil.example/x"),
        HttpRequest("GET", "@evil.example/"),
        HttpRequest("GET", "/", {"authorization": "k3y\r\nx-evil: 1"}),
        HttpRequest("GET", "/", {"authorization": "k3y\n"}),
        HttpRequest("GET", "/", {"x-name": "k3y 订单"}),
        HttpRequest("GET", "/", {"x evil": "k3y"}),
    ],
)
def test_a_request_that_would_become_another_one_is_not_sent(request_):
    with pytest.raises(NoAnswer) as refused:
        PartnerHttp(resolve=lambda *_: pytest.fail("resolved")).send("https://partner.example", request_)
    assert refused.value.sent is False
    assert "k3y" not in str(refused.value)
