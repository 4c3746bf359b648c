"""What every connector has to keep; a new one is tested here by being in its folder."""

import json
import os
import pkgutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship import connectors
from dropship.connectors.contract import (
    BadSignature,
    Connector,
    MarketplaceConnector,
    RawRequest,
    SupplierConnector,
    TrackerConnector,
    UnknownChannel,
)

PROTOCOLS = {"marketplace": MarketplaceConnector, "supplier": SupplierConnector, "tracker": TrackerConnector}
SECRETS = ["whsec_" + "QUJD" * 8, "another"]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODULES = [
    f"{connectors.__name__}.{folder}.{module.name}"
    for folder in connectors.FOLDERS
    for module in pkgutil.iter_modules([f"{connectors.__path__[0]}/{folder}"])
]
CHANNELS = [name.rpartition(".")[2].replace("_", "-") for name in MODULES]
every_connector = pytest.mark.parametrize("channel", CHANNELS)


def _members(protocol):
    return {name for kind in (Connector, protocol) for name in kind.__protocol_attrs__}


@every_connector
def test_it_has_all_that_its_role_asks_for(channel):
    connector = connectors.find(channel)
    assert {name for name in _members(PROTOCOLS[connector.role]) if not hasattr(connector, name)} == set()


@every_connector
def test_it_is_found_by_its_role_and_by_no_other(channel):
    by_role = {"marketplace": connectors.marketplace, "supplier": connectors.supplier, "tracker": connectors.tracker}
    role = connectors.find(channel).role
    assert by_role.pop(role)(channel) is connectors.find(channel)
    for find in by_role.values():
        with pytest.raises(UnknownChannel):
            find(channel)


@every_connector
def test_it_answers_with_json(channel):
    assert isinstance(json.loads(connectors.find(channel).accepted), dict)


@every_connector
def test_it_keeps_no_signature(channel):
    kept = connectors.find(channel).kept_headers
    assert [name for name in kept if "sign" in name or "hmac" in name or "auth" in name] == []
    assert [name for name in kept if name != name.lower()] == []


_NAMES = st.sampled_from(
    [
        *(f"{x}shopify-{name}" for x in ("", "x-") for name in ("hmac-sha256", "topic")),
        *(f"{kind}-{name}" for kind in ("webhook", "svix") for name in ("id", "timestamp", "signature")),
        "content-type",
    ]
)
_VALUES = st.text(st.characters(), max_size=40) | st.sampled_from(["v1,", "v1,AAAA", f"{NOW.timestamp():.0f}", "=="])


@every_connector
@given(headers=st.dictionaries(_NAMES, _VALUES), body=st.binary() | st.just(b"sign=x&param=%7B%7D"))
def test_it_refuses_whatever_is_not_signed(channel, headers, body):
    with pytest.raises(BadSignature):
        connectors.find(channel).verify(RawRequest(headers, body), SECRETS, NOW)


@pytest.mark.parametrize("module", MODULES)
def test_the_front_door_does_not_pay_for_the_models(module):
    script = f"import sys, {module}; print(*(set(('pydantic', 'dropship.ports')) & sys.modules.keys()))"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "channel", ["", "nobody", "../shopify", "shopify.x", "os", "x" * 5000, "Shopify", "supplier_v1", "__init__", "-"]
)
def test_an_unknown_channel_has_no_connector(channel):
    with pytest.raises(UnknownChannel):
        connectors.find(channel)
