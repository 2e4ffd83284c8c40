import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, Mask
from glutseg.measurement import measure_side, measure_slice, polygon_area_px
from glutseg.protocol import TissueRule

TISSUE = TissueRule()

masks = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def flat(mask, hu=50):
    return np.full(mask.shape, hu, np.int16)


def test_rectangle_has_its_closed_form_areas():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:13, 5:25] = 1
    m = measure_side(flat(mask), mask, (0.5, 2.0), TISSUE)
    assert m.area_mm2 == 200.0
    assert m.polygon_area_mm2 == pytest.approx(200.0 - 4 / 8)  # an eighth of a pixel at each corner
    assert m.lean_area_mm2 == 200.0
    assert m.imat_area_mm2 == 0.0
    assert m.sd_hu == 0.0


def test_composition_uses_inclusive_windows_and_whole_area_statistics():
    hu = np.array([[-191, -190, -30, -29, 150, 151]], np.int16)
    m = measure_side(hu, np.ones_like(hu), (1.0, 1.0), TISSUE)
    assert (m.area_mm2, m.lean_area_mm2, m.imat_area_mm2) == (6.0, 2.0, 2.0)
    assert m.mean_hu == pytest.approx(np.mean(hu))
    assert m.sd_hu == pytest.approx(np.std(hu, ddof=1))
    assert (m.min_hu, m.max_hu) == (-191, 151)
    assert m.lean_mean_hu == pytest.approx((-29 + 150) / 2)


def test_single_pixel_has_no_standard_deviation():
    hu = np.array([[40]], np.int16)
    m = measure_side(hu, np.ones_like(hu), (1.0, 1.0), TISSUE)
    assert m.area_mm2 == 1.0
    assert m.polygon_area_mm2 == 0.5
    assert math.isnan(m.sd_hu)


def test_no_pixel_is_unknown_not_zero():
    hu = np.zeros((4, 4), np.int16)
    m = measure_side(hu, np.zeros_like(hu), (1.0, 1.0), TISSUE)
    assert math.isnan(m.area_mm2)
    assert math.isnan(m.mean_hu)


def test_area_without_lean_pixels_has_no_lean_mean():
    hu = np.full((3, 3), -100, np.int16)
    m = measure_side(hu, np.ones_like(hu), (1.0, 1.0), TISSUE)
    assert m.lean_area_mm2 == 0.0
    assert math.isnan(m.lean_mean_hu)


def test_hole_is_subtracted_from_the_polygon():
    mask = np.ones((20, 20), bool)
    mask[8:12, 8:12] = False
    # the hole's outline runs through the middles around it: 16 pixels, its corners cut too
    assert polygon_area_px(mask) == pytest.approx((400 - 0.5) - (16 - 0.5))


def test_disc_converges_to_its_area():
    y, x = np.mgrid[:201, :201]
    disc = np.hypot(y - 100, x - 100) <= 80
    true = math.pi * 80**2
    assert disc.sum() == pytest.approx(true, rel=2e-3)
    assert polygon_area_px(disc) == pytest.approx(true, rel=5e-3)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one shape"):
        measure_side(np.zeros((3, 3), np.int16), np.zeros((3, 4), bool), (1.0, 1.0), TISSUE)


@given(masks, st.integers(0, 3), st.booleans())
def test_turning_or_flipping_the_picture_changes_nothing(mask, turns, flip):
    rng = np.random.default_rng(1)
    hu = rng.integers(-200, 200, mask.shape).astype(np.int16)
    move = lambda a: np.rot90(a[::-1] if flip else a, turns)  # noqa: E731
    one = measure_side(hu, mask, (0.7, 0.7), TISSUE)
    two = measure_side(move(hu), move(mask), (0.7, 0.7), TISSUE)
    for name in vars(one):
        assert getattr(one, name) == pytest.approx(getattr(two, name), nan_ok=True), name


@given(masks, st.floats(0.2, 3), st.floats(0.2, 3))
def test_areas_scale_with_the_pixel_and_parts_stay_within_the_whole(mask, sy, sx):
    rng = np.random.default_rng(2)
    hu = rng.integers(-300, 300, mask.shape).astype(np.int16)
    m = measure_side(hu, mask, (sy, sx), TISSUE)
    if not mask.any():
        return
    assert m.area_mm2 == pytest.approx(mask.sum() * sy * sx)
    assert m.lean_area_mm2 + m.imat_area_mm2 <= m.area_mm2 * (1 + 1e-12)
    assert m.min_hu <= m.mean_hu <= m.max_hu


@given(masks)
def test_every_outline_cuts_half_a_pixel_off_at_its_corners(mask):
    filled = ndimage.binary_fill_holes(mask)
    _, pieces = ndimage.label(filled)
    # each closed outline has four corners more that point outwards than inwards, an eighth each
    assert polygon_area_px(filled) == pytest.approx(filled.sum() - 0.5 * pieces)


def test_slice_keeps_the_sides_apart_and_checks_its_input():
    grid = Geometry((3, 4, 6), (5.0, 1.0, 2.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[1, 1:3, 0:2] = 2
    labels[1, 1:4, 4:6] = 1
    volume = CtImage(np.zeros(grid.shape, np.int16), grid)
    sides = measure_slice(volume, Mask(labels, grid), 1, TISSUE)
    assert (sides["left"].area_mm2, sides["right"].area_mm2) == (12.0, 8.0)
    with pytest.raises(GlutsegError, match="level-outside"):
        measure_slice(volume, Mask(labels, grid), 3, TISSUE)
    elsewhere = Geometry(grid.shape, grid.spacing_mm, (0.0, 0.0, 1.0))
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        measure_slice(volume, Mask(labels, elsewhere), 1, TISSUE)


@pytest.mark.parametrize(("slice_index", "is_there"), [(-1, False), (0, True), (2, True), (3, False)])
def test_only_slices_of_the_series_are_measured(slice_index, is_there):
    grid = Geometry((3, 4, 6), (5.0, 1.0, 2.0))
    args = (CtImage(np.zeros(grid.shape, np.int16), grid), Mask(np.ones(grid.shape, np.uint8), grid))
    if is_there:
        assert measure_slice(*args, slice_index, TISSUE)["left"].area_mm2 == 48.0
    else:
        with pytest.raises(GlutsegError, match="slices 0 to 2"):
            measure_slice(*args, slice_index, TISSUE)
