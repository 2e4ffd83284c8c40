"""Balls, and series made small enough to search for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.anatomy.sphere import CEILING_HU, Sphere, around, bony_part, distance_mm, slabs
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry


def volume_of(hu, spacing_mm=(1.0, 0.5, 0.6), origin_mm=(-3.0, 4.0, 100.0)):
    return CtImage(np.asarray(hu, np.int16), Geometry(np.shape(hu), spacing_mm, origin_mm))


def test_a_balls_top_and_the_distance_of_two():
    one, other = Sphere((0.0, 0.0, 5.0), 24.0, 1.0), Sphere((3.0, 4.0, 17.0), 20.0, 1.0)
    assert (one.top_mm, other.top_mm) == (29.0, 37.0)
    assert distance_mm(one, other) == distance_mm(other, one) == 13.0


def test_the_part_around_a_point_reaches_that_far_and_hardly_further():
    volume = volume_of(np.arange(40 * 60 * 50).reshape(40, 60, 50) % 3000)
    point = volume.geometry.point_mm(20, 30, 25)
    part = around(volume, point, 5.0)
    low, high = part.geometry.point_mm(0, 0, 0), part.geometry.point_mm(*(n - 1 for n in part.hu.shape))
    for middle, a, b, spacing in zip(point, low, high, (0.6, 0.5, 1.0), strict=True):
        assert 5.0 - spacing - 1e-9 <= middle - a <= 5.0 + spacing + 1e-9
        assert 5.0 - 1e-9 <= b - middle <= 5.0 + 2 * spacing + 1e-9
    k, j, i = (round(v) for v in part.geometry.index(point))
    assert part.hu[k, j, i] == volume.hu[20, 30, 25]


def test_the_part_around_a_point_ends_with_the_picture():
    volume = volume_of(np.zeros((40, 60, 50)))
    assert around(volume, volume.geometry.point_mm(0, 0, 0), 3.0).hu.shape == (5, 8, 7)
    assert around(volume, volume.geometry.point_mm(39, 59, 49), 3.0).geometry.shape == (4, 7, 6)
    assert around(volume, (-500.0, 4.0, 100.0), 3.0).hu.size == 0


@pytest.mark.parametrize("value", [160, 161])
def test_the_bony_part_is_the_bone_and_thirty_millimetres(value):
    hu = np.zeros((6, 200, 200))
    hu[3, 90:101, 110:121] = value
    part = bony_part(volume_of(hu, (3.0, 0.5, 1.0)))
    whole = value <= 160  # no bone at all
    assert part.hu.shape == ((6, 200, 200) if whole else (6, 11 + 120, 11 + 60))
    assert part.geometry.origin_mm == ((-3.0, 4.0, 100.0) if whole else (-3.0 + 80, 4.0 + 15, 100.0))


def test_the_bony_part_looks_at_a_slice_every_three_millimetres():
    hu = np.zeros((9, 200, 200))
    hu[1, 100, 100] = 1000  # between slices 0 and 3
    assert bony_part(volume_of(hu)).hu.shape == (9, 200, 200)
    hu[3, 100, 100] = 1000
    assert bony_part(volume_of(hu)).hu.shape[1] < 200
    assert bony_part(volume_of(hu[1:2], (5.0, 0.5, 0.6))).hu.shape[1] < 200  # thicker ones are all looked at


def test_slabs_are_means_of_whole_blocks_where_they_lie():
    hu = np.random.default_rng(1).integers(-1000, 1500, (7, 9, 8))
    volume = volume_of(hu, (1.0, 0.6, 0.4))
    small = slabs(volume)
    assert small.geometry.shape == (2, 4, 2)
    assert small.geometry.spacing_mm == pytest.approx((3.0, 1.2, 1.2))
    blocks = hu[:6, :8, :6].reshape(2, 3, 4, 2, 2, 3).mean(axis=(1, 3, 5))
    assert np.abs(small.hu - blocks).max() < 1
    assert small.geometry.point_mm(0, 0, 0) == pytest.approx(volume.geometry.point_mm(1, 0.5, 1))
    assert small.geometry.point_mm(1, 3, 1) == pytest.approx(volume.geometry.point_mm(4, 6.5, 4))


def test_series_as_coarse_as_slabs_are_left_alone():
    volume = volume_of(np.zeros((4, 5, 6)), (3.0, 1.2, 1.0))
    assert slabs(volume) is volume


@given(st.sampled_from([(0.5, 0.1, 0.1), (1.0, 0.5, 0.5)]), st.integers(-1024, 32767))
def test_no_density_overflows(spacing_mm, value):
    """Blocks of 6 x 12 x 12 and of 3 x 2 x 2 pixels: the one needs wider sums."""
    small = slabs(volume_of(np.full((6, 24, 24), value), spacing_mm))
    assert (small.hu == min(value, CEILING_HU)).all()


def test_a_series_smaller_than_a_slab_shows_no_hips():
    with pytest.raises(GlutsegError, match="hips-not-found"):
        slabs(volume_of(np.zeros((2, 5, 6))))
    assert slabs(volume_of(np.zeros((3, 2, 2)))).hu.shape == (1, 1, 1)
