"""For the contract tests: every channel, which of them are able to do something, and requests that nobody signed."""

from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st

from dropship import connectors
from dropship.connectors.contract import able
from tests.support import made_up
from tests.support.recordings import OURS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODULES = OURS | made_up.CHANNELS
"""Every channel that has a connector, those of the tests included, and the module that it is in."""
every_connector = pytest.mark.parametrize("channel", MODULES)


def connector_of(channel):
    return connectors.find(channel).connector


def with_capability(capability):
    """Parametrize by the channels whose connector has it."""
    return pytest.mark.parametrize("channel", [one for one in MODULES if able(connector_of(one), capability)])


OTHER = "whsec_" + "QUJD" * 8
"""A webhook secret that nothing recorded is signed with."""
SECRETS = [OTHER, "another", "key:secret"]
_NAMES = st.sampled_from(
    [
        *(f"{x}shopify-{name}" for x in ("", "x-") for name in ("hmac-sha256", "topic")),
        *(f"{kind}-{name}" for kind in ("webhook", "svix") for name in ("id", "timestamp", "signature")),
        *("x-wc-webhook-signature", "event-sign", "sign", "content-type"),
    ]
)
_VALUES = st.text(st.characters(), max_size=40) | st.sampled_from(["v1,", "v1,AAAA", f"{NOW.timestamp():.0f}", "=="])
HEADERS = st.dictionaries(_NAMES, _VALUES)
"""Such as partners sign with, and worth nothing."""
QUERIES = st.dictionaries(st.sampled_from(["signature", "timestamp", "nonce", "sign"]), _VALUES)
