"""Suppliers with an API: each question is one request, and the connector of the channel reads the answer."""

from dropship.connectors import find as find_connector
from dropship.connectors import supplier as supplier_connector
from dropship.connectors.contract import PurchaseOrderApi, UnknownChannel
from dropship.domain.exchange.suppliers import CancelResult, FindResult, PlaceResult, PurchaseOrderRequest
from dropship.domain.registry.connections import Supplier
from dropship.services.docking import Outside, docking


@docking
class ApiDocking:
    """Reaches suppliers whose channel has an API for purchase orders."""

    def __init__(self, outside: Outside) -> None:
        self._partners = outside.partners

    @staticmethod
    def reaches(channel: str) -> bool:
        """See `Docking.reaches`."""
        try:
            return isinstance(find_connector(channel), PurchaseOrderApi)
        except UnknownChannel:
            return False

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        """See `Suppliers.place`."""
        api = supplier_connector(supplier.channel)
        return self._partners.call(supplier, lambda credentials: api.place(request, credentials), api.read_place)

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        """See `Suppliers.find`."""
        api = supplier_connector(supplier.channel)
        return self._partners.call(supplier, lambda credentials: api.find(reference, credentials), api.read_find)

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        """See `Suppliers.cancel`."""
        api = supplier_connector(supplier.channel)
        return self._partners.call(supplier, lambda credentials: api.cancel(reference, credentials), api.read_cancel)
