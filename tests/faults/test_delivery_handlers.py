"""Delivery faults over the handlers as they are deployed, with moto."""

import json

import pytest

from dropship.adapters import session
from tests.faults.deliveries import Deliveries
from tests.faults.histories import hold
from tests.faults.sides import HandlerSide
from tests.faults.world import World, account
from tests.support.lambdas import STAGE

HISTORIES = 16


class OverHandlers(Deliveries):
    """The handlers, each attempt of the SDK and each request to a partner an outgoing call."""

    world_of_all: World

    def side(self):
        return HandlerSide(self.world_of_all)


@pytest.fixture
def deployment():
    with account():
        for name, fields in {
            "supplier-v1/bolt": {"api_key": "key-of-bolt-secret"},
            "shopify/second-shop": {"access_token": "shpat_secret"},
        }.items():
            session.ssm().put_parameter(
                Name=f"/daifa/{STAGE}/api/{name}", Value=json.dumps(fields), Type="SecureString"
            )
        OverHandlers.world_of_all = World()
        yield


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("deployment")
def test_the_promises_hold_whatever_happens_to_deliveries_to_handlers():
    hold("handlers", OverHandlers, HISTORIES, thorough=False)
