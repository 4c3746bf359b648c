"""Dockings: each way to reach suppliers is a file, found by the channel. Placing and cancelling do not know which."""

import importlib
import pkgutil
import sys

import pytest

from dropship.connectors import suppliers
from dropship.connectors.contract import UnknownChannel
from dropship.domain.registry.connections import Supplier
from dropship.services import docking
from dropship.services.docking import docking_of
from dropship.services.docking.api import ApiDocking
from dropship.services.messages import CancelOrder
from tests.support.service_world import KEY, PO

CHANNEL = "letter"
BY_LETTER = '''
"""Suppliers that are written to: a made-up docking, whole in one file."""

from dropship.domain.exchange.outcomes import Absent, Refused
from dropship.domain.exchange.suppliers import CancelAccepted, Placed
from dropship.services.docking import docking

LETTERS = {}


@docking
class Letters:
    def __init__(self, outside):
        pass

    @staticmethod
    def reaches(channel):
        return channel == "letter"

    def place(self, supplier, request):
        LETTERS[request.id] = [supplier.name, "please send", request.lines[0].supplier_sku]
        return Placed(purchase_order=request.id, supplier_reference="by letter")

    def find(self, supplier, reference):
        if reference not in LETTERS:
            return Absent()
        return Placed(purchase_order=reference, supplier_reference="by letter")

    def cancel(self, supplier, reference):
        LETTERS[reference].append("please do not")
        return CancelAccepted()
'''


@pytest.fixture
def letter(tmp_path, monkeypatch):
    """A further file among the dockings. A test writes it."""
    monkeypatch.setattr(docking, "__path__", [*docking.__path__, str(tmp_path)])
    yield tmp_path / "letter.py"
    docking_of.cache_clear()
    sys.modules.pop(f"{docking.__name__}.letter", None)
    docking._DOCKINGS.pop(f"{docking.__name__}.letter", None)


@pytest.fixture
def letters(letter):
    """The docking by letter. Gives a function that returns the letters written with it."""
    write(letter, BY_LETTER)
    return lambda: sys.modules[f"{docking.__name__}.letter"].LETTERS


def write(file, text):
    file.write_text(text)
    importlib.invalidate_caches()


@pytest.fixture
def by_letter(world, letters):
    """A paid order whose supplier is reached by the new docking."""
    acme = world.registry.supplier("acme")
    world.registry.put(acme.model_copy(update={"channel": CHANNEL}))
    world.hear("orders/paid")
    return world


def test_a_further_docking_is_one_further_file_and_dispatch_places_with_it(by_letter, letters):
    assert by_letter.dispatch() == ["DISPATCHED"]
    assert by_letter.purchase_order.supplier_reference == "by letter"
    assert letters() == {PO: ["Acme Drop-ship", "please send", "ACME-IPOD-PINK"]}
    assert by_letter.http.asked == []


def test_a_cancellation_takes_the_same_way(by_letter, letters):
    by_letter.dispatch()
    by_letter.tell(CancelOrder(order=str(KEY)))
    assert by_letter.order.status == "CANCELLED"
    assert letters()[PO][-1] == "please do not"
    assert by_letter.http.asked == []


def test_suppliers_of_other_channels_are_reached_as_before(world, letters):
    assert docking_of("supplier-v1") is ApiDocking
    world.dispatched()
    assert world.acme.open == [PO]


@pytest.mark.parametrize("channel", ["shopify", "kuaidi100", "nobody", "../api", "x" * 5000])
def test_what_no_docking_reaches_is_an_error_and_nothing_is_asked(world, channel):
    supplier = Supplier.model_construct(id="acme", channel=channel, base_url="http://partners.test/suppliers/acme")
    with pytest.raises(UnknownChannel, match=f"channel '{channel[:40]}'"):
        world.suppliers.find(supplier, PO)
    assert world.http.asked == []


def test_a_file_that_registers_no_docking_is_named_with_what_is_missing(letter):
    write(letter, BY_LETTER.replace("@docking\n", ""))
    with pytest.raises(UnknownChannel, match=r"docking\.letter registers no docking: .* @docking"):
        docking_of(CHANNEL)


@pytest.mark.parametrize("name", [found.name for found in pkgutil.iter_modules(suppliers.__path__)])
def test_every_supplier_connector_is_reached_by_a_docking(name):
    assert docking_of(name.replace("_", "-")) is ApiDocking
