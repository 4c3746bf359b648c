"""Who may import whom. The domain is pure; only the runtime knows everything; a handler is thin.

Layers are the first cut. The second, rooms within a layer, is kept by test_rooms.py.
"""

import ast
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
# Of the rest a handler needs no more than the errors and the request's type.
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


NEVER_CALLED = {"now", "utcnow", "today", "time", "monotonic", "uuid4", "open", "print", "input", "eval", "exec"}


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


def test_the_rules_find_what_they_forbid(tmp_path):
    bad = tmp_path / "dropship" / "domain" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "import boto3\nimport os.path\nfrom ..adapters import stores\nfrom .money import Money\ndatetime.now()"
    )
    wrong = wrong_imports(bad, *ALLOWED["domain"], IMPURE, tmp_path)
    assert wrong == ["boto3", "os.path", "dropship.adapters.stores"]
    assert "now" in calls(bad)
