import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.geometry import Geometry
from grids import SIGNED_AXES, make


@pytest.mark.parametrize(("axes", "signs"), SIGNED_AXES)
def test_canonical_runs_to_head_back_and_left(axes, signs):
    grid = make(axes, signs)[0].canonical()
    middle = np.array(grid.point_mm(1, 1, 1))
    assert grid.point_mm(2, 1, 1)[2] > middle[2]
    assert grid.point_mm(1, 2, 1)[1] > middle[1]
    assert grid.point_mm(1, 1, 2)[0] > middle[0]
    assert grid.is_canonical


@given(st.floats(-200, 200), st.integers(0, 1))
def test_nearest_slice_is_nearest(z_mm, sign):
    grid = make(signs=(0, 0, sign))[0]
    assert abs(grid.slice_z_mm(grid.nearest_slice(z_mm)) - z_mm) <= 2.5 + 1e-9


@settings(max_examples=30)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50), st.floats(-0.5, 0.5))
def test_index_undoes_point(z, y, x, tilt):
    grid = make((2, 0, 1), (1, 0, 1), tilt)[0]
    assert np.allclose(grid.index(grid.point_mm(z, y, x)), (z, y, x), atol=1e-6)


def test_axial_and_tilt():
    assert make()[0].is_axial
    assert not make((0, 2, 1))[0].is_axial
    assert make()[0].tilt_degrees == pytest.approx(0)
    assert make(tilt=0.3)[0].tilt_degrees == pytest.approx(np.degrees(0.3))


def test_matches_sees_a_shift_a_stretch_and_another_shape():
    grid = make()[0]
    assert grid.matches(make()[0])
    moved = Geometry(grid.shape, grid.spacing_mm, (-10.0, 20.0, 30.02), grid.direction)
    stretched = Geometry(grid.shape, (5.01, 0.7, 0.9), grid.origin_mm, grid.direction)
    assert not grid.matches(moved)
    assert not grid.matches(stretched)
    assert not grid.matches(make(shape=(2, 4, 5))[0])


@pytest.mark.parametrize("spacing_mm", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (float("inf"), 1, 1)])
def test_impossible_spacing_is_refused(spacing_mm):
    with pytest.raises(ValueError, match="spacing"):
        Geometry((1, 1, 1), spacing_mm)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_the_height_of_a_slice_is_that_of_its_middle(tilt):
    grid = make(tilt=tilt)[0]
    corners = [grid.point_mm(2, y, x)[2] for y in (0, 3) for x in (0, 4)]
    assert grid.slice_z_mm(2) == pytest.approx(np.mean(corners))


def test_slices_stored_from_the_head_downwards_are_not_tilted():
    assert make(signs=(0, 1, 0))[0].tilt_degrees == pytest.approx(0)  # their normal points to the feet


def test_axes_at_right_angles_are_not_sheared_however_they_lie():
    assert not make()[0].is_sheared
    assert not make((1, 2, 0), (1, 0, 1), tilt=0.3)[0].is_sheared
    leaning = (1.0, 0.0, 0.0, 0.0, 1.0, 0.01, 0.0, 0.0, 1.0)
    assert Geometry((3, 4, 5), (5.0, 0.7, 0.9), direction=leaning).is_sheared


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_matches_looks_at_the_last_voxel(axis):
    """A stretch that adds up to the tolerance from the first voxel to the last, not to the one before."""
    shape, spacing = (4, 5, 6), [5.0, 0.7, 0.9]
    grid = Geometry(shape, tuple(spacing))
    spacing[axis] += 0.0101 / (shape[axis] - 1)
    assert not grid.matches(Geometry(shape, tuple(spacing)))
    spacing[axis] -= 0.0002 / (shape[axis] - 1)
    assert grid.matches(Geometry(shape, tuple(spacing)))


@pytest.mark.parametrize("sign", [0, 1])
def test_the_step_of_slices_is_along_the_patient(sign):
    assert make(signs=(0, 0, sign))[0].slice_step_mm == pytest.approx(5.0)
    turned = make(signs=(0, 0, sign), tilt=0.3)[0]
    assert turned.slice_step_mm == pytest.approx(5.0 * np.cos(0.3))


def test_a_voxel_has_a_volume_whichever_way_the_slices_are_stored():
    for along in (1.0, -1.0):
        leaning = (1.0, 0.0, 0.0, 0.0, 1.0, 0.5 * along, 0.0, 0.0, 0.75**0.5 * along)
        assert Geometry((3, 4, 5), (5.0, 0.7, 0.9), direction=leaning).voxel_volume_mm3 == pytest.approx(
            3.15 * 0.75**0.5
        )


def test_the_middle_of_a_slice_that_rises_to_the_left():
    rising = (0.8, 0.0, -0.6, 0.0, 1.0, 0.0, 0.6, 0.0, 0.8)
    grid = Geometry((3, 4, 5), (5.0, 0.7, 0.9), direction=rising)
    assert grid.slice_z_mm(0) == pytest.approx(2 * 0.9 * 0.6)


def test_the_nearest_slice_is_a_slice():
    grid = make()[0]
    assert [grid.nearest_slice(z_mm) for z_mm in (30.0, 32.4, 32.6, 44.0, -3.0)] == [0, 0, 1, 3, -7]
