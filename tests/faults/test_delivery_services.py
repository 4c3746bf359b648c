"""Delivery faults over the services with their fakes."""

from hypothesis import settings

from tests.faults.deliveries import Deliveries
from tests.faults.sides import ServiceSide


class OverServices(Deliveries):
    """Over the services."""

    def side(self):
        return ServiceSide()


OverServices.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
test_services = OverServices.TestCase
