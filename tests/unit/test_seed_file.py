"""The seed file: what it means; and every error in it is named with its line, all errors at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from dropship import connectors
from dropship.adapters.seed_file import InvalidSeed, load_seed
from dropship.domain.deadlines import Deadlines
from dropship.domain.money import Money
from dropship.domain.registry.connections import Shop
from dropship.domain.registry.offers import Offer

ROOT = Path(__file__).resolve().parents[2]
URLS = {"API_URL": "https://api.example", "SANDBOX_URL": "https://sandbox.example"}
CHANNELS = {
    ("shopify", "marketplace"),
    ("woocommerce", "marketplace"),
    ("supplier-v1", "supplier"),
    ("kuaidi100", "tracker"),
}

LENGTH = "expected 1 second to 365 days: seconds, or such as PT48H"

GOOD = """\
deadlines: {ship: PT24H, remind: 90}
shops:
  main-shop:
    channel: shopify
    base_url: ${SANDBOX_URL}/shopify/main-shop
    domain: example.myshopify.com
    deadlines:
      ship: 3600
suppliers:
  acme: {channel: supplier-v1, base_url: "https://acme.example", name: Acme, carriers: {圆通: yto}}
  bolt: {channel: supplier-v1, base_url: "https://bolt.example", name: Bolt}
trackers:
  kd100: {channel: kuaidi100, base_url: "https://kd.example", codes: {yuantong: yto}}
carriers:
  yto: {name: YTO Express, tracker: kd100}
offers:
  main-shop:
    IPOD2008PINK:
      - {supplier: acme, supplier_sku: A-1, unit_cost: 12.50 USD}
      - {supplier: bolt, supplier_sku: B-2, unit_cost: 1300 JPY, rank: 2}
    "0012": []
