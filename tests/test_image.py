import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS, LEFT, RIGHT, CtImage, Geometry, Mask

SIGNED_AXES = [
    (axes, signs)
    for axes in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    for signs in np.ndindex(2, 2, 2)
]


def direction_of(axes, signs, tilt=0.0):
    """Columns are signed unit vectors, turned a little about two axes."""
    columns = np.eye(3)[:, list(axes)] * (1 - 2 * np.array(signs))
    c, s = np.cos(tilt), np.sin(tilt)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return tuple(float(v) for v in (turn @ columns).ravel())


def make(axes=(0, 1, 2), signs=(0, 0, 0), tilt=0.0, shape=(3, 4, 5)):
    grid = Geometry(shape, (5.0, 0.7, 0.9), (-10.0, 20.0, 30.0), direction_of(axes, signs, tilt))
    return grid, np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def image(*how, **more):
    grid, values = make(*how, **more)
    return CtImage.from_array(values, grid)


@pytest.mark.parametrize(("axes", "signs"), SIGNED_AXES)
@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_canonical_voxels_stay_at_their_place(axes, signs, tilt):
    grid, values = make(axes, signs, tilt)
    canonical = CtImage.from_array(values, grid)
    for index in np.ndindex(values.shape):
        there = canonical.geometry.index(grid.point_mm(*index))
        voxel = tuple(round(v) for v in there)
        assert np.allclose(there, voxel, atol=1e-6)
        assert canonical.hu[voxel] == values[index]
        assert grid.voxel_on(canonical.geometry, index) == voxel


@pytest.mark.parametrize(("axes", "signs"), SIGNED_AXES)
def test_canonical_runs_to_head_back_and_left(axes, signs):
    grid = make(axes, signs)[0].canonical()
    middle = np.array(grid.point_mm(1, 1, 1))
    assert grid.point_mm(2, 1, 1)[2] > middle[2]
    assert grid.point_mm(1, 2, 1)[1] > middle[1]
    assert grid.point_mm(1, 1, 2)[0] > middle[0]
    assert grid.is_canonical


@pytest.mark.parametrize(("axes", "signs"), SIGNED_AXES)
def test_stored_order_comes_back(axes, signs):
    grid, values = make(axes, signs)
    labels = (values % 3).astype(np.uint8)
    mask, ct = Mask.from_array(labels, grid), CtImage.from_array(values, grid)
    assert np.array_equal(mask.stored_labels(), labels)
    assert np.array_equal(ct.stored_hu(), values)
    assert mask.stored == ct.stored == grid
    assert mask.geometry == ct.geometry == grid.canonical()


def test_an_image_is_canonical_or_none():
    grid, values = make(signs=(0, 0, 1))
    with pytest.raises(ValueError, match="from_array"):
        CtImage(values, grid)
    with pytest.raises(ValueError, match="from_array"):
        Mask(values.astype(np.uint8), grid)
    with pytest.raises(ValueError, match="not the canonical form"):
        CtImage(values, grid.canonical(), Geometry((3, 4, 5), (5.0, 0.7, 0.9)))


@pytest.mark.parametrize("sign", [0, 1])
def test_slices_are_counted_from_the_feet(sign):
    grid, values = make(signs=(0, 0, sign))
    uids = ("1", "2", "3")
    ct = CtImage.from_array(values, grid, missing_slices=[0], unread_slices=[1], sop_uids=uids)
    for stored in range(3):
        index = ct.stored_slice(stored)
        assert ct.stored_slice(index) == stored
        assert np.array_equal(ct.hu[index], values[stored])
        assert ct.sop_uids[index] == uids[stored]
    assert ct.missing_slices == {ct.stored_slice(0)}
    assert ct.unread_slices == {1}
    assert ct.geometry.slice_z_mm(1) > ct.geometry.slice_z_mm(0)


def test_only_slices_with_an_image_may_be_measured():
    grid, values = make()
    ct = CtImage.from_array(values, grid, missing_slices=[0], unread_slices=[2])
    ct.check_slice(1)
    for index, code in (
        (0, "level-in-gap"),
        (2, "slice-not-read"),
        (3, "level-outside"),
        (-1, "level-outside"),
    ):
        with pytest.raises(GlutsegError, match=code):
            ct.check_slice(index)


def test_of_a_series_that_is_not_axial_slices_are_not_told_apart():
    grid, values = make((0, 2, 1))
    ct = CtImage.from_array(values, grid, missing_slices=[0], sop_uids="abc")
    assert (ct.missing_slices, ct.sop_uids) == (frozenset(), ())


def test_images_and_masks_are_shown_in_a_line():
    grid, values = make(shape=(30, 40, 50))
    ct = CtImage.from_array(values, grid, missing_slices=[3], flags=(Flag("series-gap", ""),))
    words = "30 slices of 40 x 50 pixels, 5 x 0.7 x 0.9 mm"
    assert repr(ct) == f"CtImage({words}; 1 slices missing; flags: series-gap)"
    labels = np.zeros(values.shape, np.uint8)
    assert repr(Mask.on(ct, labels)) == f"Mask({words}; empty)"
    labels[0, 0, :3] = 2
    assert repr(Mask.on(ct, labels)) == f"Mask({words}; label 2: 3 voxels)"


@given(st.floats(-200, 200), st.integers(0, 1))
def test_nearest_slice_is_nearest(z_mm, sign):
    grid = make(signs=(0, 0, sign))[0]
    assert abs(grid.slice_z_mm(grid.nearest_slice(z_mm)) - z_mm) <= 2.5 + 1e-9


@settings(max_examples=30)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50), st.floats(-0.5, 0.5))
def test_index_undoes_point(z, y, x, tilt):
    grid = make((2, 0, 1), (1, 0, 1), tilt)[0]
    assert np.allclose(grid.index(grid.point_mm(z, y, x)), (z, y, x), atol=1e-6)


def test_crop_keeps_every_voxel_where_it_is():
    ct = image(tilt=0.2)
    part = ct.crop((slice(1, 3), slice(0, 2), slice(2, 5)))
    assert part.hu[0, 1, 2] == ct.hu[1, 1, 4]
    assert np.allclose(part.geometry.point_mm(0, 1, 2), ct.geometry.point_mm(1, 1, 4))


def test_simpleitk_has_the_same_geometry_and_comes_back():
    grid, values = make((1, 0, 2), (1, 0, 1), 0.2)
    ct = CtImage.from_array(values, grid)
    as_itk = ct.to_sitk()
    assert np.array_equal(sitk.GetArrayFromImage(as_itk), values)
    assert np.allclose(as_itk.TransformIndexToPhysicalPoint((4, 3, 2)), grid.point_mm(2, 3, 4))
    back = CtImage.from_sitk(sitk.Cast(as_itk, sitk.sitkFloat32))
    assert np.array_equal(back.hu, ct.hu)
    assert back.geometry.matches(ct.geometry, 1e-6)


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


def test_arrays_must_fit_their_grid_and_type():
    grid = Geometry((1, 2, 2), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="shape"):
        CtImage(np.zeros((2, 2, 2), np.int16), grid)
    with pytest.raises(ValueError, match="int16"):
        CtImage(np.zeros((1, 2, 2), np.float32), grid)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="uint8"):
        Mask(np.zeros((1, 2, 2), np.int16), grid)  # type: ignore[arg-type]


def test_labels_are_those_of_every_mask_ever_written():
    assert (LEFT, RIGHT) == (1, 2)
    assert LABELS == {
        "maximus": {"left": 1, "right": 2},
        "medius": {"left": 3, "right": 4},
        "minimus": {"left": 5, "right": 6},
    }


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
