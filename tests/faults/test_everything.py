"""`make faults` runs every instrument, even if others fail, and each has its line at the end."""

import os

from tests.faults.everything import Step, main, run, steps
from tests.support.template_document import ROOT

GOOD = Step("good", ("-c", "print('something'); print('things held 2/2'); print()"))
BAD = Step("bad", ("-c", "print('things held 1/2'); raise SystemExit(1)"))


def test_the_last_line_of_each_is_its_verdict_and_one_that_fails_is_named():
    assert list(run([BAD, GOOD], dict(os.environ))) == [
        (False, "FAILED bad: things held 1/2"),
        (True, "things held 2/2"),
    ]


def test_one_that_cannot_even_start_has_failed():
    assert list(run([Step("missing", ("-m", "no.such.module"))], dict(os.environ))) == [(False, "FAILED missing: ")]


def test_it_fails_if_one_of_them_does_and_runs_the_others_all_the_same(monkeypatch, capsys):
    monkeypatch.setattr("tests.faults.everything.steps", lambda **_: [[BAD], [GOOD]])
    monkeypatch.setattr("sys.argv", ["make faults"])
    assert main() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ["FAILED bad: things held 1/2", "things held 2/2"]


def test_every_instrument_is_there_to_be_run():
    commands = [step.command for together in steps(quick=False, seed=1) for step in together]
    modules = [command[1] for command in commands if command[1] != "pytest"]
    assert modules == ["tests.corpus", "tests.grants", "tests.faults", "tests.faults.mutants"]
    files = [part for command in commands for part in command if part.endswith(".py")]
    files += [f"{one.replace('.', '/')}{end}" for one, end in zip(modules, 3 * ["/__main__.py"] + [".py"], strict=True)]
    assert [file for file in files if not (ROOT / file).exists()] == []
