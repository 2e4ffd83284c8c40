import numpy as np
import pytest
import SimpleITK as sitk

from glutseg.errors import Flag, GlutsegError
from glutseg.geometry import Geometry
from glutseg.image import LABELS, LEFT, RIGHT, CtImage, Mask
from grids import SIGNED_AXES, make


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
