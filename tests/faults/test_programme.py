"""The programme can fail: it finds wrong handlers, and it does not count a fault that does not fire."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.faults.calls import DIE, OF_AWS, Call
from tests.faults.programme import Result, Tally
from tests.faults.toys import never_fires, tells_again
from tests.faults.trial import faults_of


@pytest.fixture
def apart():
    """A process with one thread, which may fork."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda toy: pool.submit(toy).result()


def tally_of(*verdicts):
    tally = Tally()
    tally.add(Result("shipment_writeback", "a toy", verdicts=list(verdicts)))
    return tally


def test_a_writeback_that_does_not_look_first_does_not_survive_a_stop_after_it_has_told(apart):
    verdicts = apart(tells_again)
    assert all(verdict.fired for verdict in verdicts)
    lost = [verdict for verdict in verdicts if verdict.wrong]
    assert any("die after" in verdict.label for verdict in lost)
    assert all("REFUSED" in verdict.wrong[0] for verdict in lost), "the shop has no units left for a second shipment"
    assert 0 < len(lost) < len(verdicts)
    assert not tally_of(*verdicts).good


def test_a_fault_that_does_not_fire_is_an_error(apart):
    verdict = apart(never_fires)
    assert not verdict.fired
    tally = tally_of(verdict)
    assert tally.failures[0].startswith("ERROR, it did not fire")
    assert (tally.line, tally.good) == ("faults survived 0/1", False)


def test_of_like_calls_in_a_row_the_first_two_and_the_last_meet_everything_and_it_is_stopped_at_each():
    query, put = Call("aws", "dynamodb:Query"), Call("aws", "dynamodb:PutItem")
    met = Counter(fault.call for fault in faults_of([put, *[query] * 5, put]))
    everything = len(DIE) + len(OF_AWS)
    assert [met[call] for call in range(1, 8)] == [everything] * 3 + [1] * 2 + [everything] * 2


def test_nothing_tried_is_not_a_success():
    assert not Tally().good
