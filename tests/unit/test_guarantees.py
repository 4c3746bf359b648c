"""The figures of docs/guarantees.md: each instrument's own, and what does not hold by name."""

import pytest

from local.guarantees import DOCUMENT, WRITERS, blocks, filled, grants, mutants

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
