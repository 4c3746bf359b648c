"""What runs with `python -m` says what it does, and does not begin where it was not understood."""

import os
import subprocess
import sys

import pytest

from tests.support.template_document import ROOT

MAIN = '\nif __name__ == "__main__":'
EMULATOR = "tools.local.emulator_process"  # started by us, as a file, with another interpreter
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for folder in ("tools", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if MAIN in path.read_text(encoding="utf-8")
)

each_command = pytest.mark.parametrize("module", [module for module in MODULES if module != EMULATOR])


def run(module: str, argument: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, argument],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"layers/dropship{os.pathsep}."},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_command_is_found():
    assert {EMULATOR, "tools.seed", "tools.lifecycles", "tests.corpus", "tests.grants"} <= set(MODULES)


@each_command
def test_an_argument_that_it_does_not_know_is_refused(module):
    ended = run(module, "--no-such-argument")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: ")


@each_command
def test_its_help_says_what_it_does(module):
    ended = run(module, "--help")
    assert ended.returncode == 0
    about = ended.stdout.split("\n\n")[1]
    assert not about.startswith("options:")
