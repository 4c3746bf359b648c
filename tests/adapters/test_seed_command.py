"""`python -m tools.seed`: what it writes, keeps, prints and refuses."""

import base64
import inspect
import json
from types import SimpleNamespace

import pytest
import yaml

from dropship.adapters import session
from dropship.adapters.dynamodb_registry import DynamoRegistry
from dropship.adapters.ssm import SsmSecrets
from dropship.ports import NotFound
from tests.support import made_up  # noqa: F401 - the channels of the tests
from tests.support.recordings import protocols
from tools import seed

LINES = ["shops", "suppliers", "trackers", "carriers", "offers"]
URLS = ["--set", "API_URL=https://api.example", "--set", "SANDBOX_URL=https://partners.example"]


@pytest.fixture
def stack(tables, tmp_path, monkeypatch):
    """A local stack's directory, with clients that go to moto."""
    monkeypatch.setattr(seed, "client", lambda _endpoint, service: getattr(session, service)())
    outputs = {"RegistryTable": tables["RegistryTable"]}
    urls = {"api_url": "http://127.0.0.1:1/api", "sandbox_url": "http://127.0.0.1:2"}
    (tmp_path / "stack.json").write_text(json.dumps({"endpoint": "http://127.0.0.1:3", "outputs": outputs, **urls}))
    return SimpleNamespace(
        directory=tmp_path,
        arguments=["--stack", str(tmp_path / "stack.json")],
        registry=lambda: DynamoRegistry(tables["RegistryTable"]),
        secrets=lambda: json.loads((tmp_path / "secrets.json").read_text()),
    )


@pytest.fixture
def copied(tmp_path):
    """A copy of the local stack's seed file without the shop that is for the local stack only."""
    written = yaml.load(seed.SEED.read_text(), Loader=yaml.BaseLoader)
    for section in ("shops", "offers"):
        del written[section]["quick-shop"]
    (tmp_path / "copied.yaml").write_text(yaml.safe_dump(written))
    return ["--file", str(tmp_path / "copied.yaml")]


def test_the_registry_has_the_connections_with_the_addresses_of_this_stack(stack, capsys):
    assert seed.main(stack.arguments) == 0
    assert stack.registry().shop("main-shop").base_url == "http://127.0.0.1:2/shopify/main-shop"
    assert stack.registry().tracker("kd100").callback_url == "http://127.0.0.1:1/api/webhooks/kuaidi100/kd100"
    assert set(stack.registry().offers("main-shop", ["IPOD2008PINK", "NOBODY-HAS-IT"])) == {"IPOD2008PINK"}
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == LINES


def test_both_sides_have_the_same_secrets_in_the_form_of_the_channel(stack):
    seed.main(stack.arguments)
    secrets, ours = stack.secrets(), SsmSecrets("/daifa/local")
    for kind, by_connection in secrets.items():
        for name, content in by_connection.items():
            assert ours.get(f"{kind}/{name}") == ({"secrets": content} if kind == "webhook" else content)
    assert secrets["webhook"].keys() == secrets["api"].keys()
    whsec = secrets["webhook"]["supplier-v1/acme"][0]
    assert len(base64.b64decode(whsec.removeprefix("whsec_"), validate=True)) == 32
    assert secrets["api"]["kuaidi100/kd100"]["salt"] == secrets["webhook"]["kuaidi100/kd100"][0]
    assert set(secrets["api"]["kuaidi100/kd100"]) == {"customer", "key", "salt"}
    assert set(secrets["api"]["shopify/main-shop"]) == {"access_token"}
    assert len({json.dumps(content) for content in secrets["webhook"].values()}) == len(secrets["webhook"])
    assert (stack.directory / "secrets.json").stat().st_mode & 0o077 == 0


def test_seeding_again_keeps_the_secrets(stack):
    seed.main(stack.arguments)
    before = stack.secrets()
    seed.main(stack.arguments)
    assert stack.secrets() == before


def test_seeding_a_smaller_file_removes_what_is_gone(stack, capsys):
    seed.main(stack.arguments)
    smaller = stack.directory / "smaller.yaml"
    smaller.write_text("suppliers: {acme: {channel: supplier-v1, base_url: 'http://127.0.0.1:2/a', name: Acme}}")
    capsys.readouterr()
    assert seed.main([*stack.arguments, "--file", str(smaller)]) == 0
    assert "removed" in capsys.readouterr().out
    with pytest.raises(NotFound):
        stack.registry().shop("main-shop")


