"""The seed file: shops, suppliers, trackers, carriers and offers as a seller writes them, checked as a whole.

Each section is a mapping by id; offers are by shop and SKU. It has no secrets. `tools/local/seed.yaml` is an example.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from dropship.domain.deadlines import Deadlines, Length
from dropship.domain.errors import InvalidMessage
from dropship.domain.money import Money
from dropship.domain.registry.connections import Carrier, Shop, Supplier, Tracker
from dropship.domain.registry.offers import Offer
from dropship.ports import NoAnswer

from .addresses import is_public, literal_address
from .currencies import CURRENCIES
from .http import read_base
from .seed_yaml import Document, Path, read_document

SECTIONS = dict.fromkeys(("deadlines", "shops", "suppliers", "trackers", "carriers", "offers")).keys()
SKU = re.compile(r"\S(.{0,126}\S)?")
AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,6})?")

LEASES = {
    "dispatch_lease": ("dispatch_submit", timedelta(seconds=30)),
    "writeback_lease": ("shipment_writeback", timedelta(seconds=60)),
}
"""For each lease the function that works under it, and how long that may run: its Timeout in the template."""

KnowsChannel = Callable[[str, str], bool]


class Seed(BaseModel):
    """Everything that the registry will hold. `offers` are by shop and SKU."""

    model_config = ConfigDict(frozen=True)

    shops: tuple[Shop, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    trackers: tuple[Tracker, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    offers: dict[str, dict[str, tuple[Offer, ...]]] = {}


class InvalidSeed(Exception):
    """The seed file has errors; `complaints` has all of them, each as `file:line: field: message`."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = tuple(complaints)


def _money(text: object) -> Money:
    amount, _, currency = str(text).partition(" ")
    try:
        # Decimal alone would also accept digits of every script, `1_000` and `1e3`.
        money = Money.parse(amount if AMOUNT.fullmatch(amount) else "no amount", currency)
    except (InvalidMessage, ValidationError):
        raise ValueError("expected an amount and a currency, such as 12.50 USD") from None
    if money.minor < 0:
        raise ValueError("a cost is not negative")
    if money.currency not in CURRENCIES:
        raise ValueError("this is no currency of ISO 4217 that is in use")
    return money


def _length(text: object) -> object:
    return float(text) if isinstance(text, str) and re.fullmatch(r"\d+(\.\d+)?", text) else text


def _is_length(value: object) -> bool:
    try:
        _LENGTH.validate_python(value)
    except ValidationError:
        return False
    return True


class _WrittenOffer(Offer):
    unit_cost: Annotated[Money, BeforeValidator(_money)]

    def plain(self) -> Offer:
        return Offer(**{name: getattr(self, name) for name in Offer.model_fields})


_OFFERS = TypeAdapter(tuple[_WrittenOffer, ...])
_LENGTH = TypeAdapter[object](Length)


def load_seed(
    content: bytes,
    name: str,
    placeholders: Mapping[str, str],
    knows_channel: KnowsChannel,
    *,
    local: bool = False,
) -> Seed:
    """Read and check a seed file.

    `placeholders` replace `${NAME}` in its texts. `knows_channel` takes a channel and a role (`marketplace`,
    `supplier`, `tracker`) and says whether there is such a connector. `local` is for the local stack: its partners have
    no certificates, and its leases may be short, so that one can watch them end. Elsewhere secrets and buyers' data are
    sent over https only, and a lease lasts as long as its worker may run.

    Raises:
        InvalidSeed: the file has errors; it has all of them at once.
    """
    document = read_document(content, name, placeholders)
    seed = _SeedReader(document).seed()
    _check_names(seed, document, knows_channel)
    for path, message in _repeated(seed):
        document.refuse(path, message)
    if not local:
        for path, message in [*_never_called(seed), *_short_leases(seed, document)]:
            document.refuse(path, message)
    if seed == Seed() and not document.errors:
        document.refuse((), "there is nothing in this file; loading it would leave an empty registry")
    if document.errors:
        raise InvalidSeed(document.complaints)
    return seed


