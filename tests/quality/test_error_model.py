"""The expected error of an area: rises as outlines agree less."""

import pytest

from glutseg.quality import Evidence, error_bound_percent
from glutseg.result import MuscleResult, SliceMeasurement


def test_the_less_outlines_agree_the_larger_is_the_bound():
    bounds = [
        error_bound_percent(Evidence("maximus", agreement, 3000.0)) for agreement in (1.0, 0.9, 0.5, 0.0)
    ]
    assert bounds == sorted(set(bounds))
    assert bounds[0] > 0


def test_bound_and_difference_by_hand():
    nothing = float("nan")
    measured = SliceMeasurement(3000.0, 3000.0, 2900.0, 50.0, 45.0, 20.0, -50.0, 120.0, nothing)
    record = MuscleResult("maximus", "left", measured, error_bound_percent=14.0, other_area_mm2=3270.0)
    assert record.error_bound_mm2 == pytest.approx(420.0)
    assert record.other_difference_percent == pytest.approx(9.0)
    for unknown in (
        MuscleResult("maximus", "left", measured),
        MuscleResult("maximus", "left", None, 5.0, 0.9, 3.0),
    ):
        assert unknown.error_bound_mm2 is None
        assert unknown.other_difference_percent is None
