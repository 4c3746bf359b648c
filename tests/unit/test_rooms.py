"""Who may import whom within a layer, within tools and within tests: the second division of the code, after layers.

A new room is one entry in a table here; so is a new permission to import ("door") from one room into another.
"""

from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.imports import HANDLERS, PACKAGE, SOURCES, imports
from tests.support.template_document import ROOT

May = Mapping[str, Set[str]]
"""What each room (a folder or a file) may import beside itself; `a.b` is one file of a room."""

SHARED = {"attention", "identity", "money", "deadlines", "lifecycle", "quantities", "errors", "fact", "part"}
EVERY_CAPABILITY = {*SHARED, "exchange", "registry", "orders"}
DOMAIN: May = {
    **dict.fromkeys(SHARED, SHARED),
    "exchange": SHARED,
    "registry": SHARED,
    "orders": {*SHARED, "exchange"},
    "remedies": EVERY_CAPABILITY,
    "routing": EVERY_CAPABILITY,
    # These rooms do not exist yet, but their place is decided.
    "supply": EVERY_CAPABILITY,
    "listing": EVERY_CAPABILITY,
    "agreements": SHARED,
    "measures": {"orders.events"},
}
EVERY_SERVICE = {"changing", "messages", "partner_calls", "several"}
SERVICES: May = {
    "changing": set(),
    "messages": set(),
    "partner_calls": set(),
    "reception": set(),
    "several": set(),
    "sweep": {"messages", "orders.download"},
    "orders": EVERY_SERVICE,
    "parcels": EVERY_SERVICE,
    "docking": {"partner_calls"},
    "purchasing": {*EVERY_SERVICE, "parcels.followed"},
    "remedies": {*EVERY_SERVICE, "purchasing.cancellation"},
    "routing": EVERY_SERVICE,
    "desk": EVERY_SERVICE,
}
TOOLS: May = {
    "stack_name": set(),
    "bytecode": set(),
    "guarantees": set(),
    "lifecycles": set(),
    "cost": {"stack_name"},
    "local": {"bytecode", "cost", "stack_name"},
    "seed": {"local"},
    "show": {"cost", "local", "stored_items"},
    "stored_items": set(),
}
SUPPORT = {"support"}
TESTS: May = {
    "conftest": set(),
    "support": set(),
    "unit": SUPPORT,
    "adapters": SUPPORT,
    "functions": SUPPORT,
    "workflows": SUPPORT,
    "template": SUPPORT,
    "tools": SUPPORT,
    "docs": SUPPORT,
    "faults": SUPPORT,
    "corpus": {*SUPPORT, "faults"},  # bad input uses the worlds of the faults, and their promises
    "grants": {*SUPPORT, "faults"},  # it uses the events of the faults
    "e2e": {*SUPPORT, "corpus", "grants.granted"},  # the same bad input and the same grants, on the whole stack
    "bench": {*SUPPORT, "faults.world", "e2e.world"},
}
ROOMS: list[tuple[Path, str, May]] = [
    (PACKAGE, "dropship.domain", DOMAIN),
    (PACKAGE, "dropship.services", SERVICES),
    (ROOT, "tools", TOOLS),
    (ROOT, "tests", TESTS),
]
each_cut = pytest.mark.parametrize(("top", "package", "may"), ROOMS, ids=[package for _, package, _ in ROOMS])


def crossings(top: Path, package: str) -> Iterator[tuple[str, str, Path]]:
    """Every import from one room of a package into another: the room, what it imports there, the file."""
    home = top.joinpath(*package.split("."))
    for path in sorted(home.rglob("*.py")):
        room = path.relative_to(home).parts[0].removesuffix(".py")
        for name in imports(path, top):
            inside = name.removeprefix(f"{package}.")
            if inside != name and inside.partition(".")[0] != room:
                yield room, inside, path


