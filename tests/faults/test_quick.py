"""The quick form: a sample of the faults of each event of each handler. `make faults` tries them all."""

import os

import pytest

from tests.faults.programme import Tally, run_all
from tests.faults.scenarios import SCENARIOS
from tests.support.template_document import FUNCTIONS, folder

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
SAMPLE = 3
HANDLERS = sorted({scenario.handler for scenario in SCENARIOS})


def test_every_function_has_events_that_meet_faults():
    assert set(HANDLERS) == {folder(name) for name in FUNCTIONS}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_sample_of_faults_is_survived(handler):
    tally = Tally()
    numbers = [number for number, scenario in enumerate(SCENARIOS) if scenario.handler == handler]
    for result in run_all(numbers, SEED, sample=SAMPLE, jobs=1):
        tally.add(result)
    assert tally.failures == [], f"seed {SEED}"
    assert tally.good
