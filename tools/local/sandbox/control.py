"""The sandbox's own API: read its records, and tell the partners what to do."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from tools.local.sandbox.exchange import Malformed, Reply, Request
from tools.local.sandbox.faults import MODES, Fault
from tools.local.sandbox.players import players
from tools.local.sandbox.settings import NotReady
from tools.local.sandbox.world import World

Handler = Callable[[World, Request], object]


def help_text() -> str:
    """The help: what the sandbox can be asked and told."""
    lines = [line for kind in players().values() for line in kind.usage.splitlines()]
    return f"""
seen and told
          GET    /health                                whether it runs, and which API it talks to
          GET    /records?partner=&operation=&contains=&direction=received|sent
          DELETE /records                               forget them
          {_lines(lines)}
faults    POST   /control/faults                        {{partner, mode, operation?, times?, match?, status?, …}}
          GET    /control/faults                        with how often each fired
          DELETE /control/faults                        everybody is well again
modes     {_lines(f"{mode:<23}{what}" for mode, what in MODES.items())}
"""


def _lines(lines: Iterable[str]) -> str:
    return "\n          ".join(lines)


def answer(world: World, request: Request) -> Reply | None:
    """The answer to a control request; None if the address is a partner's."""
    try:
        said = _said(world, request)
    except Malformed as problem:
        return Reply.of({"error": str(problem)}, 400)
    except NotReady as problem:
        return Reply.of({"error": str(problem)}, 409)
    return None if said is None else Reply.of(said)


def _said(world: World, request: Request) -> object | None:
    for method, path, handler in _ROUTES:
        if (method, path) == (request.method, request.path):
            return handler(world, request)
    told = request.path.startswith("/control/") and request.method == "POST"
    found = world.at(request.path.removeprefix("/control") if told else request.path)
    if found is None or (request.method != "GET" and not told):
        return None
    partner, what = found.partner, found.rest.strip("/")
    return partner.do(what, request) if told else partner.show(what, request.query)


def _health(world: World, _request: Request) -> object:
    try:
        return {"ok": True, "api_url": world.settings.api_url}
    except NotReady:
        return {"ok": True, "api_url": None}


def _records(world: World, request: Request) -> object:
    return {"records": world.records.find(request.query)}


def _forget(world: World, _request: Request) -> object:
    world.records.clear()
    return {"ok": True}


def _arm(world: World, request: Request) -> object:
    world.faults.arm(fault := request.read(Fault))
    return asdict(fault)


def _faults(world: World, _request: Request) -> dict[str, Any]:
    return {"faults": world.faults.list()}


def _heal(world: World, _request: Request) -> object:
    world.faults.clear()
    return {"ok": True}


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health", _health),
    ("GET", "/records", _records),
    ("DELETE", "/records", _forget),
    ("POST", "/control/faults", _arm),
    ("GET", "/control/faults", _faults),
    ("DELETE", "/control/faults", _heal),
)