def below(name: str, allowed: Set[str]) -> bool:
    """Whether a name is one of these rooms or files, or something in one of them."""
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def trespasses(top: Path, package: str, may: May) -> list[str]:
    """Imports from one room into another that the table does not allow."""
    found = [(path.name, inside) for room, inside, path in crossings(top, package) if not below(inside, may[room])]
    return [f"{file} imports {inside}" for file, inside in found]


@each_cut
def test_a_room_imports_only_from_rooms_that_the_table_opens_to_it(top, package, may):
    assert trespasses(top, package, may) == []


def strangers(top: Path, package: str, may: May) -> set[str]:
    """Rooms that are missing in the table."""
    home = top.joinpath(*package.split("."))
    rooms = {path.relative_to(home).parts[0].removesuffix(".py") for path in home.rglob("*.py")}
    return rooms - set(may) - {"__init__"}


@each_cut
def test_every_room_is_in_the_table(top, package, may):
    assert strangers(top, package, may) == set()


def in_order(may: May) -> list[str]:
    """The rooms, each after those it imports; CycleError where imports form a circle. Shared modules are left out."""
    known = {room: {one.partition(".")[0] for one in allowed - SHARED} for room, allowed in may.items()}
    return list(TopologicalSorter(known).static_order())


@each_cut
def test_no_room_knows_another_that_knows_it(top, package, may):
    assert set(in_order(may)) >= set(may)


def unused(top: Path, package: str, may: May) -> set[str]:
    """Permissions that no import uses, without those that every room has."""
    used = [(room, inside) for room, inside, _ in crossings(top, package)]
    doors = {(room, door) for room in may for door in may[room] - EVERY_SERVICE - SUPPORT}
    return {f"{room} to {door}" for room, door in doors if not any(by == room and below(to, {door}) for by, to in used)}


@pytest.mark.parametrize(("top", "package", "may"), ROOMS[1:], ids=["services", "tools", "tests"])
def test_no_door_is_open_that_nobody_uses(top, package, may):
    assert unused(top, package, may) == set()


def outsiders(paths: list[Path], top: Path, forbidden: Set[str]) -> list[str]:
    """What these files import from packages that they must not import, or from files of tests."""
    return [name for path in paths for name in imports(path, top) if below(name, forbidden) or ".test_" in name]


def test_the_product_knows_neither_tools_nor_tests_and_tools_know_no_tests():
    assert outsiders(SOURCES, PACKAGE, {"tools", "tests", "functions"}) == []
    assert outsiders([*HANDLERS, *(ROOT / "tools").rglob("*.py")], ROOT, {"tests", "functions"}) == []
    assert outsiders(HANDLERS, ROOT, {"tools"}) == []


def test_nobody_imports_from_a_file_of_tests():
    assert outsiders(sorted((ROOT / "tests").rglob("*.py")), ROOT, set()) == []


def unlike(one: Path, other: Path) -> set[str]:
    """Names of folders that only one of the two folders has."""
    return {path.name for path in one.glob("[a-z]*/")} ^ {path.name for path in other.glob("[a-z]*/")}


@pytest.mark.parametrize("layer", ["domain", "services"])
def test_a_capability_has_a_room_of_the_same_name_in_the_tests(layer):
    assert unlike(PACKAGE / "dropship" / layer, ROOT / "tests" / "unit" / layer) == set()


# ---- The rules themselves


@pytest.fixture
def plant(tmp_path):
    """Write a file with some imports below a folder of packages. Returns the file."""

    def planted(name: str, *lines: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines))
        return file

    return planted


@pytest.mark.parametrize(
    ("package", "may", "file", "line", "wrong"),
    [
        ("dropship.domain", DOMAIN, "money.py", "from .exchange import suppliers", "exchange.suppliers"),
        ("dropship.domain", DOMAIN, "exchange/told.py", "from ..orders.order import Order", "orders.order.Order"),
        ("dropship.domain", DOMAIN, "orders/bad.py", "from dropship.domain.remedies import case", "remedies.case"),
        ("dropship.domain", DOMAIN, "orders/bad.py", "import dropship.domain.registry.offers", "registry.offers"),
        ("dropship.domain", DOMAIN, "remedies/bad.py", "from ..routing import planning", "routing.planning"),
        ("dropship.domain", DOMAIN, "routing/bad.py", "from dropship.domain import remedies", "remedies"),
        ("dropship.domain", DOMAIN, "supply/bad.py", "from ..listing import goods", "listing.goods"),
        ("dropship.domain", DOMAIN, "agreements/bad.py", "from ..exchange import suppliers", "exchange.suppliers"),
        ("dropship.domain", DOMAIN, "measures/bad.py", "from ..orders.order import Order", "orders.order.Order"),
        ("dropship.services", SERVICES, "desk/bad.py", "from ..remedies import after_sales", "remedies.after_sales"),
        ("dropship.services", SERVICES, "purchasing/bad.py", "from ..parcels import polls", "parcels.polls"),
        ("dropship.services", SERVICES, "changing.py", "from .orders import inbox", "orders.inbox"),
        ("tools", TOOLS, "cost/bad.py", "from tools.local.stack import Stack", "local.stack.Stack"),
        ("tools", TOOLS, "local/bad.py", "from tools.seed import main", "seed.main"),
        ("tests", TESTS, "support/bad.py", "from tests.faults.world import World", "faults.world.World"),
        ("tests", TESTS, "faults/bad.py", "from tests.corpus import cases", "corpus.cases"),
        ("tests", TESTS, "bench/bad.py", "from tests.faults.trial import in_copy", "faults.trial.in_copy"),
    ],
)
def test_a_hole_in_a_wall_is_found(plant, tmp_path, package, may, file, line, wrong):
    path = plant(f"{package.replace('.', '/')}/{file}", line)
    assert trespasses(tmp_path, package, may) == [f"{path.name} imports {wrong}"]


def test_what_the_tables_open_is_open(plant, tmp_path):
    plant("dropship/domain/orders/good.py", "from ..exchange import suppliers", "from .order import Order")
    plant("dropship/domain/orders/better.py", "from dropship.domain.money import Money", "import dropship.domain")
    plant("dropship/domain/measures/good.py", "from dropship.domain.orders.events import Placed")
    assert trespasses(tmp_path, "dropship.domain", DOMAIN) == []


def test_a_room_that_is_in_no_table_a_circle_and_a_door_that_nobody_uses_are_found(plant, tmp_path):
    plant("tools/shed/spade.py", "from tools.shed import rake")
    plant("tools/seed.py", "from tools.cost.bill import Prices")
    assert strangers(tmp_path, "tools", TOOLS) == {"shed"}
    assert unused(tmp_path, "tools", {"seed": {"cost", "local"}, "shed": set()}) == {"seed to local"}
    with pytest.raises(CycleError):
        in_order({"desk": {"orders.inbox"}, "orders": {"parcels"}, "parcels": {"desk"}})


def test_a_capability_without_a_room_in_the_tests_is_found_and_a_room_without_its_capability(plant, tmp_path):
    for name in ("domain/orders/a.py", "domain/supply/a.py", "unit/orders/b.py", "unit/returns/b.py"):
        plant(name)
    assert unlike(tmp_path / "domain", tmp_path / "unit") == {"supply", "returns"}


def test_whoever_knows_tests_or_imports_from_a_file_of_them_is_found(plant, tmp_path):
    bad = plant("dropship/runtime/bad.py", "from tests.support import lambdas", "import tools.seed", "import json")
    assert outsiders([bad], tmp_path, {"tools", "tests"}) == ["tests.support.lambdas", "tools.seed"]
    lent = plant("tests/e2e/test_a.py", "from tests.e2e.test_holds import kinds", "from tests.e2e.world import World")
    assert outsiders([lent], tmp_path, set()) == ["tests.e2e.test_holds.kinds"]