def test_a_refused_file_leaves_everything_as_it_was(stack, capsys):
    bad = stack.directory / "bad.yaml"
    bad.write_text("shops:\n  x: {channel: nope, base_url: 'https://x', domain: x}\n  Y: {}\n")
    assert seed.main([*stack.arguments, "--file", str(bad)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{bad}:2: shops.x.channel: there is no marketplace connector for the channel 'nope'"
    assert len(lines) > 2
    assert not (stack.directory / "secrets.json").exists()


def test_a_check_writes_nothing_and_needs_no_stack(copied, monkeypatch, capsys):
    monkeypatch.setattr(seed, "client", lambda *_: pytest.fail("called"))
    assert seed.main(["--check", "--stage", "test", *copied]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said[: len(LINES)]] == LINES
    assert said[len(LINES)].startswith("Secrets that must exist")
    assert "  /daifa/test/api/shopify/main-shop" in said


def test_a_check_does_not_go_together_with_a_table_to_write(capsys):
    with pytest.raises(SystemExit):
        seed.main(["--check", "--table", "registry"])
    assert "not allowed with argument --check" in capsys.readouterr().err


def test_a_shop_without_offers_is_pointed_out(tmp_path, capsys):
    file = tmp_path / "seed.yaml"
    file.write_text('shops:\n  x: {channel: shopify, base_url: "https://x.example", domain: x.example}\n')
    assert seed.main(["--check", "--file", str(file)]) == 0
    assert "each is put on hold with NO_SOURCE" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_refused(capsys):
    assert seed.main(["--check", "--file", "no-such.yaml"]) == 2
    assert "no-such.yaml" in capsys.readouterr().err


def test_on_aws_the_table_is_written_and_the_secrets_are_only_named(tables, copied, capsys):
    assert seed.main(["--table", tables["RegistryTable"], "--stage", "prod", *URLS, *copied]) == 0
    assert DynamoRegistry(tables["RegistryTable"]).shop("main-shop").base_url.startswith("https://partners.example/")
    assert "/daifa/prod/webhook/shopify/main-shop" in capsys.readouterr().out
    assert session.ssm().describe_parameters()["Parameters"] == []


PARTNERS = """
shops:
  corner: {channel: corner-shop, base_url: 'https://corner.example', domain: corner.example}
  main-shop: {channel: shopify, base_url: 'https://main.example', domain: main.example}
suppliers:
  acme: {channel: supplier-v1, base_url: 'https://acme.example', name: Acme}
trackers:
  quiet: {channel: push-only, base_url: 'https://quiet.example', codes: {}}
"""


def test_only_those_secrets_are_asked_for_that_the_connectors_have_a_use_for(tables, tmp_path, capsys):
    (tmp_path / "seed.yaml").write_text(PARTNERS)
    assert seed.main(["--table", tables["RegistryTable"], "--file", str(tmp_path / "seed.yaml")]) == 0
    assert [line.strip() for line in capsys.readouterr().out.splitlines() if "/daifa/" in line] == [
        "/daifa/prod/webhook/corner-shop/corner",
        "/daifa/prod/webhook/shopify/main-shop",
        "/daifa/prod/api/shopify/main-shop",
        "/daifa/prod/webhook/supplier-v1/acme",
        "/daifa/prod/api/supplier-v1/acme",
        "/daifa/prod/webhook/push-only/quiet",
    ]


@pytest.mark.parametrize(("kind", "given"), [("webhook", "secrets"), ("api", "access")])
def test_every_capability_that_is_given_a_secret_is_known_to_need_one(kind, given):
    needs = {
        capability
        for capability in protocols().values()
        for method in vars(capability).values()
        if inspect.isfunction(method) and given in inspect.signature(method).parameters
    }
    assert needs == set(seed.SECRET_FOR[kind])


def test_on_aws_a_placeholder_without_a_value_is_refused(tables, capsys):
    assert seed.main(["--table", tables["RegistryTable"]]) == 2
    assert "unknown placeholder ${SANDBOX_URL} (known: none)" in capsys.readouterr().err


@pytest.mark.parametrize("where", [["--check"], ["--table", "registry", "--stage", "local"]])
def test_only_the_local_stack_has_partners_without_encryption(where, monkeypatch, capsys):
    monkeypatch.setattr(seed, "RegistryWriter", lambda *_: pytest.fail("written"))
    urls = ["--set", "API_URL=https://api.example", "--set", "SANDBOX_URL=http://partners.example"]
    assert seed.main([*where, *urls]) == 2
    assert "shops.main-shop.base_url: expected https://" in capsys.readouterr().err


@pytest.mark.parametrize("where", [["--check"], ["--table", "registry", *URLS]])
def test_on_aws_the_file_of_the_local_stack_is_refused_for_its_quick_shop_and_nothing_else(where, monkeypatch, capsys):
    monkeypatch.setattr(seed, "RegistryWriter", lambda *_: pytest.fail("written"))
    assert seed.main(where) == 2
    fields = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert fields == [f"shops.quick-shop.deadlines.{lease}" for lease in ("writeback_lease", "dispatch_lease")]


def test_an_empty_file_does_not_empty_the_registry(stack, capsys):
    seed.main(stack.arguments)
    empty = stack.directory / "empty.yaml"
    empty.write_text("# to do\n")
    assert seed.main([*stack.arguments, "--file", str(empty)]) == 2
    assert f"{empty}:1: there is nothing in this file" in capsys.readouterr().err
    assert stack.registry().shop("main-shop")


def test_without_a_stack_it_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="make up"):
        seed.main(["--stack", str(tmp_path / "stack.json")])
