"""What Python files import; tests of the import rules use it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.template_document import ROOT

PACKAGE = ROOT / "layers" / "dropship"
"""The folder that contains `dropship`; all other packages are in ROOT."""
SOURCES = sorted(PACKAGE.rglob("*.py"))
HANDLERS = sorted((ROOT / "functions").glob("*/app.py"))


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all nodes below it, without `if TYPE_CHECKING` blocks."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _running(child)


def imports(path: Path, top: Path) -> Iterator[str]:
    """Full names of what a file imports when it runs, from anywhere in the file; relative imports are resolved.

    `top` is the folder that packages are found in.
    """
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            home = path.relative_to(top).parts[: -node.level]
            yield from (".".join([*home, *filter(None, [node.module]), alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
