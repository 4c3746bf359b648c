"""Capabilities of a supplier's connector. Our purchase order id is both reference and idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .receiving import Receives

if TYPE_CHECKING:  # so the front door can verify signatures without loading the models
    from collections.abc import Sequence

    from dropship.domain.exchange.suppliers import (
        CancelResult,
        FindResult,
        PlaceResult,
        PurchaseOrderRequest,
        SupplierEvent,
    )
    from dropship.domain.registry.connections import Supplier
    from dropship.ports import HttpRequest, HttpResponse

    from .requests import Access, NextRequest, RawRequest


class Places(Protocol):
    """Purchase orders can be placed."""

    def place(self, request: PurchaseOrderRequest, access: Access) -> HttpRequest:
        """Place a purchase order."""

    def read_place(self, response: HttpResponse) -> PlaceResult | NextRequest[PlaceResult]:
        """The answer to `place`."""


class Finds(Protocol):
    """A purchase order can be looked up, which tells whether it was placed if the answer to `place` was not clear."""

    def find(self, reference: str, access: Access) -> HttpRequest:
        """Look a purchase order up by our reference."""

    def read_find(self, response: HttpResponse) -> FindResult | NextRequest[FindResult]:
        """The answer to `find`."""


class Cancels(Protocol):
    """The supplier can be asked to cancel a purchase order. To ask twice does no harm."""

    def cancel(self, reference: str, access: Access) -> HttpRequest:
        """Ask to cancel a purchase order."""

    def read_cancel(self, response: HttpResponse) -> CancelResult | NextRequest[CancelResult]:
        """The answer to `cancel`."""


class ReceivesSupplierEvents(Receives, Protocol):
    """The supplier tells us how purchase orders go."""

    def read_events(self, request: RawRequest, supplier: Supplier) -> Sequence[SupplierEvent]:
        """The events in the request, in the domain's terms; empty if its type is not for us.

        Raises:
            InvalidMessage: the request breaks its contract.
        """