class _SeedReader:
    """Turns the document into models, and adds an error for each part that does not fit."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def seed(self) -> Seed:
        sections = self._mapping((), self._document.value)
        for unknown in sections.keys() - SECTIONS:
            self._document.refuse((unknown,), f"no such section; there are {', '.join(SECTIONS)}")
        deadlines = self._deadlines(("deadlines",), sections.get("deadlines"))
        shops = self._mapping(("shops",), sections.get("shops"))
        for shop, fields in shops.items():
            if isinstance(fields, dict):
                own = self._deadlines(("shops", shop, "deadlines"), fields.get("deadlines"))
                fields["deadlines"] = {**deadlines, **own}
        return Seed(
            shops=tuple(self._entries(Shop, "shops", shops)),
            suppliers=tuple(self._entries(Supplier, "suppliers", sections.get("suppliers"))),
            trackers=tuple(self._entries(Tracker, "trackers", sections.get("trackers"))),
            carriers=tuple(self._entries(Carrier, "carriers", sections.get("carriers"))),
            offers=self._offers(sections.get("offers")),
        )

    def _mapping(self, path: Path, value: object) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self._document.refuse(path, "expected a mapping")
        return {}

    def _deadlines(self, path: Path, value: object) -> dict[str, object]:
        lengths = {name: _length(text) for name, text in self._mapping(path, value).items()}
        for name in sorted(lengths.keys() & Deadlines.model_fields.keys()):
            if not _is_length(lengths[name]):
                self._document.refuse((*path, name), "expected 1 second to 365 days: seconds, or such as PT48H")
                del lengths[name]
        return lengths if self._valid(Deadlines.model_validate, path, lengths) is not None else {}

    def _entries[Entry: (Shop, Supplier, Tracker, Carrier)](
        self, kind: type[Entry], section: str, value: object
    ) -> Iterator[Entry]:
        for name, fields in self._mapping((section,), value).items():
            path: Path = (section, name)
            if not isinstance(fields, dict):
                self._document.refuse(path, "expected a mapping")
            elif "id" in fields:
                self._document.refuse((*path, "id"), "the id is the entry's key; leave this out")
            else:
                entry = self._valid(kind.model_validate, path, {**fields, "id": name})
                if entry is not None:
                    yield entry

    def _offers(self, value: object) -> dict[str, dict[str, tuple[Offer, ...]]]:
        offers: dict[str, dict[str, tuple[Offer, ...]]] = {}
        for shop, by_sku in self._mapping(("offers",), value).items():
            offers[shop] = {}
            for sku, listed in self._mapping(("offers", shop), by_sku).items():
                path: Path = ("offers", shop, sku)
                if not SKU.fullmatch(sku):
                    self._document.refuse(path, "a SKU is 1 to 128 characters without spaces around them")
                written = self._valid(_OFFERS.validate_python, path, [] if listed is None else listed)
                if written is not None:
                    offers[shop][sku] = tuple(offer.plain() for offer in written)
        return offers

    def _valid[Value](self, read: Callable[[object], Value], path: Path, value: object) -> Value | None:
        try:
            return read(value)
        except ValidationError as error:
            for issue in error.errors(include_input=False, include_url=False, include_context=False):
                loc: Path = issue["loc"]
                where = path if loc == ("id",) else (*path, *loc)
                self._document.refuse(where, issue["msg"].removeprefix("Value error, "))
            return None


def _check_names(seed: Seed, document: Document, knows_channel: KnowsChannel) -> None:
    """Add an error for every name that does not exist. An entry that was refused for another reason does exist."""
    sections = document.value if isinstance(document.value, dict) else {}
    ids = {name: set(entries) for name, entries in sections.items() if isinstance(entries, dict)}
    for path, channel, role in _channels(seed):
        if not knows_channel(channel, role):
            document.refuse(path, f"there is no {role} connector for the channel {channel!r}")
    for path, name, section in _references(seed):
        if name not in ids.get(section, ()):
            document.refuse(path, f"there is no {name!r} among the {section}")
    trackers = {tracker.id: tracker for tracker in seed.trackers}
    for carrier in seed.carriers:
        tracker = trackers.get(carrier.tracker)
        if tracker is not None and tracker.code_of(carrier.id) is None:
            document.refuse(("carriers", carrier.id), f"the tracker {tracker.id!r} has no code for it")


def _channels(seed: Seed) -> Iterator[tuple[Path, str, str]]:
    for shop in seed.shops:
        yield ("shops", shop.id, "channel"), shop.channel, "marketplace"
    for supplier in seed.suppliers:
        yield ("suppliers", supplier.id, "channel"), supplier.channel, "supplier"
    for tracker in seed.trackers:
        yield ("trackers", tracker.id, "channel"), tracker.channel, "tracker"


def _references(seed: Seed) -> Iterator[tuple[Path, str, str]]:
    """For each name that is used: where, the name, and the section that must have it."""
    for supplier in seed.suppliers:
        for theirs, ours in supplier.carriers.items():
            yield ("suppliers", supplier.id, "carriers", theirs), ours, "carriers"
    for tracker in seed.trackers:
        for code, ours in tracker.codes.items():
            yield ("trackers", tracker.id, "codes", code), ours, "carriers"
    for carrier in seed.carriers:
        yield ("carriers", carrier.id, "tracker"), carrier.tracker, "trackers"
    for shop, by_sku in seed.offers.items():
        yield ("offers", shop), shop, "shops"
        yield from _offered(("offers", shop), by_sku)


def _offered(path: Path, by_sku: Mapping[str, Sequence[Offer]]) -> Iterator[tuple[Path, str, str]]:
    for sku, offers in by_sku.items():
        for position, offer in enumerate(offers):
            yield (*path, sku, position, "supplier"), offer.supplier, "suppliers"


def _repeated(seed: Seed) -> Iterator[tuple[Path, str]]:
    """Repeats of what may exist only once: a shop's domain at its marketplace, a supplier's offer for a SKU."""
    shops: dict[tuple[str, str], str] = {}
    for shop in seed.shops:
        first = shops.setdefault((shop.channel, shop.domain.lower()), shop.id)
        if first != shop.id:
            yield ("shops", shop.id, "domain"), f"{first!r} is this shop already; its events would be taken twice"
    for name, by_sku in seed.offers.items():
        for sku, offers in by_sku.items():
            suppliers = [offer.supplier for offer in offers]
            for position, supplier in enumerate(suppliers):
                if supplier in suppliers[:position]:
                    yield ("offers", name, sku, position, "supplier"), "this supplier offers the SKU already"


def _short_leases(seed: Seed, document: Document) -> Iterator[tuple[Path, str]]:
    """Leases that end while their worker may still be at work (decision 64). They are a shop's own, or of all shops."""
    for shop in seed.shops:
        for name, (function, limit) in LEASES.items():
            if getattr(shop.deadlines, name) < limit:
                own: Path = ("shops", shop.id, "deadlines", name)
                why = f"{function} may run for {limit.seconds} s, and until it ends a second worker could send the same"
                do = f"set at least {limit.seconds}, or leave it out; less is for the local stack only"
                yield own if own in document.lines else ("deadlines", name), f"{why}: {do}"


def _never_called(seed: Seed) -> Iterator[tuple[Path, str]]:
    """Addresses of partners, and our callback addresses, that are not https, not readable or not public.

    A host name may also resolve to a private address; that is checked at every call.
    """
    addresses: list[tuple[Path, str | None]] = [
        *((("shops", shop.id, "base_url"), shop.base_url) for shop in seed.shops),
        *((("suppliers", supplier.id, "base_url"), supplier.base_url) for supplier in seed.suppliers),
        *((("trackers", tracker.id, "base_url"), tracker.base_url) for tracker in seed.trackers),
        *((("trackers", tracker.id, "callback_url"), tracker.callback_url) for tracker in seed.trackers),
    ]
    for path, address in addresses:
        if address is None:
            continue
        if not address.startswith("https://"):
            yield path, "expected https://; http:// is for the local stack only"
        elif (host := _host(address)) is None:
            yield path, "this is no address"
        elif (literal := literal_address(host)) is not None and not is_public(literal):
            yield path, "this address is not in the public internet"


def _host(address: str) -> str | None:
    try:
        return read_base(address, plain_allowed=False).host
    except NoAnswer:
        return None
