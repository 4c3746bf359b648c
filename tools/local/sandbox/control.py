"""The sandbox's own API: what it recorded, and what the partners are told to do."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tools.local.sandbox.exchange import Malformed, Reply, Request
from tools.local.sandbox.faults import MODES, Fault
from tools.local.sandbox.kuaidi100 import NewScans
from tools.local.sandbox.settings import NotReady
from tools.local.sandbox.supplier import EVENTS, Auto, Emission
from tools.local.sandbox.world import ShopEvent, World

Handler = Callable[[World, Request, str], object]

HELP = f"""
records   GET    /health                             whether it runs, and which API it talks to
          GET    /records?partner=&operation=&contains=&direction=received|sent
          DELETE /records                            forget them
          GET    /suppliers/{{id}}/orders?reference=   the supplier's order book
          GET    /shopify/{{shop}}/fulfillments?order= the parcels the shop was told of
          GET    /kuaidi100/parcels?number=          the parcels that 快递100 knows
shop      POST   /control/shopify/{{shop}}/orders      {{payload, topic?, repeat?, parallel?, reorder?, deliver?, …}}
supplier  POST   /control/suppliers/{{id}}/{{{"|".join(EVENTS)}}}
                 {{reference?, reason?, carrier?, tracking_number?, lines?, occurred_at?, repeat?, parallel?, reorder?}}
          POST   /control/suppliers/{{id}}/auto        {{acknowledge?, ship?: seconds; carrier?, cancel?: accept|…}}
carrier   POST   /control/kuaidi100/scan             {{number, carrier, scans: [{{code, context?, at?}}], push?, …}}
faults    POST   /control/faults                     {{partner, mode, operation?, times?, match?, status?, …}}
          GET    /control/faults                     with how often each fired
          DELETE /control/faults                     everybody is well again
modes     {f"{chr(10)}          ".join(f"{mode:<23}{what}" for mode, what in MODES.items())}
"""


def answer(world: World, request: Request) -> Reply | None:
    """The answer to a control request; None where the address is a partner's."""
    for method, path, handler in _ROUTES:
        found = re.fullmatch(path, request.path)
        if found and method == request.method:
            try:
                return Reply.of(handler(world, request, "/".join(found.groups())))
            except Malformed as problem:
                return Reply.of({"error": str(problem)}, 400)
            except NotReady as problem:
                return Reply.of({"error": str(problem)}, 409)
    return None


def _read[Kind](kind: type[Kind], request: Request) -> Kind:
    try:
        return kind(**request.json())
    except TypeError as problem:
        raise Malformed(str(problem).split(".__init__() ")[-1]) from None


def _health(world: World, _request: Request, _name: str) -> object:
    try:
        return {"ok": True, "api_url": world.settings.api_url}
    except NotReady:
        return {"ok": True, "api_url": None}


def _records(world: World, request: Request, _name: str) -> object:
    return {"records": world.records.find(request.query)}


def _forget(world: World, _request: Request, _name: str) -> object:
    world.records.clear()
    return {"ok": True}


def _supplier_orders(world: World, request: Request, supplier: str) -> object:
    return {"orders": world.supplier(supplier).orders(request.query.get("reference"))}


def _fulfillments(world: World, request: Request, shop: str) -> object:
    return {"fulfillments": world.shop(shop).fulfillments(request.query.get("order"))}


def _parcels(world: World, request: Request, _name: str) -> object:
    return {"parcels": world.kuaidi100.parcels(request.query.get("number"))}


def _shop_event(world: World, request: Request, shop: str) -> object:
    event = _read(ShopEvent, request)
    return {"webhook_id": event.webhook_id, "statuses": world.shop_event(shop, event)}


def _emit(world: World, request: Request, name: str) -> object:
    supplier, action = name.split("/")
    return world.supplier(supplier).emit(action, _read(Emission, request))


def _auto(world: World, request: Request, supplier: str) -> object:
    world.supplier(supplier).auto = auto = _read(Auto, request)
    return asdict(auto)


def _scan(world: World, request: Request, _name: str) -> object:
    return world.kuaidi100.scan(_read(NewScans, request))


def _arm(world: World, request: Request, _name: str) -> object:
    world.faults.arm(fault := _read(Fault, request))
    return asdict(fault)


def _faults(world: World, _request: Request, _name: str) -> dict[str, Any]:
    return {"faults": world.faults.list()}


def _heal(world: World, _request: Request, _name: str) -> object:
    world.faults.clear()
    return {"ok": True}


_ID = r"([a-z0-9-]{1,32})"
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health", _health),
    ("GET", "/records", _records),
    ("DELETE", "/records", _forget),
    ("GET", f"/suppliers/{_ID}/orders", _supplier_orders),
    ("GET", f"/shopify/{_ID}/fulfillments", _fulfillments),
    ("GET", "/kuaidi100/parcels", _parcels),
    ("POST", f"/control/shopify/{_ID}/orders", _shop_event),
    ("POST", f"/control/suppliers/{_ID}/auto", _auto),
    ("POST", f"/control/suppliers/{_ID}/({'|'.join(EVENTS)})", _emit),
    ("POST", "/control/kuaidi100/scan", _scan),
    ("POST", "/control/faults", _arm),
    ("GET", "/control/faults", _faults),
    ("DELETE", "/control/faults", _heal),
)
