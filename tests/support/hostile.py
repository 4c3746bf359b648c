"""Payloads in which one field makes no sense."""

import copy

HOSTILE = [
    None,
    True,
    "",
    "3",
    "NaN",
    "\0",
    "\ud800",
    "x" * 100_000,
    "1" * 4000,
    -1,
    0,
    1.5,
    float("inf"),
    10**30,
    10**4000,
    [],
    [None],
    [[]],
    {},
    {"id": {}},
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
]


def places(value, path=()):
    """The path of every field and list entry in a payload."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def replaced(payload, path, value):
    changed = copy.deepcopy(payload)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed
