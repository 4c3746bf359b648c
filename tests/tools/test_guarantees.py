"""The figures of docs/guarantees.md: those of each instrument, and the name of everything that does not hold."""

import re

import pytest

from tools.guarantees import DOCUMENT, ROOT, WRITERS, bench, blocks, corpus, faults, filled, grants, mutants, stateful

MUTANTS = {
    "killed": 1,
    "of": 2,
    "seconds": 9,
    "mutants": [
        {"name": "no-fence", "kind": "forget the fence", "verdict": "killed"},
        {"name": "no-lease", "kind": "forget the lease", "verdict": "survived"},
    ],
}
GRANTS = {
    "needed": 2,
    "of": 3,
    "seconds": 9,
    "wrong": ["granted, used by no event: one"],
    "grants": [{"holder": "webhook"}, {"holder": "webhook"}],
    "used by AWS itself": [{}],
}


def test_a_defect_that_survived_is_named_and_counted_in_its_class():
    text = mutants(MUTANTS)
    assert "`mutants killed 1/2`" in text
    assert "| forget the fence | 1/1 |\n| forget the lease | 0/1 |" in text
    assert "- survived: no-lease" in text


def test_grants_are_counted_by_function_and_what_is_wrong_is_named():
    text = grants(GRANTS)
    assert "`grants needed 2/3`" in text
    assert "| webhook | 2 |" in text
    assert "- granted, used by no event: one" in text


@pytest.mark.parametrize("name", WRITERS)
def test_the_page_has_one_block_for_each_and_keeps_the_rest(name):
    page = DOCUMENT.read_text()
    assert blocks(page).count(name) == 1
    assert filled(page, name, "42").count("\n42\n") == 1


def test_faults_are_a_table_of_handlers_and_classes():
    rows = [
        {"handler": "webhook", "class": "die after", "survived": 3, "total": 4},
        {"handler": "webhook", "class": "pairs", "survived": 2, "total": 2},
    ]
    text = faults({"survived": 5, "total": 6, "seed": 7, "seconds": 8, "rows": rows})
    assert "`faults survived 5/6`, seed 7, 8 s." in text
    assert "| webhook | 3/4 | 2/2 |" in text


def test_deliveries_say_which_faults_fired_and_whether_all_held():
    machine = {"histories": 2, "steps": 9, "faults": {"duplicate": 3}}
    result = {"machines": {"services": machine}, "held": False, "seed": 1, "seconds": 2}
    assert "NOT ALL HELD" in stateful(result)
    text = stateful(result | {"held": True})
    assert "All promises held" in text
    assert "| **steps** | 9 |\n| duplicate | 3 |" in text


def test_input_that_was_not_contained_is_named():
    text = corpus({"contained": 1, "of": 2, "seconds": 3, "surfaces": {"ops": {"400": 2}}, "wrong": ["ops/deep"]})
    assert "`inputs contained 1/2`" in text
    assert "| ops | 2 |" in text
    assert "- ops/deep" in text


def test_the_bench_says_which_budget_does_not_hold():
    rows = [
        {"name": "own CPU", "value": 3325.4, "unit": "µs", "budget": "≤ 300", "holds": False},
        {"name": "a part", "value": 1.0, "unit": "µs", "budget": None, "holds": None},
    ]
    assert "| own CPU | 3,325 µs | ≤ 300 | **over** |" in bench({"tables": {"CPU": rows}})
    assert "a part" not in bench({"tables": {"CPU": rows}})


def test_every_place_the_page_points_at_exists():
    page = DOCUMENT.read_text()
    paths = re.findall(r"`((?:tests|local|docs|functions)/[^`*<]*)`", page)
    assert len(paths) > 3
    assert [path for path in paths if not (ROOT / path).exists()] == []