"""


def load(text, placeholders=URLS, **options):
    content = text.encode() if isinstance(text, str) else text
    return load_seed(content, "seed.yaml", placeholders, lambda channel, role: (channel, role) in CHANNELS, **options)


def complaints(text):
    with pytest.raises(InvalidSeed) as refused:
        load(text)
    assert str(refused.value) == "\n".join(refused.value.complaints)
    return list(refused.value.complaints)


def change(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_seed_is_read_into_the_models_of_the_registry():
    seed = load(GOOD)
    assert seed.shops == (
        Shop(
            id="main-shop",
            channel="shopify",
            base_url="https://sandbox.example/shopify/main-shop",
            domain="example.myshopify.com",
            deadlines=Deadlines(ship=timedelta(hours=1), remind=timedelta(seconds=90)),
        ),
    )
    assert seed.suppliers[0].carriers == {"圆通": "yto"}
    assert seed.trackers[0].code_of("yto") == "yuantong"
    assert seed.carriers[0].name == "YTO Express"
    assert seed.offers == {
        "main-shop": {
            "IPOD2008PINK": (
                Offer(supplier="acme", supplier_sku="A-1", unit_cost=Money(minor=1250, currency="USD")),
                Offer(supplier="bolt", supplier_sku="B-2", unit_cost=Money(minor=1300, currency="JPY"), rank=2),
            ),
            "0012": (),
        }
    }


def test_offers_are_plain_offers():
    assert type(load(GOOD).offers["main-shop"]["IPOD2008PINK"][0]) is Offer


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "shops:\noffers: ~\n", "{}", "deadlines: {ship: 9}"])
def test_a_file_with_nothing_in_it_is_refused_for_it_would_empty_the_registry(text):
    assert complaints(text) == ["seed.yaml:1: there is nothing in this file; loading it would leave an empty registry"]


def test_a_section_may_be_empty():
    text = "suppliers: {acme: {channel: supplier-v1, base_url: 'https://acme.example', name: Acme}}\nshops:\noffers: {}"
    assert (load(text).shops, load(text).offers) == ((), {})


def test_texts_mean_what_they_say():
    text = change("name: Acme", "name: no").replace("supplier_sku: A-1", "supplier_sku: 0012")
    seed = load(text)
    assert seed.suppliers[0].name == "no"
    assert seed.offers["main-shop"]["IPOD2008PINK"][0].supplier_sku == "0012"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    channel: shopify\n", "", "3: shops.main-shop.channel: Field required"),
        ("shopify\n", "woo\n", "4: shops.main-shop.channel: there is no marketplace connector for the channel 'woo'"),
        (
            "channel: kuaidi100",
            "channel: shopify",
            "13: trackers.kd100.channel: there is no tracker connector for the channel 'shopify'",
        ),
        ("  main-shop:\n    channel", "  Main Shop:\n    channel", "3: shops.Main Shop: String should match pattern"),
        (
            "${SANDBOX_URL}/",
            "${SHOP_URL}/",
            "5: shops.main-shop.base_url: unknown placeholder ${SHOP_URL} (known: API_URL",
        ),
        ('"https://acme.example"', '"ftp://acme.example"', "10: suppliers.acme.base_url: String should match pattern"),
        (
            '"https://acme.example"',
            '"https://key:word@acme.example"',
            "10: suppliers.acme.base_url: String should match pattern",
        ),
        (
            "      ship: 3600",
            "      ship: 0",
            f"8: shops.main-shop.deadlines.ship: {LENGTH}",
        ),
        ("      ship: 3600", "      ship: soon", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("      ship: 3600", "      ship: -5", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("      ship: 3600", "      ship: -PT5H", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("      ship: 3600", "      ship: P366D", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("      ship: 3600", "      ship: ~", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("      ship: 3600", "      ship: [1]", f"8: shops.main-shop.deadlines.ship: {LENGTH}"),
        ("remind: 90", "remind: -PT1S", f"1: deadlines.remind: {LENGTH}"),
        ("      ship: 3600", "      shpi: 1", "8: shops.main-shop.deadlines.shpi: Extra inputs are not permitted"),
        ("{ship: PT24H", "{shpi: PT24H", "1: deadlines.shpi: Extra inputs are not permitted"),
        ("name: Acme", "name: Acme, token: t", "10: suppliers.acme.token: Extra inputs are not permitted"),
        ("name: Acme", "id: acme, name: A", "10: suppliers.acme.id: the id is the entry's key; leave this out"),
        ("圆通: yto", "圆通: ytoo", "10: suppliers.acme.carriers.圆通: there is no 'ytoo' among the carriers"),
        ("yuantong: yto", "yuantong: ytoo", "13: trackers.kd100.codes.yuantong: there is no 'ytoo' among the carriers"),
        ("yuantong: yto", "", "15: carriers.yto: the tracker 'kd100' has no code for it"),
        ("tracker: kd100", "tracker: kd200", "15: carriers.yto.tracker: there is no 'kd200' among the trackers"),
        ("offers:\n  main-shop", "offers:\n  other", "17: offers.other: there is no 'other' among the shops"),
        (
            "supplier: bolt, supplier_sku: B-2",
            "supplier: cart, supplier_sku: B-2",
            "20: offers.main-shop.IPOD2008PINK.1.supplier: there is no 'cart' among the suppliers",
        ),
        (
            "1300 JPY",
            "1300.5 JPY",
            "20: offers.main-shop.IPOD2008PINK.1.unit_cost: expected an amount and a currency, such as 12.50 USD",
        ),
        (
            "supplier: bolt, supplier_sku: B-2",
            "supplier: acme, supplier_sku: B-2",
            "20: offers.main-shop.IPOD2008PINK.1.supplier: this supplier offers the SKU already",
        ),
        ("12.50 USD", "-12.50 USD", "19: offers.main-shop.IPOD2008PINK.0.unit_cost: a cost is not negative"),
        (
            "12.50 USD",
            "12.50 USX",
            "19: offers.main-shop.IPOD2008PINK.0.unit_cost: this is no currency of ISO 4217 that is in use",
        ),
        ("rank: 2", "rank: 0", "20: offers.main-shop.IPOD2008PINK.1.rank: Input should be greater than or equal to 1"),
        ('"0012": []', '" ": []', "21: offers.main-shop. : a SKU is 1 to 128 characters without spaces around them"),
        ('"0012": []', '"0012": acme', "21: offers.main-shop.0012: Input should be a valid tuple"),
        ("carriers:\n  yto: {name", "carriers:\n  - {name", "14: carriers: expected a mapping"),
        ("offers:", "offer:", "16: offer: no such section; there are deadlines, shops"),
    ],
)
def test_an_error_is_told_with_file_line_and_field(old, new, expected):
    assert any(complaint.startswith(f"seed.yaml:{expected}") for complaint in complaints(change(old, new)))


def test_a_wrong_length_is_told_once():
    assert complaints(change("      ship: 3600", "      ship: -5")) == [
        f"seed.yaml:8: shops.main-shop.deadlines.ship: {LENGTH}"
    ]


@pytest.mark.parametrize("cost", ["1 DEM", "1 HRK", "1 ZWL", "1 XAU", "1 XXX", "1 XTS"])
def test_a_cost_in_what_nobody_pays_with_is_refused(cost):
    assert "no currency of ISO 4217" in complaints(change("12.50 USD", cost))[0]


@pytest.mark.parametrize("cost", ["0 USD", "-0 USD", "1.005 KWD", "100 VND", "9.99 EUR", "88 CNY"])
def test_a_cost_may_be_nothing_and_in_any_currency(cost):
    assert load(change("12.50 USD", cost)).offers["main-shop"]["IPOD2008PINK"][0].unit_cost.minor >= 0


SECOND_SHOP = "  second-shop: {channel: shopify, base_url: 'https://s.example', domain: %s}\nsuppliers:\n"


def test_one_shop_of_a_marketplace_is_there_once():
    refused = "'main-shop' is this shop already; its events would be taken twice"
    text = change("suppliers:\n", SECOND_SHOP % "EXAMPLE.myshopify.com")
    assert complaints(text) == [f"seed.yaml:9: shops.second-shop.domain: {refused}"]
    assert len(load(change("suppliers:\n", SECOND_SHOP % "second.myshopify.com")).shops) == 2


@pytest.mark.parametrize("host", ["10.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]", "169.254.169.254:8443"])
def test_an_address_inside_a_network_is_for_the_local_stack_only(host):
    text = change("https://acme.example", f"https://{host}/v1")
    assert complaints(text) == ["seed.yaml:10: suppliers.acme.base_url: this address is not in the public internet"]
    assert load(text, local=True).suppliers


def test_an_address_that_cannot_be_called_is_refused_and_a_public_one_is_not():
    assert "this is no address" in complaints(change("https://acme.example", "https://acme.example:99999"))[0]
    assert load(change("https://acme.example", "https://8.8.8.8/v1")).suppliers


@pytest.mark.parametrize("name", ['"Ac\\0me"', '"Ac\\ud800me"', '"Ac\\eme"', "x" * 256])
def test_a_name_that_cannot_be_kept_is_refused(name):
    assert complaints(change("name: Acme", f"name: {name}"))[0].startswith("seed.yaml:10: suppliers.acme.name: ")


def test_a_key_that_cannot_be_kept_is_refused_with_its_line():
    assert complaints(change("IPOD2008PINK", '"IPOD\\ud800"'))[0].startswith(
        "seed.yaml:18: offers.main-shop.IPOD\ufffd: "
    )


def test_a_note_may_have_lines():
    note = '"No price list.\\n\\tThank you."'
    assert load(change("name: Bolt", f"name: Bolt, packing_note: {note}")).suppliers[1].packing_note.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("${SANDBOX_URL}/", "http://shop.example/", "5: shops.main-shop.base_url"),
        ("https://acme.example", "http://acme.example", "10: suppliers.acme.base_url"),
        ("https://kd.example", "http://kd.example", "13: trackers.kd100.base_url"),
        ("codes: {", 'callback_url: "http://us.example", codes: {', "13: trackers.kd100.callback_url"),
    ],
)
def test_an_address_without_encryption_is_for_the_local_stack_only(old, new, where):
    text = change(old, new)
    assert complaints(text) == [f"seed.yaml:{where}: expected https://; http:// is for the local stack only"]
    assert load(text, local=True).shops


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (
            "ship: 3600",
            "dispatch_lease: 29",
            "8: shops.main-shop.deadlines.dispatch_lease: dispatch_submit may run for 30 s",
        ),
        (
            "ship: 3600",
            "writeback_lease: PT59S",
            "8: shops.main-shop.deadlines.writeback_lease: shipment_writeback may run for 60 s",
        ),
        ("remind: 90", "dispatch_lease: 2", "1: deadlines.dispatch_lease: dispatch_submit may run for 30 s"),
    ],
)
def test_a_lease_that_ends_before_its_worker_is_for_the_local_stack_only(old, new, where):
    text = change(old, new)
    (complaint,) = complaints(text)
    assert complaint.startswith(f"seed.yaml:{where}")
    assert "a second worker could send the same" in complaint
    assert load(text, local=True).shops


def test_a_lease_as_long_as_its_worker_may_run_is_taken():
    assert load(change("ship: 3600", "dispatch_lease: 30\n      writeback_lease: 60")).shops


def test_a_shop_with_a_lease_of_its_own_is_not_blamed_for_a_short_one_that_is_for_all():
    text = GOOD.replace("remind: 90", "dispatch_lease: 2").replace("ship: 3600", "dispatch_lease: 45")
    assert load(text).shops[0].deadlines.dispatch_lease == timedelta(seconds=45)


def test_all_errors_are_told_at_once_by_line_and_nothing_follows_from_another_error():
    text = change("domain: example", "domian: example").replace("12.50 USD", "12.50").replace("圆通: yto", "圆通: x")
    assert [complaint.split(": ")[:2] for complaint in complaints(text)] == [
        ["seed.yaml:3", "shops.main-shop.domain"],
        ["seed.yaml:6", "shops.main-shop.domian"],
        ["seed.yaml:10", "suppliers.acme.carriers.圆通"],
        ["seed.yaml:19", "offers.main-shop.IPOD2008PINK.0.unit_cost"],
    ]


def test_no_error_repeats_what_was_written():
    text = change("name: Acme", "name: Acme, api_key: k3y").replace("12.50 USD", "k3y")
    assert "k3y" not in "".join(complaints(text))


@pytest.mark.parametrize(
    "cost",
    [
        "12.50",
        "USD",
        "١٢ USD",
        "1_0 USD",
        "1e1 USD",
        "12,50 USD",
        "1e3000000 USD",
        "NaN USD",
        "12.50 usd",
        "12.505 USD",
        "",
        "-",
    ],
)
def test_a_cost_is_an_amount_in_whole_minor_units_and_a_currency(cost):
    assert "expected an amount and a currency" in complaints(change("12.50 USD", f'"{cost}"'))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shops: {a: 1, a: 2}", "1: shops.a: given twice"),
        ("shops:\n  a: &x {}\n  b: *x", "2: anchors and aliases are not allowed; write the value out"),
        (
            "shops: !!python/name:os.system x",
            "1: shops: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed",
        ),
        ("shops: !!int 1", "1: shops: the tag 'tag:yaml.org,2002:int' is not allowed"),
        ("shops:\n  ? [a]\n  : b", "2: a key must be text"),
        ("shops: {\n", "2: "),
        ("shops:\n\tx: 1", "2: found character '\\t' that cannot start any token"),
        ("[" * 30, "1: nested deeper than 20 levels"),
        ("[" * 100_000, "1: nested deeper than 20 levels"),
        ("- a", "1: expected a mapping"),
        ("text", "1: expected a mapping"),
        (b"\xff\xfe\xfa", "1: "),
        (b"shops: \x00", "1: the file is not UTF-8 text without control characters"),
        (b"#" * (1024 * 1024 + 1), "1: the file is larger than 1048576 bytes"),
        ("a: 1\n---\nb: 2", "2: but found another document"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_plain_yaml_is_refused(text, expected):
    assert any(complaint.startswith(f"seed.yaml:{expected}") for complaint in complaints(text))


def test_a_bomb_of_aliases_is_refused_before_it_unfolds():
    rows = [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 30)]
    assert "anchors and aliases" in complaints("l0: &l0 x\n" + "\n".join(rows))[0]


def test_the_seed_of_the_local_stack_is_valid_and_needs_two_suppliers_for_one_order():
    content = (ROOT / "tools" / "local" / "seed.yaml").read_bytes()
    seed = load_seed(
        content, "seed.yaml", URLS, lambda channel, role: connectors.find(channel).role == role, local=True
    )
    assert {shop.id for shop in seed.shops} >= {"main-shop", "second-shop", "quick-shop", "woo-shop"}
    offers = seed.offers["main-shop"]
    assert {offers[sku][0].supplier for sku in ("MUG-WHITE", "CAP-BLACK")} == {"acme", "bolt"}
    assert "IPOD2008PINK" in offers
    quick = next(shop for shop in seed.shops if shop.id == "quick-shop").deadlines
    assert all(getattr(quick, name) <= timedelta(seconds=10) for name in Deadlines.model_fields)
    assert seed.trackers[0].callback_url == "https://api.example/webhooks/kuaidi100/kd100"
