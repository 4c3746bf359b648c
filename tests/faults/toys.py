"""Things that are wrong on purpose, which the programme has to find."""

from unittest.mock import patch

from dropship.domain.exchange.writeback import FulfilmentState
from dropship.services.parcels.writeback import Writeback
from tests.faults.calls import Fault
from tests.faults.programme import warm_up
from tests.faults.scenarios import SCENARIOS
from tests.faults.trial import Trial, Verdict, faults_of, prepared, run_trial

PARCEL = next(number for number, one in enumerate(SCENARIOS) if one.title == "shipment_writeback: parcel")


def _tell_without_asking(self, shop, order, parcel):
    from dropship.connectors import marketplace  # noqa: PLC0415 - as the real one has it

    connector = marketplace(shop.channel)
    state = self.partners.call(
        shop,
        lambda access: connector.ask_fulfilment(order.external_id, access),
        connector.read_fulfilment,
    )
    assert isinstance(state, FulfilmentState)
    return self._create(shop, connector, self._parcel_shipped(shop, order, parcel), state)


def tells_again() -> list[Verdict]:
    """A writeback that does not check whether the marketplace knows the parcel already."""
    warm_up()
    with patch.object(Writeback, "_tell", _tell_without_asking), prepared(SCENARIOS[PARCEL]) as one:
        faults = [fault for fault in faults_of(one.calls) if fault.how in {"die before", "die after"}]
        return [run_trial(one, Trial(PARCEL, (fault,))) for fault in faults]


def never_fires() -> Verdict:
    """A fault at a call that never happens."""
    warm_up()
    with prepared(SCENARIOS[PARCEL]) as one:
        return run_trial(one, Trial(PARCEL, (Fault(99, "die before"),)))
