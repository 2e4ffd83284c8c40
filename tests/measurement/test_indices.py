"""Both sides together, and area by height."""

import pytest

from glutseg.measurement import mean_of_sides, per_height, per_height_squared, sum_of_sides


def test_indices_have_their_units():
    assert per_height(4000.0, 1.6) == pytest.approx(2500.0)  # mm² / m
    assert per_height_squared(4000.0, 1.6) == pytest.approx(15.625)  # cm² / m²
    assert per_height(None, 1.6) is None
    assert per_height(4000.0, None) is None
    assert per_height_squared(4000.0, None) is None
    assert per_height_squared(None, 1.6) is None


def test_one_side_is_no_mean():
    assert mean_of_sides(1.0, 3.0) == 2.0
    assert sum_of_sides(1.0, 3.0) == 4.0
    for unknown in (None, float("nan")):
        assert mean_of_sides(unknown, 3.0) is None
        assert mean_of_sides(3.0, unknown) is None
        assert sum_of_sides(unknown, 3.0) is None
        assert sum_of_sides(3.0, unknown) is None
