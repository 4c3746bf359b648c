"""Every case of bad input is contained; and the corpus notices what is not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.corpus.__main__ import summary
from tests.corpus.cases import CLASSES, FOLDER, SURFACES, BadCase, Case, load_cases, read_case
from tests.corpus.judging import wrong_with
from tests.corpus.known_secrets import CURRENT
from tests.corpus.programme import Stage, Verdict
from tests.corpus.running import Outcome

CASES = load_cases()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_is_contained(stage: Stage, case: Case) -> None:
    assert stage.run(case).wrong == []


def test_there_are_many_cases_on_every_surface_and_of_every_class():
    surfaces, classes = Counter(case.surface for case in CASES), Counter(case.expect for case in CASES)
    assert len(CASES) >= 120
    assert set(surfaces) == set(SURFACES)
    assert min(surfaces.values()) >= 20
    assert set(classes) == set(CLASSES)
    assert len({(case.surface, case.title) for case in CASES}) == len(CASES)


def _case(surface: str, name: str, **changes: object) -> Case:
    return replace(read_case(FOLDER / surface / f"{name}.yaml"), **changes)


@pytest.mark.parametrize(
    ("surface", "name", "expect"),
    [
        ("shopify", "signature-missing", "accepted"),
        ("shopify", "quantity-minus-one", "ignored"),
        ("shopify", "sku-empty", "accepted"),
        ("shopify", "formula-name-at", "ignored"),
        ("shopify", "formula-name-at", "set aside"),
        ("shopify", "formula-name-at", "attention"),
        ("supplier", "type-unknown", "accepted"),
        ("supplier", "size-10-mb", "401"),
        ("ops", "limit-zero", "404"),
        ("ops", "decision-odd-words", "409"),
        ("seed", "bomb-of-aliases", "accepted"),
        ("seed", "name-formula", "refused"),
    ],
)
def test_a_wrong_expectation_is_noticed(stage: Stage, surface: str, name: str, expect: str) -> None:
    assert stage.run(_case(surface, name, expect=expect)).wrong


def test_what_must_be_kept_or_gone_or_named_is_looked_for(stage: Stage) -> None:
    make = {"base": "webhook/orders_paid"}
    case = _case("shopify", "formula-name-at")
    assert stage.run(replace(case, make=make | {"kept": "=1+1"})).wrong == ["'=1+1' is not kept"]
    assert stage.run(replace(case, make=make | {"gone": "Shippington"})).wrong == ["'Shippington' is kept"]
    seed = _case("seed", "anchor")
    assert "does not name" in stage.run(replace(seed, make=dict(seed.make) | {"names": "bolt"})).wrong[0]


def test_a_handler_that_raises_or_answers_5xx_is_noticed() -> None:
    case = _case("shopify", "body-null")
    assert "ZeroDivisionError" in wrong_with(case, Outcome(error="ZeroDivisionError"), Outcome())[0]
    assert "answered 503" in wrong_with(case, Outcome(status=503, set_aside={"": 5}), Outcome())[0]


@pytest.mark.parametrize(
    ("harm", "noticed"),
    [
        ({"stuck": ["InboxQueue"]}, "left in"),
        ({"log": '{"message": "BUYER-CANARY"}'}, "BUYER-CANARY"),
        ({"log": "no JSON"}, "not JSON"),
        ({"said": CURRENT["shopify/main-shop"]}, "shows"),
        ({"set_aside": {"x": 4}}, "set aside"),
        ({"set_aside": {"x": 5, "good": 5}}, "set aside"),
        ({"picture": {"orders": {"main-shop#7": {"purchase orders": {}}}}}, "changed"),
        ({"items": {"RegistryTable SHOP#x CONFIG": "{}"}}, "registry"),
        ({"broken": ["2 supplier orders"]}, "2 supplier orders"),
    ],
)
def test_harm_beside_the_expected_end_is_noticed(harm: dict[str, Any], noticed: str) -> None:
    case, good = _case("shopify", "body-null"), Outcome(picture={"orders": {}})
    contained = Outcome(status=200, set_aside={"null": 5}, picture={"orders": {}})
    assert wrong_with(case, contained, good) == []
    assert noticed in str(wrong_with(case, replace(contained, **harm), good))


def test_a_case_that_is_not_contained_is_counted_and_named():
    case = _case("shopify", "body-null")
    report = summary([Verdict(case, []), Verdict(case, ["it was\nkept"])], 1.25)
    assert (report["contained"], report["of"], report["surfaces"]["shopify"]) == (1, 2, {"set aside": 2})
    assert report["wrong"] == [
        "NOT CONTAINED shopify/body-null (The word null), expected set aside: it was kept",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title: A\nexpect: accepted\nbodi: []\n", "bodi"),
        ("title: A\nexpect: 418\n", "401"),
        ("expect: accepted\n", "title"),
    ],
)
def test_a_case_file_that_says_something_else_is_refused(tmp_path, text, complaint):
    file = tmp_path / "shopify" / "a.yaml"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(BadCase, match=complaint):
        read_case(file)
