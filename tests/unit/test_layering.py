"""Who may import whom. The domain is pure; only the runtime knows everything; a handler is thin.

The code is divided into layers first. test_rooms.py checks the second division: the rooms within a layer.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import HANDLERS, PACKAGE, SOURCES, imports

HANDLER_LINES = 90

# The outside world, as the standard library offers it.
IMPURE = frozenset(
    {"os", "io", "socket", "ssl", "http", "urllib", "subprocess", "time", "random", "secrets", "uuid", "threading"}
    | {"asyncio", "multiprocessing", "pathlib", "shutil", "tempfile", "logging", "importlib", "signal", "sqlite3"}
)
OUR = "dropship."
ALLOWED = {
    "domain": ({"pydantic"}, {"domain"}),
    "ports.py": (set(), {"domain"}),
    "connectors": ({"pydantic"}, {"domain", "ports", "connectors"}),
    "services": ({"pydantic"}, {"domain", "ports", "connectors", "services"}),
    "adapters": ({"pydantic", "boto3", "botocore", "urllib3", "yaml"}, {"domain", "ports", "connectors", "adapters"}),
}
FORBIDDEN_IN_STANDARD_LIBRARY = {"domain": IMPURE, "connectors": IMPURE - {"importlib", "pathlib"}, "services": {"os"}}
# Of the other layers a handler needs only the errors and the type of a request.
HANDLERS_MAY = (
    {"aws_lambda_powertools", "pydantic"},
    {"runtime", "services", "domain", "ports", "connectors.contract"},
)


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE / "dropship").parts[0]


def wrong_imports(
    path: Path, third_party: set[str], ours: set[str], impure: frozenset[str] | set[str], where: Path = PACKAGE
) -> list[str]:
    wrong = []
    for name in imports(path, where):
        top = name.partition(".")[0]
        if name.startswith(OUR):
            inside = name.removeprefix(OUR)
            fine = any(inside == layer or inside.startswith(f"{layer}.") for layer in ours)
        elif top in sys.stdlib_module_names:
            fine = top not in impure or name.startswith("urllib.parse.")
        else:
            fine = top in third_party
        if not fine:
            wrong.append(name)
    return wrong


LAYERED = [path for path in SOURCES if layer_of(path) in ALLOWED]


@pytest.mark.parametrize("path", LAYERED, ids=lambda path: str(path.relative_to(PACKAGE / "dropship")))
def test_a_layer_imports_only_what_is_below_it(path):
    third_party, ours = ALLOWED[layer_of(path)]
    impure = FORBIDDEN_IN_STANDARD_LIBRARY.get(layer_of(path), frozenset())
    assert wrong_imports(path, third_party, ours, impure) == []


def test_every_file_of_the_package_belongs_to_a_known_layer():
    assert {layer_of(path) for path in SOURCES} <= {*ALLOWED, "runtime", "__init__.py"}


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_knows_the_runtime_and_the_services_and_is_short(path):
    assert wrong_imports(path, *HANDLERS_MAY, frozenset({"os"})) == []
    assert len(path.read_text().splitlines()) <= HANDLER_LINES


# A supplier is a port. Code that orders, cancels or settles refunds must not know what is behind it.
BEHIND_THE_PORT = {"connectors", "services.partner_calls", "services.docking"} | {
    f"ports.{name}" for name in ("Http", "HttpRequest", "HttpResponse", "NoAnswer", "Secrets")
}
SEES_THE_PORT_ONLY = [
    path
    for path in SOURCES
    if path.relative_to(PACKAGE / "dropship").parts[:2] in {("services", "purchasing"), ("services", "remedies")}
    and path.name != "supplier_events.py"  # it reads what suppliers send, by the connector of their channel
]


def behind_the_port(path: Path, where: Path = PACKAGE) -> list[str]:
    """The imports of a file that lead behind the port."""
    names = (name.removeprefix(OUR) for name in imports(path, where))
    return [name for name in names if any(f"{name}.".startswith(f"{hidden}.") for hidden in BEHIND_THE_PORT)]


@pytest.mark.parametrize("path", SEES_THE_PORT_ONLY, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_who_orders_and_cancels_does_not_know_how_a_supplier_is_reached(path):
    assert behind_the_port(path) == []


def test_dispatch_and_cancellation_are_among_those_who_see_the_port_only():
    assert {"dispatch.py", "cancellation.py", "after_sales.py"} <= {path.name for path in SEES_THE_PORT_ONLY}


# Of what needs no import, or an import that is allowed. `time.time` needs the module `time`, which is not.
NEVER_CALLED = {"now", "utcnow", "today", "monotonic", "uuid4", "open", "print", "input", "eval", "exec"}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            target = node.func
            yield target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


@pytest.mark.parametrize("layer", ["domain", "connectors"])
def test_pure_code_asks_no_clock_and_touches_no_file(layer):
    called = {name for path in SOURCES if layer_of(path) == layer for name in calls(path)}
    assert called & NEVER_CALLED == set()


def test_services_get_the_time_from_their_clock_and_nothing_from_the_environment():
    for path in SOURCES:
        if layer_of(path) == "services":
            text = path.read_text()
            assert "datetime.now(" not in text, path.name
            assert "environ" not in text, path.name


SAVES = re.compile(r"\b(orders|cases)\.save\b")


def test_only_one_module_saves_an_aggregate_so_that_no_clock_is_forgotten():
    saving = [path.name for path in SOURCES if layer_of(path) == "services" and SAVES.search(path.read_text())]
    assert saving == ["changing.py"]


def test_the_rules_find_what_they_forbid(tmp_path):
    bad = tmp_path / "dropship" / "domain" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "import boto3\nimport os.path\nfrom ..adapters import stores\nfrom .money import Money\ndatetime.now()"
    )
    wrong = wrong_imports(bad, *ALLOWED["domain"], IMPURE, tmp_path)
    assert wrong == ["boto3", "os.path", "dropship.adapters.stores"]
    assert "now" in calls(bad)


def test_the_way_to_suppliers_is_seen_wherever_it_is_imported(tmp_path):
    bad = tmp_path / "dropship" / "services" / "purchasing" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "from dropship.connectors import supplier\nimport dropship.services.docking.api\n"
        "from ..partner_calls import PartnerCalls\nfrom dropship.ports import Http, Orders\nimport dropship.portsmouth"
    )
    assert behind_the_port(bad, tmp_path) == [
        "connectors.supplier",
        "services.docking.api",
        "services.partner_calls.PartnerCalls",
        "ports.Http",
    ]
