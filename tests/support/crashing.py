"""Crash points: end a use case at each of its outgoing calls, deliver its message again, compare with no crash.

`Dies` is not a subclass of Exception, so no `except Exception` and no `suppress` catches it. A real end of the process
would skip `finally`; the services do not use it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dropship.domain.deadlines import Moment
from dropship.domain.orders.clocks import watched

if TYPE_CHECKING:
    from tests.support.service_world import World

Side = Literal["before", "after"]
TRIES = 5
"""How often a message is delivered before it counts as lost: `maxReceiveCount`."""


class Dies(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Sees every outgoing call, and ends the process at one of them, before or after the call took effect."""

    calls: list[str] = field(default_factory=list)
    at: int | None = None
    side: Side = "before"
    blown: bool = False

    def watch(self, name: str, port: object) -> Any:
        """The port, with every call going through the fuse."""
        return _Watched(self, name, port)

    def call(self, name: str, act: Callable[[], Any]) -> Any:
        """One outgoing call."""
        burns = len(self.calls) == self.at and not self.blown
        self.calls.append(name)
        if burns and self.side == "before":
            self.blown = True
            raise Dies(f"before {name}")
        try:
            return act()
        finally:
            if burns:
                self.blown = True
                raise Dies(f"after {name}")


class _Watched:
    def __init__(self, fuse: Fuse, name: str, port: object) -> None:
        self._fuse, self._name, self._port = fuse, name, port

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        return lambda *given, **named: self._fuse.call(f"{self._name}.{method}", lambda: real(*given, **named))


@dataclass(frozen=True)
class UseCase:
    """A message, what has to happen before it, and how long to wait before it is delivered again."""

    prepare: "Callable[[World], None]"
    deliver: "Callable[[World], object]"
    pause_s: float = 0
    again: tuple[type[Exception], ...] = ()
    """Errors after which the message comes again."""


def survives_every_crash(use_case: UseCase, new_world: "Callable[[], World]") -> int:
    """Assert that no crash point changes the outcome. Returns the number of faults survived; each of them fired."""
    calm = new_world()
    use_case.prepare(calm)
    calm.fuse.calls.clear()
    _deliver(calm, use_case)
    count, expected = len(calm.fuse.calls), outcome(calm)
    assert count, "the use case makes no outgoing call"
    for at in range(count):
        for side in ("before", "after"):
            world = new_world()
            use_case.prepare(world)
            world.fuse = Fuse(at=at, side=side)
            _deliver(world, use_case)
            where = f"{side} call {at}, {calm.fuse.calls[at]}"
            assert world.fuse.blown, f"did not fire: {where}"
            assert outcome(world) == expected, f"ended otherwise after a crash {where}"
            assert not _stranded(world), f"nothing looks at {_stranded(world)} after a crash {where}"
    return 2 * count


def _stranded(world: "World") -> list[str]:
    """What orders wait for although nothing would look at it."""
    now = world.clock.now()
    return [
        f"{order.key}: {name}"
        for order in world.orders.all()
        for name, watch in watched(order, Moment(now, world.registry.shop(order.shop).deadlines)).items()
        if watch is None
    ]


def _deliver(world: "World", use_case: UseCase) -> None:
    for _ in range(TRIES):
        try:
            use_case.deliver(world)
        except (Dies, *use_case.again):
            world.clock.advance(seconds=use_case.pause_s)
        else:
            return
    raise AssertionError(f"not done after {TRIES} deliveries; died at call {world.fuse.at}")


def outcome(world: "World") -> Mapping[str, object]:
    """The state of the world without times and numbers of attempts. What partners hold is listed one by one."""
    return {
        "orders": [_timeless(order.model_dump(mode="json")) for order in world.orders.all()],
        "cases": [_timeless(case.model_dump(mode="json")) for case in world.cases.all()],
        "sources": world.orders.sources,
        "recipients": world.orders.recipients,
        "waybills": world.orders.waybills,
        "polled": sorted(order.key for order in world.orders.all() if order.polled_since),
        "messages": sorted({(message.queue, message.body) for message in world.queues.sent}),
        "fulfilments": world.workflows.fulfilments,
        "case workflows": world.workflows.cases,
        "answered workflows": world.workflows.finished,
        "supplier orders": [list(each.orders.items()) for each in (world.acme, world.bolt, world.in_memory) if each],
        "told to the shop": world.shop.created,
        "told to WooCommerce": (world.woo.orders, world.woo.notes, world.woo.mails),
    }


_TIMES = frozenset({"at", "due_at", "since", "claimed_at", "shipped_at", "writeback_at", "opened_at", "created_at"})


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {name: _timeless(inner) for name, inner in value.items() if name not in _TIMES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value
