"""How long a machine of delivery faults is run: until every kind of fault has fired, and not for ever."""

import pytest

from tests.faults import histories
from tests.faults.deliveries import Deliveries
from tests.faults.histories import BATCH, MOST_FURTHER, hold
from tests.faults.wire import KINDS


class Toy(Deliveries):
    """Is never driven: what fires in each round is told."""


@pytest.fixture
def rounds(monkeypatch):
    """Tell what fires in each round, the same again after the last; the seed and the histories of each round."""
    run = []

    def fires(*each):
        def _run(machine, number, wanted, *, shrink):
            machine.fired.update(each[min(len(run), len(each) - 1)])
            machine.histories += wanted
            run.append((number - histories.SEED, wanted))

        monkeypatch.setattr(histories, "_run", _run)
        return run

    monkeypatch.setattr(histories, "FULL", False)
    return fires


def test_when_all_have_fired_there_is_no_further_round(rounds):
    run = rounds(KINDS)
    hold("toy", Toy, 120)
    assert run == [(0, 120)]


def test_there_are_further_rounds_of_other_histories_until_all_have_fired(rounds):
    run = rounds(KINDS[:3], KINDS[:2], KINDS[2:])
    hold("toy", Toy, 120)
    assert run == [(0, 120), (1, BATCH), (2, BATCH)]


def test_one_that_never_fires_is_an_error_in_the_end(rounds):
    run = rounds(KINDS[1:])
    with pytest.raises(AssertionError, match=rf"never fired in {120 + MOST_FURTHER * BATCH} .*: \['{KINDS[0]}'\]"):
        hold("toy", Toy, 120)
    assert len(run) == 1 + MOST_FURTHER


def test_a_slow_machine_is_not_asked_for_every_kind(rounds):
    run = rounds(KINDS[1:])
    hold("toy", Toy, 16, thorough=False)
    assert run == [(0, 16)]


def test_in_the_full_form_it_is_however_little_it_did_in_its_time(rounds, monkeypatch, tmp_path):
    monkeypatch.setattr(histories, "FULL", True)
    monkeypatch.setattr(histories, "FULL_S", 0.0)
    monkeypatch.setattr(histories, "RESULT", tmp_path / "build" / "stateful.json")
    run = rounds(KINDS[1:], KINDS[1:], KINDS)
    hold("toy", Toy, 16, thorough=False)
    assert run == [(0, BATCH), (1, BATCH), (2, BATCH)]
