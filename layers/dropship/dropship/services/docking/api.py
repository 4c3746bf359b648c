"""Suppliers with an API: each question is one request, and the connector of the channel reads the answer."""

from dropship.connectors import supplier as supplier_connector
from dropship.connectors.contract import Cancels, Finds, Places, UnknownChannel, able, needed
from dropship.domain.exchange.outcomes import Refused, Unknown
from dropship.domain.exchange.suppliers import CancelResult, FindResult, PlaceResult, PurchaseOrderRequest
from dropship.domain.registry.connections import Supplier
from dropship.services.docking import Outside, docking


@docking
class ApiDocking:
    """Reaches suppliers whose channel has an API that takes purchase orders."""

    def __init__(self, outside: Outside) -> None:
        self._partners = outside.partners

    @staticmethod
    def reaches(channel: str) -> bool:
        """See `Docking.reaches`."""
        try:
            return able(supplier_connector(channel), Places) is not None
        except UnknownChannel:
            return False

    def place(self, supplier: Supplier, request: PurchaseOrderRequest) -> PlaceResult:
        """See `Suppliers.place`."""
        api = needed(supplier_connector(supplier.channel), Places)
        return self._partners.call(supplier, lambda access: api.place(request, access), api.read_place)

    def find(self, supplier: Supplier, reference: str) -> FindResult:
        """See `Suppliers.find`. `Unknown` if the channel has no look-up: then a person has to find out."""
        api = able(supplier_connector(supplier.channel), Finds)
        if api is None:
            return Unknown(why=f"supplier {supplier.id} cannot be asked which purchase orders it has")
        return self._partners.call(supplier, lambda access: api.find(reference, access), api.read_find)

    def cancel(self, supplier: Supplier, reference: str) -> CancelResult:
        """See `Suppliers.cancel`."""
        api = able(supplier_connector(supplier.channel), Cancels)
        if api is None:
            return Refused(words=f"supplier {supplier.id} takes no cancellations from us: ask it yourself")
        return self._partners.call(supplier, lambda access: api.cancel(reference, access), api.read_cancel)
