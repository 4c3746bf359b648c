"""Decisions are numbered and dated, and every decision that is cited exists."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.template_document import ROOT

DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
FOLDERS = ("layers", "functions", "events", "tools", "tests", "docs")
FILES = ("template.yaml", "samconfig.toml", "Makefile", "README.md", "pyproject.toml")
SUFFIXES = {".py", ".json", ".toml", ".yaml", ".md"}
CITED = re.compile(r"\bdecisions?\s+(\d+)\b(?:\s+and\s+(\d+)\b)?", re.IGNORECASE)


def entries(text: str) -> list[tuple[int, date]]:
    """Number and day of each decision; ValueError where one has no number, no title, no day or no words."""
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        entry = re.fullmatch(r"(\d+)\. \S[^\n]*\n\n\*(\d{4}-\d\d-\d\d)\*\n\n\S.*", part, re.DOTALL)
        if not entry:
            raise ValueError(f"not '## <number>. <title>', the day in italics, and words: {part[:80]!r}")
        if headless := re.search(r"^\*\*.+", part, re.MULTILINE):
            raise ValueError(f"a decision without a heading of its own: {headless[0][:80]}")
        found.append((int(entry[1]), date.fromisoformat(entry[2])))
    return found


def cited(text: str) -> set[int]:
    """Numbers of the decisions that a text cites."""
    return {int(number) for pair in CITED.findall(text) for number in pair if number}


def sources() -> list[Path]:
    """Every file that may cite a decision, without this one."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    others = {Path(__file__), *(ROOT / "tests" / "corpus" / "cases").rglob("*")}  # these mean other decisions
    return [path for path in [*found, *(ROOT / name for name in FILES)] if path not in others]


def test_numbers_grow_and_days_do_not_go_back():
    known = entries(DECISIONS)
    assert len(known) > 40
    assert [(one, other) for (one, _), (other, _) in pairwise(known) if one >= other] == []
    assert [(one, other) for (_, one), (_, other) in pairwise(known) if one > other] == []


def test_every_decision_that_is_cited_is_there():
    numbers = {number for number, _ in entries(DECISIONS)}
    citing = {str(path.relative_to(ROOT)): cited(path.read_text(encoding="utf-8")) for path in sources()}
    assert {path: wrong for path, found in citing.items() if (wrong := found - numbers)} == {}
    in_code = {path for path, found in citing.items() if found and not path.startswith("docs/")}
    assert len(in_code) > 10, "code says which decision it follows"


@pytest.mark.parametrize(
    "text",
    [
        "## A title\n\n*2026-11-21*\n\nWords.",
        "## 3. A title\n\nWords.",
        "## 3. A title\n\n*2026-11-21*\n\n",
        "## 3. A title\n\n*2026-02-30*\n\nWords.",
        "## 3. A title\n\n*2026-11-21*\n\nWords.\n\n**Another.** Its words.",
    ],
)
def test_a_decision_without_number_day_words_or_heading_is_found(text):
    with pytest.raises(ValueError, match=r"\w"):
        entries(text)


def test_citations_are_found_however_they_are_written():
    text = "see decision 12; (Decisions 3 and 45), decision\n    7. A decision, 9 of them; indecision 8; decision 1a"
    assert cited(text) == {12, 3, 45, 7}
