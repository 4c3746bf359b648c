"""Whether an input was contained: it ended as its case says, and harmed nobody."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.corpus.cases import REQUESTS, Case
from tests.corpus.known_secrets import never_shown
from tests.corpus.running import Outcome
from tests.faults.world import MAX_RECEIVES
from tests.support.service_world import KEY

NAMED_LINE = re.compile(r"^seed[^:\n]*:[1-9][0-9]*: \S", re.MULTILINE)


def wrong_with(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    """What is wrong with the outcome of a case; empty where the input was contained.

    `good` is what comes of the good message alone.
    """
    if outcome.error:
        return [f"an exception: {outcome.error}"]
    if outcome.status >= 500:
        return [f"answered {outcome.status}: {outcome.said[:200]}"]
    return [
        *_EXPECTED[case.expect](case, outcome, good),
        *_texts(case, outcome),
        *outcome.broken,
        *([f"messages are left in {outcome.stuck}"] if outcome.stuck else []),
        *_others(outcome, good),
        *_log(outcome),
    ]


def _refused_request(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    told = [] if outcome.status == int(case.expect) else [f"answered {outcome.status}: {outcome.said[:300]}"]
    kept = ["it was kept"] if outcome.bad else []
    return told + kept + _changed(outcome, good)


def _ignored(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    return _taken_in(outcome) + _changed(outcome, good) + _dead(outcome)


def _accepted(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    asked = case.surface == "ops" and not outcome.bad
    done = asked or outcome.picture != good.picture or _registry(outcome) != _registry(good)
    return _taken_in(outcome) + _dead(outcome) + ([] if done else ["nothing was done"]) + _waits(outcome, good)


def _attention(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    told = [] if outcome.attention - good.attention else ["no person is told"]
    return _taken_in(outcome) + _dead(outcome) + told


def _set_aside(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    """It, or the one message that it led to."""
    ended = [] if list(outcome.set_aside.values()) == [MAX_RECEIVES] else [f"set aside: {_short(outcome.set_aside)}"]
    return _taken_in(outcome) + ended + _changed(outcome, good)


def _refused_seed(case: Case, outcome: Outcome, good: Outcome) -> list[str]:
    code = [] if outcome.status == 2 else [f"exit code {outcome.status}"]
    names = case.make.get("names", "")
    named = NAMED_LINE.search(outcome.said) and names in outcome.said
    return code + ([] if named else [f"does not name {names!r}: {outcome.said[:300]!r}"]) + _changed(outcome, good)


_EXPECTED: Mapping[str, Callable[[Case, Outcome, Outcome], list[str]]] = {
    **dict.fromkeys(REQUESTS, _refused_request),
    "ignored": _ignored,
    "accepted": _accepted,
    "attention": _attention,
    "set aside": _set_aside,
    "refused": _refused_seed,
}


def _taken_in(outcome: Outcome) -> list[str]:
    return [] if outcome.status in {0, 200, 202} else [f"answered {outcome.status}: {outcome.said[:300]}"]


def _dead(outcome: Outcome) -> list[str]:
    return [f"set aside: {_short(outcome.set_aside)}"] if outcome.set_aside else []


def _waits(outcome: Outcome, good: Outcome) -> list[str]:
    new = outcome.attention - good.attention
    return [f"a person is needed: {sorted(new)}"] if new else []


def _changed(outcome: Outcome, good: Outcome) -> list[str]:
    """Whether anything but the dead letters is other than with the good message alone."""
    changed = [part for part in good.picture if outcome.picture[part] != good.picture[part]]
    registry = ["changed: the registry"] if _registry(outcome) != _registry(good) else []
    return [f"changed: {part}: {_short(outcome.picture[part])}" for part in changed] + registry


def _registry(outcome: Outcome) -> dict[str, str]:
    return {name: text for name, text in outcome.items.items() if name.startswith("RegistryTable ")}


def _others(outcome: Outcome, good: Outcome) -> list[str]:
    """Orders that the input is not about: as with the good message alone, which is done in full."""
    seen, expected = outcome.picture["orders"], good.picture["orders"]
    return [
        f"order {key} is {_short(seen.get(key))}, not {_short(expected[key])}"
        for key in expected
        if key != str(KEY) and _without_their_number(seen.get(key)) != _without_their_number(expected[key])
    ]


def _without_their_number(order: Mapping[str, Any] | None) -> object:
    """The supplier counts: its numbers depend on who came first."""
    if order is None:
        return None
    return {**order, "purchase orders": {po: (one[0], *one[2:]) for po, one in order["purchase orders"].items()}}


def _texts(case: Case, outcome: Outcome) -> list[str]:
    stored = "\n".join([*outcome.items.values(), outcome.sent])

    def is_kept(text: str) -> bool:
        return text in stored or json.dumps(text)[1:-1] in stored

    missing = [f"{text!r} is not kept" for text in _listed(case.make.get("kept")) if not is_kept(text)]
    return missing + [f"{text!r} is kept" for text in _listed(case.make.get("gone")) if is_kept(text)]


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _log(outcome: Outcome) -> list[str]:
    text = f"{outcome.log}\n{outcome.said}"
    shown = [f"the log or the answer shows {hidden!r}" for hidden in never_shown() if hidden in text]
    return shown + [f"a log line is not JSON: {line[:200]!r}" for line in outcome.log.splitlines() if not _json(line)]


def _json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _short(value: object) -> str:
    return str(value)[:300]
