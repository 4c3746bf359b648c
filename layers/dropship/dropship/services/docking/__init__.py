"""Docking (对接): the ways to reach suppliers, one file each, found by what a supplier's channel can do.

A docking is a class with the methods of the port `Suppliers`, decorated with `@docking`. The services that place and
cancel purchase orders see only the port. To add a docking, add a file here. The files are imported one by one, in the
order of their names, until one reaches the supplier's channel.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Protocol

from dropship.connectors.contract import UnknownChannel
from dropship.domain.exchange.suppliers import CancelResult, FindResult, PlaceResult, PurchaseOrderRequest
from dropship.domain.registry.connections import Supplier
from dropship.ports import Suppliers
from dropship.services.partner_calls import PartnerCalls


class Outside(Protocol):
    """What a docking may use to reach the outside world. Each part is made when it is first needed."""

    @property
    def partners(self) -> PartnerCalls:
        """Calls to partners, with their credentials."""


class Docking(Suppliers, Protocol):
    """One way to reach suppliers."""

    def __init__(self, outside: Outside) -> None: ...

    @staticmethod
    def reaches(channel: str) -> bool:
        """Whether suppliers of that channel can be reached this way."""


_DOCKINGS: dict[str, type[Docking]] = {}
"""The dockings, by the name of the module that each is in."""


def docking[D: Docking](kind: type[D]) -> type[D]:
    """Register the decorated class as the docking of its file."""
    _DOCKINGS[kind.__module__] = kind
    return kind


@cache
def docking_of(channel: str) -> type[Docking]:
    """The docking that reaches suppliers of a channel.

    Raises:
        UnknownChannel: none does, or one of the files that were looked at has no docking.
    """
    for kind in _dockings():
        if kind.reaches(channel):
            return kind
    raise UnknownChannel(f"no docking reaches suppliers of channel {channel[:40]!r}")


def _dockings() -> Iterator[type[Docking]]:
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(found.name)
        if found.name not in _DOCKINGS:
            raise UnknownChannel(f"{found.name} registers no docking: decorate its class with @docking")
        yield _DOCKINGS[found.name]


class Dockings:
    """The port `Suppliers`: hands each question on to the docking that reaches the supplier."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        """See `Suppliers.place`."""
        return self._of(supplier).place(supplier, request)

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        """See `Suppliers.find`."""
        return self._of(supplier).find(supplier, reference)

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        """See `Suppliers.cancel`."""
        return self._of(supplier).cancel(supplier, reference)

    def _of(self, supplier: Supplier) -> Suppliers:
        return docking_of(supplier.channel)(self._outside)
