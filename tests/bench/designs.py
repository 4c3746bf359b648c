"""What other designs cost per million orders, at the same prices, to compare them with ours."""

from tests.bench.figures import Figure

_DESIGNS: tuple[tuple[str, float, float], ...] = (
    ("floor: function URL, four writes, stream as outbox", 5.1, 3.43),
    ("production minimum: HTTP API, SQS, six write units, no workflow", 9.9, 7.60),
    ("the same + EXPRESS workflow for dispatch", 10.9, 10.16),
    ("the same + STANDARD workflow, four transitions", 13.9, 107.60),
    ("AWS's reference order platform: 22 invocations, 12 writes, does less", 0, 76),
    ("typical tutorial: 12 transitions, REST, two ALL indexes, full X-Ray", 134, 419),
    ("the same with a poll loop inside each execution", 494, 2599),
)


def figures() -> list[Figure]:
    """One row for each: dollars per million orders, and billed operations per order where they are known."""
    return [
        Figure(name, dollars, "$/M", note=f"{operations:g} operations" if operations else "")
        for name, operations, dollars in _DESIGNS
    ]
