"""docs/rooms.md names only paths that exist, and it names every room."""

import importlib.util
import re

import pytest

from tests.support.imports import PACKAGE
from tests.support.template_document import ROOT

PAGE = (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8")
HOMES = (ROOT, PACKAGE / "dropship")
ROOMS = [
    *(f"{layer}/{path.name}/" for layer in ("domain", "services") for path in (HOMES[1] / layer).glob("[a-z]*/")),
    *(f"tests/{path.name}/" for path in (ROOT / "tests").glob("[a-z]*/") if any(path.rglob("*.py"))),
]


def named(page: str) -> set[str]:
    """Paths that a page names. Where a path contains a placeholder such as `<name>`, the folder above it."""
    spans = re.findall(r"`([^`\n]+)`", page)
    paths = {span for span in spans if re.fullmatch(r"[\w.<>*-]+(/[\w.<>*-]*)+|[\w-]+\.(py|md|yaml|toml)", span)}
    return {re.sub(r"[^/]*[<*].*", "", path) for path in paths}


def missing(page: str) -> set[str]:
    """Paths and modules that a page names and that do not exist."""
    modules = set(re.findall(r"python -m ([\w.]+)", page))
    lost = {module for module in modules if importlib.util.find_spec(module) is None}
    return lost | {path for path in named(page) if not any((home / path).exists() for home in HOMES)}


def test_every_place_on_the_page_is_there():
    assert len(named(PAGE)) > 60
    assert missing(PAGE) == set()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_page_leads_to_every_room(room):
    assert f"`{room}" in PAGE


def test_every_target_that_it_names_is_one():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [one for one in re.findall(r"make ([a-z][a-z0-9-]*)", PAGE) if f"\n{one}:" not in makefile] == []


def test_what_is_not_there_is_found():
    page = "`domain/orders/` `domain/ordres/` `events/<name>/` `evnets/<name>/` `x.py` `python -m tools.sede` `a b/c`"
    assert missing(page) == {"domain/ordres/", "evnets/", "x.py", "tools.sede"}
