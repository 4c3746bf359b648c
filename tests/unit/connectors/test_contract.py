"""What every connector has to keep; a new one is tested here by being in its folder.

What it is able to do is tested in `test_contract_receives.py`, `test_contract_greets.py` and `test_contract_calls.py`,
with what was recorded in `tests/data/contracts/{channel}.json`; `tests/support/recordings.py` says how to write that.
"""

import inspect
import os
import subprocess
import sys

import pytest

from dropship import connectors
from dropship.connectors.contract import Receives, UnknownChannel, able
from dropship.domain.exchange.marketplace import OrderHint
from tests.support.capable import MODULES, connector_of, every_connector
from tests.support.recordings import (
    CAPABILITY_OF,
    PLAYED,
    Misrecorded,
    Recording,
    channel_of,
    difference,
    protocols,
    recording,
)

READERS = {"marketplace": "ReceivesOrders", "supplier": "ReceivesSupplierEvents", "tracker": "ReceivesReports"}
PROTOCOLS = {
    name: kind for name, kind in protocols().items() if name not in {"Protocol", "Receives", *READERS.values()}
}


def capabilities(channel):
    """Names of the capabilities that a connector has, its reader by its role."""
    found = {name for name, kind in PROTOCOLS.items() if able(connector_of(channel), kind)}
    return found | ({READERS[connectors.find(channel).role]} if able(connector_of(channel), Receives) else set())


def half_there(channel):
    """For each capability of which a connector has something and not all: what it lacks of it."""
    has = set(dir(connector_of(channel)))
    wanted = PROTOCOLS | {name: protocols()[name] for name in [READERS[connectors.find(channel).role]]}
    lacks = {name: sorted(kind.__protocol_attrs__ - has) for name, kind in wanted.items()}
    return {name: lacking for name, lacking in lacks.items() if lacking and wanted[name].__protocol_attrs__ & has}


@every_connector
def test_it_is_found_by_its_role_and_by_no_other(channel):
    by_role = {"marketplace": connectors.marketplace, "supplier": connectors.supplier, "tracker": connectors.tracker}
    role, connector = connectors.find(channel)
    assert by_role.pop(role)(channel) is connector
    for find in by_role.values():
        with pytest.raises(UnknownChannel):
            find(channel)


@every_connector
def test_it_is_able_to_do_something_and_each_thing_is_recorded(channel):
    known = recording(channel)
    recorded = {call.capability for call in known.calls}
    recorded |= {READERS[connectors.find(channel).role]} if known.signed and known.events else set()
    recorded |= {"Greets"} if known.greetings else set()
    recorded |= {name for name in ("KeepsQuery", "NeedsPhone") if name in capabilities(channel)}  # tested by the others
    assert half_there(channel) == {}, "the class has a part of a capability: give it the rest, or leave it out"
    assert capabilities(channel), "the class has no method of the contract: see dropship/connectors/contract"
    how = "to receive needs `signed` and `events`, to greet `greetings`, all else an entry in `calls`"
    assert capabilities(channel) - recorded == set(), (
        f"the class is able to, and {known.file} has no record of it: {how}"
    )
    assert recorded - capabilities(channel) == set(), f"{known.file} records it, and the class is not able to"


@every_connector
def test_its_methods_take_what_the_contract_gives_them(channel):
    for name in capabilities(channel):
        for method, wanted in inspect.getmembers(protocols()[name], inspect.isfunction):
            if not method.startswith("_"):
                given_to = inspect.signature(getattr(type(connector_of(channel)), method)).parameters
                assert list(given_to) == list(inspect.signature(wanted).parameters), method


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_the_front_door_does_not_pay_for_the_models(module):
    script = (
        f"import sys, tests.support.made_up, {module}; print(*({{'pydantic', 'dropship.ports'}} & sys.modules.keys()))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(["", *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "channel",
    ["", "nobody", "../shopify", "shopify.x", "os", "x" * 5000, "Shopify", "supplier_v1", "_17track", "__init__", "-"],
)
def test_an_unknown_channel_has_no_connector(channel):
    with pytest.raises(UnknownChannel):
        connectors.find(channel)


