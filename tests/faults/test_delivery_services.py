"""Delivery faults over the services with their fakes."""

import pytest

from tests.faults.deliveries import Deliveries
from tests.faults.histories import hold
from tests.faults.sides import ServiceSide

HISTORIES = 120


class OverServices(Deliveries):
    """The services, each call to a port an outgoing call."""

    def side(self):
        return ServiceSide()


@pytest.mark.timeout(1800)
def test_the_promises_hold_whatever_happens_to_deliveries_to_services():
    hold("services", OverServices, HISTORIES)
