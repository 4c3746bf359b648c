"""The registry in memory."""

from collections.abc import Iterable, Mapping, Sequence

from dropship.adapters.seed_file import Seed
from dropship.domain.registry.connections import Carrier, Shop, Supplier, Tracker
from dropship.domain.registry.offers import Offer
from dropship.ports import NotFound

Entry = Shop | Supplier | Tracker | Carrier


class FakeRegistry:
    """`ports.Registry`, filled from a seed or entry by entry."""

    def __init__(self, seed: Seed | None = None) -> None:
        self.entries: dict[tuple[type[Entry], str], Entry] = {}
        self.offered: dict[tuple[str, str], tuple[Offer, ...]] = {}
        if seed is not None:
            self.put_all(seed)

    def put_all(self, seed: Seed) -> None:
        """Put everything that a seed contains."""
        self.put(*seed.shops, *seed.suppliers, *seed.trackers, *seed.carriers)
        for shop, by_sku in seed.offers.items():
            for sku, offers in by_sku.items():
                self.offer(shop, sku, *offers)

    def put(self, *entries: Entry) -> None:
        """Put connections, each in place of the one with the same id."""
        self.entries |= {(type(entry), entry.id): entry for entry in entries}

    def offer(self, shop: str, sku: str, *offers: Offer) -> None:
        """Set the offers for a SKU of a shop."""
        self.offered[shop, sku] = offers

    def shops(self) -> Sequence[str]:
        return [name for kind, name in self.entries if kind is Shop]

    def shop(self, shop: str) -> Shop:
        return self._entry(Shop, shop)

    def supplier(self, supplier: str) -> Supplier:
        return self._entry(Supplier, supplier)

    def carrier(self, carrier: str) -> Carrier:
        return self._entry(Carrier, carrier)

    def tracker(self, tracker: str) -> Tracker:
        return self._entry(Tracker, tracker)

    def offers(self, shop: str, skus: Iterable[str]) -> Mapping[str, Sequence[Offer]]:
        return {sku: offers for sku in skus if (offers := self.offered.get((shop, sku)))}

    def _entry[Kind: (Shop, Supplier, Tracker, Carrier)](self, kind: type[Kind], name: str) -> Kind:
        entry = self.entries.get((kind, name))
        if not isinstance(entry, kind):
            raise NotFound(f"the registry has no {kind.__name__.lower()} {name!r}")
        return entry
