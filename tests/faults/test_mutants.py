"""The tool that tries deliberate defects: it takes nothing for a kill that is none."""

import subprocess
from collections import Counter

import pytest

from tests.faults import mutants
from tests.faults.mutants import ROOT, Copy, Mutant, mutated, read, try_all

LISTED = read()
GATE = "def may_pass(age):\n    return age >= 18  # years\n"
TESTS = """
from gate import may_pass

def test_a_child_stays_out():
    assert not may_pass(17)

def test_red():
    assert may_pass(3)
"""


CHILD = ("test_gate.py::test_a_child_stays_out",)
# A dozen runs of pytest, one after the other: on a busy machine each may take a while.
pytestmark = pytest.mark.timeout(900)


def defect(name, old, new, caught_by=CHILD):
    return Mutant(name, "kind", "handler", "gate.py", old, new, caught_by)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A very small project in git."""
    tree = tmp_path_factory.mktemp("tree")
    files = {"gate.py": GATE, "test_gate.py": TESTS, "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]'}
    for name, text in files.items():
        (tree / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    return tree


@pytest.fixture(scope="module")
def verdicts(tree):
    """What becomes of defects of that project, by name."""
    found = try_all(
        [
            defect("killed", ">= 18", ">= 17"),
            defect("nothing changes", "# years", "# summers"),
            defect("later in time", ">= 18", ">= 19"),
            defect("outdated", ">= 21", ">= 17"),
            defect("ambiguous", "age", "years"),
            defect("no such test", ">= 18", ">= 17", ("test_gate.py::test_of_yesterday",)),
            defect("red before", ">= 18", ">= 17", ("test_gate.py::test_red", *CHILD)),
            defect("no Python", "return age", "return ) age"),
            defect("killed too", ">= 18", "<= 18"),
        ],
        tree,
    )
    assert (tree / "gate.py").read_text() == GATE
    return {verdict.name: (verdict.verdict, verdict.by) for verdict in found}


@pytest.mark.parametrize("name", ["killed", "killed too"])
def test_a_defect_that_a_test_sees_is_killed_by_that_test(verdicts, name):
    assert verdicts[name] == ("killed", "test_gate.py::test_a_child_stays_out")


@pytest.mark.parametrize("name", ["nothing changes", "later in time"])
def test_a_defect_that_no_test_sees_survives(verdicts, name):
    assert verdicts[name][0] == "survived"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("outdated", "the snippet is 0 times in gate.py"),
        ("ambiguous", "the snippet is 2 times in gate.py"),
        ("no such test", "red without the defect: test_gate.py::test_of_yesterday"),
        ("red before", "red without the defect: test_gate.py::test_red"),
        ("no Python", "pytest ended with "),
    ],
)
def test_what_proves_nothing_is_an_error(verdicts, name, why):
    verdict, by = verdicts[name]
    assert verdict == "error"
    assert by.startswith(why)


def test_a_defect_that_never_comes_to_an_end_is_an_error(tree, tmp_path):
    hangs = defect("hangs", "return age >= 18", "while age: pass")
    assert Copy(tree, tmp_path).try_out(hangs, limit_s=1) == ("error", "the tests took longer than 1 s")
    assert (tmp_path / "gate.py").read_text() == GATE


@pytest.mark.parametrize("mutant", LISTED, ids=[mutant.name for mutant in LISTED])
def test_a_listed_defect_can_still_be_put_in(mutant):
    assert mutated(mutant, (ROOT / mutant.file).read_text()) != (ROOT / mutant.file).read_text()
    for test in mutant.caught_by:
        path, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / path).read_text()


def test_there_are_defects_for_every_handler():
    harmed = Counter(mutant.handler for mutant in LISTED)
    folders = {path.parent.name for path in ROOT.glob("functions/*/app.py")}
    assert {folder for folder in folders if harmed[folder] < 2} == set()
    assert set(harmed) == folders | {"all"}
    assert len({mutant.name for mutant in LISTED}) == len(LISTED)


def test_the_last_line_says_how_many_were_killed_and_the_exit_code_whether_all(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(mutants, "RESULT", tmp_path / "build" / "mutants.json")
    monkeypatch.setattr(
        mutants, "try_all", lambda tried, **_: [mutants.Verdict(m.name, "k", "h", "killed", "t", 0.1) for m in tried]
    )
    assert mutants.main(["--quick", "--seed", "7"]) == 0
    assert mutants.main(["--only", "no such defect"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "mutants: seed 7"
    assert "mutants killed 8/8" in said
    assert said[-1] == "mutants killed 0/0"
