"""The demo, with a back office that answers at once, and with one that never answers."""

import json
from datetime import UTC, datetime

import pytest

from dropship.connectors import marketplace, supplier, tracker
from dropship.connectors.contract import AskedParcel
from dropship.domain.exchange.marketplace import Recipient
from dropship.domain.exchange.suppliers import PurchaseLine, PurchaseOrderRequest, ShippedLine
from dropship.domain.exchange.writeback import ParcelShipped
from dropship.domain.money import Money
from tools.local.demo import Demo, Disproved, StepMissing
from tools.local.story import WORDS, Storyteller, pad, trouble, width

pytestmark = pytest.mark.enable_socket


class BackOffice:
    """Does to one order everything that Daifa would do, each time the order is read."""

    def __init__(self, our_api, call, access, *, told_lines=2):
        self.our_api, self.call, self.access, self.told_lines = our_api, call, access, told_lines
        self.taken = 0
        self.order = None

    def read(self, _order_id):
        while self.taken < len(self.our_api.received):
            path, request = self.our_api.received[self.taken]
            self.taken += 1
            {"shopify": self.paid, "supplier-v1": self.told, "kuaidi100": self.scanned}[path.split("/")[2]](request)
        return self.order

    def note(self, *words):
        for what in words:
            self.order["timeline"].append(
                {"at": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, "about": ""}
            )

    def paid(self, request):
        payload = json.loads(request.body)
        self.key = str(payload["id"])
        cost = Money(minor=100, currency="USD")
        self.lines = [ShippedLine(line=str(line["id"]), quantity=1) for line in payload["line_items"]]
        purchase = PurchaseOrderRequest(
            id=f"main-shop.{self.key}.acme.1.1",
            order_number="#1",
            lines=[
                PurchaseLine(line=line.line, supplier_sku="A", quantity=line.quantity, unit_cost=cost)
                for line in self.lines
            ],
            recipient=Recipient(),
        )
        self.call("/suppliers/acme", supplier("supplier-v1").place(purchase, self.access("supplier-v1/acme")))
        self.order = {
            "status": "IN_FULFILMENT",
            "purchase_orders": [{"id": purchase.id}],
            "parcels": [],
            "timeline": [],
        }
        self.note("received", "claimed", "placed")

    def told(self, request):
        body = json.loads(request.body)
        kind = body["type"].split(".")[1]
        self.note(kind)
        if kind != "shipped":
            return
        number = body["data"]["shipment"]["tracking_number"]
        self.order["parcels"].append({"carrier": "yto", "number": number})
        secret = self.access("kuaidi100/kd100")
        callback = f"{self.our_api.url}/webhooks/kuaidi100/kd100"
        self.call("/kuaidi100", tracker("kuaidi100").subscribe(AskedParcel("yuantong", number), callback, secret))
        self.write_back(number)
        self.note("all shipped", "written back")

    def write_back(self, number):
        shopify, secret = marketplace("shopify"), self.access("shopify/main-shop")
        state = shopify.read_fulfilment(self.call("/shopify/main-shop", shopify.ask_fulfilment(self.key, secret)))
        lines = tuple(self.lines[: self.told_lines])
        parcel = ParcelShipped(order=self.key, carrier_name="YTO", number=number, lines=lines)
        self.call("/shopify/main-shop", shopify.writeback(parcel, state, secret))

    def scanned(self, request):
        states = {"5": "OUT_FOR_DELIVERY", "3": "DELIVERED"}
        state = next((word for code, word in states.items() if f"state%22%3A+%22{code}" in request.body.decode()), None)
        self.note(f"parcel {state or 'IN_TRANSIT'}", *(["delivered"] if state == "DELIVERED" else []))


@pytest.fixture
def told():
    return []


@pytest.fixture
def teller(told):
    return Storyteller(told.append, colour=False)


def test_the_whole_life_is_told_and_proven(sandbox, our_api, call, access, teller, told):
    Demo(sandbox, BackOffice(our_api, call, access).read, teller).run()
    steps = [line for line in told if " Daifa " in line]
    order = ["received", "planned", "placed", "acknowledged", "shipped", "written back", "in transit", "delivered"]
    assert [step for step in order if any(f" {step} (" in line for line in steps)] == order
    times = [float(line.split()[0]) for line in told if line.split()[1:2] == ["s"]]
    assert len(times) > len(order)
    assert times == sorted(times), "an order knows whole seconds, and yet no line goes back in time"
    proof = "\n".join(told[-4:])
    assert "1 purchase order SO-10001, 2 lines, 2 units" in proof
    assert "1 fulfilment of 2 units" in proof
    assert "3 pushes sent" in proof


def test_a_marketplace_that_was_told_too_little_disproves_it(sandbox, our_api, call, access, teller):
    office = BackOffice(our_api, call, access, told_lines=1)
    with pytest.raises(Disproved, match="sold 2 units and was told that 1 were sent"):
        Demo(sandbox, office.read, teller).run()


def test_a_life_that_stops_names_the_step_and_what_the_order_says(sandbox, teller):
    held = {"status": "ON_HOLD", "holds": [{"kind": "NO_SOURCE", "detail": "nobody offers it"}], "tasks": []}
    held |= {"timeline": [{"at": "2026-11-21T08:15:30Z", "what": "received"}], "purchase_orders": [], "parcels": []}
    with pytest.raises(StepMissing, match="planned") as missing:
        Demo(sandbox, lambda _order: held, teller, bound_s=0.1).run()
    assert trouble(missing.value.order) == [
        "The order's status is ON_HOLD.",
        "hold: NO_SOURCE nobody offers it",
        "The last that happened to it: received",
    ]


def test_a_front_door_that_refuses_is_told(sandbox, our_api, teller):
    our_api.answers = [401]
    with pytest.raises(Disproved, match="should take orders/paid with 200; it answered 401"):
        Demo(sandbox, lambda _order: None, teller).run()


def test_columns_are_aligned_whatever_the_script():
    assert width("签收 ok") == 7
    assert {width(pad(step, 30)) for step, _ in WORDS.values()} == {30}


def test_colour_is_for_terminals_only(told):
    for colour in (False, True):
        Storyteller(told.append, colour=colour).happened(0.1, "received", "")
    assert ["\033" in line for line in told] == [False, True]