def test_a_connector_that_is_registered_under_another_name_is_said_to_be(monkeypatch):
    connectors.find("shopify")
    monkeypatch.delitem(connectors._CONNECTORS, "shopify")
    with pytest.raises(UnknownChannel, match=r"marketplaces\.shopify registers no channel 'shopify'"):
        connectors.find.__wrapped__("shopify")


def test_a_file_that_is_not_named_after_a_channel_is_refused():
    assert [channel_of(name) for name in ("corner_shop", "_17track")] == ["corner-shop", "17track"]
    for name in ("shop__1", "_corner_shop", "Corner", "corner_"):
        with pytest.raises(ValueError, match="is not named after a channel"):
            channel_of(name)


GOOD = {
    "connection": {},
    "signed": [{"secret": "s", "vector": "v"}],
    "greetings": [{"request": {"body": ""}, "answer": ""}],
    "events": [{"request": {"body": "", "headers": {}, "method": "GET", "query": {}}, "events": []}],
    "calls": [{"call": "ask_order", "about": "1", "exchange": [], "result": {}}],
}
REQUEST = {"body": ""}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"sined": []}, ": has ['sined'] and lacks []; it needs connection and may have calls, events, greetings, "),
        ({"connection": ...}, ": has [] and lacks ['connection']; "),
        ({"signed": [{"secert": "s"}]}, ", `signed`[0]: has ['secert'] and lacks ['secret']; it needs secret and may "),
        ({"greetings": [{"request": REQUEST}]}, ", `greetings`[0]: has [] and lacks ['answer']; "),
        ({"events": [{"request": REQUEST, "evnts": []}]}, ", `events`[0]: has ['evnts'] and lacks ['events']; "),
        ({"events": [{"request": {"boddy": ""}, "events": []}]}, ", `events`[0], `request`: has ['boddy'] and lacks "),
        (
            {"calls": [{"call": "ask_odrer", "exchange": [], "result": {}}]},
            ", `calls`[0]: there is no call 'ask_odrer'; ",
        ),
        ({"calls": [{"exhange": []}]}, ", `calls`[0]: has ['exhange'] and lacks ['call', 'exchange', 'result']; "),
    ],
)
def test_a_misspelt_word_of_a_recording_is_named_and_so_is_what_may_stand_there(changed, wrong):
    assert Recording("corner-shop", GOOD).checked()
    written = {name: value for name, value in (GOOD | changed).items() if value is not ...}
    with pytest.raises(Misrecorded) as refused:
        Recording("corner-shop", written).checked()
    assert str(refused.value).startswith(f"tests/data/contracts/corner-shop.json{wrong}")


def test_a_connection_that_is_misspelt_names_the_file():
    with pytest.raises(Misrecorded, match=r"(?s)shopify.json, `connection`: .*domian"):
        _ = Recording("shopify", {"connection": {"id": "corner", "domian": "x"}}).connection


def test_a_call_that_may_be_recorded_can_be_played():
    assert CAPABILITY_OF.keys() == PLAYED.keys()
    assert set(CAPABILITY_OF.values()) <= set(PROTOCOLS)


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ([{"is": "OrderHint", "order": "1", "deleted": False}], ""),
        ([], "all: expected 0 of them, found [OrderHint(order='1', deleted=False)]"),
        ([{"is": "OrderChanged"}], "[0]: expected OrderChanged, found OrderHint(order='1', deleted=False)"),
        ([{"order": "2"}], "[0].order: expected '2', found '1'"),
        ([{"odrer": None}], "[0].odrer: expected None, found no such field"),
    ],
)
def test_what_is_not_as_recorded_is_named(expected, wrong):
    assert difference(expected, [OrderHint(order="1")]) == wrong
