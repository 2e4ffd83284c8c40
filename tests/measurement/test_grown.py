"""What a grown region measures."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import glutseg
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, Mask
from glutseg.measurement.grown import read_out, read_out_slice, read_out_volume
from glutseg.segmentation.growing import Bounds, Confidence, Interval, Neighborhood, Seed, grow_region
from small_volumes import volume_of

WAYS = (Interval(), Neighborhood(lower_hu=-190, upper_hu=200, radius_px=1), Confidence())
volumes = hnp.arrays(
    np.int16,
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(-300, 300),
)


def test_readout_of_a_slice_by_hand():
    """Values 10, 20, 30, 60: mean 30, squares 400 + 100 + 0 + 900 over n - 1 = 3."""
    volume = volume_of([[10, 20, 500], [30, 60, 500], [500, 500, 500]])
    mask = grow_region(volume, Seed(0, 0, 0), Bounds(lower_hu=0, upper_hu=100))
    found = read_out_slice(volume, mask, 0)
    assert found.n_pixels == 4
    assert found.area_mm2 == 4.0
    assert found.polygon_area_mm2 == pytest.approx(3.5)  # an eighth of a pixel at each corner
    assert found.volume_cm3 is None
    assert (found.mean_hu, found.sum_hu, found.min_hu, found.max_hu) == (30.0, 120.0, 10.0, 60.0)
    assert found.sd_hu == pytest.approx(math.sqrt(1400 / 3))


def test_readout_of_a_volume_by_hand():
    hu = np.full((2, 2, 2), 40)
    hu[1] = 44
    region = glutseg.grow(volume_of(hu), (0, 0, 1), is_3d=True)
    found = region.readout
    assert found.volume_cm3 == pytest.approx(8 * 5.0 / 1000)  # voxels of 5 x 0.5 x 2 mm
    assert found.area_mm2 is None
    assert found.polygon_area_mm2 is None
    assert (found.mean_hu, found.sum_hu) == (42.0, 336.0)
    assert found.sd_hu == pytest.approx(math.sqrt(8 * 4 / 7))
    assert {k: (s.n_pixels, s.area_mm2, s.mean_hu) for k, s in region.slices.items()} == {
        0: (4, 4.0, 40.0),
        1: (4, 4.0, 44.0),
    }
    assert region.seed_hu == 44


def test_one_pixel_has_no_standard_deviation_and_one_slice_no_volume():
    region = glutseg.grow(volume_of([[40, 400]]), (0, 0), is_3d=True)
    assert region.readout.n_pixels == 1
    assert math.isnan(region.readout.sd_hu)
    assert region.readout.volume_cm3 is None


def test_sums_do_not_overflow():
    volume = volume_of(np.full((300, 300), 3000))
    region = glutseg.grow(volume, (0, 0))
    assert region.readout.sum_hu == 90000 * 3000
    assert region.readout.sd_hu == 0.0


def test_an_empty_region_is_an_error_not_a_zero():
    volume = volume_of(np.full((3, 3), 40))
    how = Bounds(lower_hu=50, upper_hu=60)
    assert not grow_region(volume, Seed(1, 1, 0), how).labels.any()
    with pytest.raises(GlutsegError, match="region-empty"):
        glutseg.grow(volume, (1, 1), "bounds", lower_hu=50, upper_hu=60)


def test_readout_wants_one_grid():
    volume = volume_of(np.full((1, 3, 3), 40))
    mask = Mask(np.ones((1, 3, 3), np.uint8), Geometry((1, 3, 3), (5.0, 1.0, 2.0)))
    for read in (read_out_volume, lambda v, m: read_out_slice(v, m, 0)):
        with pytest.raises(GlutsegError, match="geometry-mismatch"):
            read(volume, mask)


@given(volumes, st.sampled_from(WAYS), st.data())
@settings(max_examples=60, deadline=None)
def test_slices_add_up_to_the_volume(hu, how, data):
    z, y, x = (data.draw(st.integers(0, n - 1)) for n in hu.shape)
    volume = volume_of(hu)
    mask = grow_region(volume, Seed(x, y, z), how, is_3d=True)
    if not mask.labels.any():
        return
    region = read_out(volume, mask, Seed(x, y, z), how, is_3d=True)
    parts = region.slices.values()
    assert sum(p.n_pixels for p in parts) == region.readout.n_pixels
    assert sum(p.sum_hu for p in parts) == region.readout.sum_hu
    assert min(p.min_hu for p in parts) == region.readout.min_hu
    assert region.readout.min_hu <= region.readout.mean_hu <= region.readout.max_hu


def test_a_region_is_flat_unless_it_is_asked_for_in_3d():
    volume = volume_of(np.full((2, 3, 3), 40))
    mask = grow_region(volume, Seed(1, 1, 0), Interval(), is_3d=True)
    region = read_out(volume, mask, Seed(1, 1, 0), Interval())
    assert (region.is_3d, region.readout.volume_cm3, region.readout.area_mm2) == (False, None, 9.0)


def test_two_pixels_have_a_standard_deviation_and_two_slices_a_volume():
    region = glutseg.grow(volume_of([[[40]], [[42]]]), (0, 0, 0), is_3d=True)
    assert region.readout.sd_hu == pytest.approx(math.sqrt(2))
    assert region.readout.volume_cm3 == pytest.approx(0.01)


def test_areas_and_volumes_are_in_the_units_of_the_grid():
    grid = Geometry((2, 3, 3), (4.0, 0.6, 0.7))
    volume, mask = CtImage(np.full(grid.shape, 40, np.int16), grid), Mask(np.ones(grid.shape, np.uint8), grid)
    one, all_ = read_out_slice(volume, mask, 1), read_out_volume(volume, mask)
    assert one.area_mm2 == pytest.approx(9 * 0.42)
    assert one.polygon_area_mm2 == pytest.approx(8.5 * 0.42)
    assert all_.volume_cm3 == pytest.approx(18 * 1.68 / 1000)
