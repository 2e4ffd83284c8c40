import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.image import CtImage, Geometry, Mask
from glutseg.measurement import profile
from glutseg.protocol import TissueRule


@pytest.mark.parametrize(
    ("spacing_mm", "expected"),
    [
        (5.0, range(7, 14)),
        (3.0, range(5, 16)),
        (4.0, range(7, 14)),
        (16.0, range(10, 11)),
        (1.0, range(26)),
        (0.75, range(30)),
    ],
)
def test_reach_is_in_mm(spacing_mm, expected):
    assert Geometry((30, 4, 4), (spacing_mm, 1, 1)).slices_around(10, 15.0) == expected


@given(st.integers(1, 40), st.data(), st.floats(0.5, 10), st.floats(0, 60))
def test_slices_stay_within_the_grid_and_the_reach(n, data, spacing_mm, reach_mm):
    k = data.draw(st.integers(0, n - 1))
    found = Geometry((n, 2, 2), (spacing_mm, 1, 1)).slices_around(k, reach_mm)
    assert k in found
    assert found.start >= 0
    assert found.stop <= n
    assert all(abs(i - k) * spacing_mm <= reach_mm + 0.011 for i in found)


def test_rounded_spacing_does_not_lose_the_last_slice():
    assert len(Geometry((30, 4, 4), (2.5000001, 1, 1)).slices_around(10, 15.0)) == 13


@pytest.mark.parametrize("upwards", [True, False])
def test_offsets_point_to_the_head_whatever_the_slice_order(upwards):
    direction = (1, 0, 0, 0, 1, 0, 0, 0, 1) if upwards else (1, 0, 0, 0, -1, 0, 0, 0, -1)
    grid = Geometry((5, 6, 6), (5.0, 1.0, 1.0), direction=tuple(map(float, direction)))
    labels = np.zeros(grid.shape, np.uint8)
    for k in range(5):
        labels[k, : k + 1, 0] = 1
    volume = CtImage.from_array(np.zeros(grid.shape, np.int16), grid)
    points = profile(volume, Mask.from_array(labels, grid), 2, range(1, 4), TissueRule())
    left = [p for p in points if p.side == "left"]
    assert [p.slice_index for p in left] == [1, 2, 3]
    assert [p.offset_mm for p in left] == [-5, 0, 5]
    assert [p.measurement.area_mm2 for p in left] == ([2, 3, 4] if upwards else [4, 3, 2])
    assert all(math.isnan(p.measurement.area_mm2) for p in points if p.side == "right")


def test_the_reach_is_a_distance_wherever_the_series_lies_and_however_it_is_stored():
    downwards = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0)
    grid = Geometry((30, 4, 4), (5.0, 1, 1), (0.0, 0.0, 812.5), downwards)
    assert grid.slices_around(10, 15.0) == range(7, 14)


def test_slices_without_a_height_of_their_own_stand_alone():
    coronal = Geometry((9, 4, 4), (5.0, 1, 1), direction=(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0))
    assert coronal.slices_around(3, 15.0) == range(3, 4)
