"""Values too long or too odd to write out in a case file: `{digits: 5000}` is a number of 5,000 nines."""

from collections.abc import Callable, Mapping
from typing import Any

_GENERATORS: Mapping[str, Callable[[Any], str]] = {
    "digits": lambda count: "9" * count,
    "open": lambda depth: "[" * depth,
    "nested": lambda depth: "[" * depth + "]" * depth,
    "nested_objects": lambda depth: '{"a":' * depth + "1" + "}" * depth,
    "code_points": lambda numbers: "".join(map(chr, numbers)),
    "times": lambda pair: str(pair[0]) * int(pair[1]),
    "joined": lambda parts: "".join(map(text_of, parts)),
    "bomb": lambda levels: "\n".join(
        ["l0: &l0 lol", *(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, levels))]
    ),
}


def value_of(value: Any) -> Any:
    """The value, generated where it is a mapping with one generator's name."""
    if isinstance(value, dict) and len(value) == 1 and (name := next(iter(value))) in _GENERATORS:
        return _GENERATORS[name](value[name])
    return value


def text_of(value: Any) -> str:
    """The same, as text."""
    return str(value_of(value))
