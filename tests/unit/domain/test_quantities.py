import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dropship.domain.errors import InvariantBroken
from dropship.domain.quantities import SHIPPED_PLACES, LineQuantities, Place

PLACES: tuple[Place, ...] = ("unrouted", "at_supplier", "cancelled", *SHIPPED_PLACES)


@given(st.integers(0, 9), st.lists(st.tuples(st.integers(-2, 9), st.sampled_from(PLACES), st.sampled_from(PLACES))))
def test_units_are_neither_made_nor_lost_however_they_move(ordered, moves):
    units = LineQuantities(ordered=ordered, unrouted=ordered)
    for quantity, source, target in moves:
        before = units.model_copy()
        try:
            units.move(quantity, source, target)
        except InvariantBroken:
            assert units == before, "a refused move changes nothing"
            assert quantity < 0 or quantity > getattr(before, source)
        else:
            units.check()
            assert sum(getattr(units, place) for place in PLACES) == ordered == units.ordered
            assert units.open == ordered - units.cancelled
            if source == target:
                assert units == before


def test_moving_no_units_changes_nothing():
    units = LineQuantities(ordered=1, unrouted=1)
    units.move(0, "delivered", "lost")
    assert units == LineQuantities(ordered=1, unrouted=1)


@pytest.mark.parametrize("broken", [{"unrouted": 1}, {"ordered": 1}, {"ordered": 1, "shipped": 1}])
def test_sums_that_do_not_hold_are_found(broken):
    with pytest.raises(InvariantBroken):
        LineQuantities(**{"ordered": 0} | broken).check()


@pytest.mark.parametrize("count", [-1, 1.0, "1", True, None])
def test_a_count_is_a_whole_number_and_nothing_that_looks_like_one(count):
    with pytest.raises(ValidationError):
        LineQuantities(ordered=count)
