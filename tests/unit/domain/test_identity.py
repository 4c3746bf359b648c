import pytest

from dropship.domain.errors import InvalidMessage
from dropship.domain.identity import OrderKey, PurchaseOrderId, Waybill

HOSTILE = [
    *["", "#", "shop", "shop#", "#1", "shop#1#2", "shop#1\n", "\nshop#1", "Shop#1", "shop #1", "shop#1 "],
    *["s" * 33 + "#1", "shop#" + "1" * 65, "shop#../../etc", "shop#1\x00", "shop#١", "shop#１", "shóp#1", "shop#a.b"],
    "shop#" + "1" * 1_000_000,
]


@pytest.mark.parametrize("kind", [OrderKey, Waybill])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_what_is_not_a_key_is_refused_in_few_words(kind, text):
    with pytest.raises(InvalidMessage) as refusal:
        kind.parse(text)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("text", ["main-shop#820982911946154508", "0#_", "a-b-c#A-z_0"])
def test_a_key_is_read_and_written_alike(text):
    assert str(OrderKey.parse(text)) == text
    assert str(Waybill.parse(text)) == text


def test_a_purchase_order_id_names_everything_it_is_derived_from():
    text = "main-shop.820982911946154508.north.1.12"
    found = PurchaseOrderId.parse(text)
    assert found == (OrderKey("main-shop", "820982911946154508"), "north", 1, 12)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        *["", "....", "a.b.c.1", "a.b.c.1.1.1", "a.b.c.1.x", "a.b.c.-1.1", "a.b.c.1.1\n", "A.b.c.1.1", "a.b.C.1.1"],
        *["a.b.c.01.1", "a.b.c.0.1", "a.b.c.١.1", "a.b.c.².1", "a.b#c.d.1.1", "a..c.1.1"],
        *["a.b.c.1." + "9" * 5_000, "." * 100_000],
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_not_exactly_one_of_our_purchase_order_ids_is_refused(text):
    with pytest.raises(InvalidMessage):
        PurchaseOrderId.parse(text)
