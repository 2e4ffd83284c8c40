import numpy as np
import pytest

from glutseg.image import LABELS, CtImage, Geometry, Mask
from glutseg.measurement import measure_whole, slices_of
from glutseg.protocol import TissueRule

GRID = Geometry((6, 10, 12), (5.0, 1.0, 2.0))


def scene(first: int, last: int, grid: Geometry = GRID):
    """Left: 30 pixels of muscle and 10 of fat per slice; right: 20 of muscle, always complete."""
    labels = np.zeros(grid.shape, np.uint8)
    hu = np.full(grid.shape, -1000, np.int16)
    labels[first : last + 1, 0:5, 0:8] = 1
    hu[:, 0:5, 0:8] = 50
    hu[:, 0:5, 0:2] = -100
    labels[2:4, 6:10, 0:5] = 2
    hu[:, 6:10, 0:5] = 60
    return CtImage.from_array(hu, grid), Mask.from_array(labels, grid)


def test_volume_and_its_parts_are_voxel_counts():
    whole = measure_whole(*scene(1, 4), TissueRule())
    left = whole["left"]
    assert left.volume_cm3 == pytest.approx(4 * 40 * 10 / 1000)
    assert left.lean_volume_cm3 == pytest.approx(4 * 30 * 10 / 1000)
    assert left.imat_volume_cm3 == pytest.approx(4 * 10 * 10 / 1000)
    assert left.mean_hu == pytest.approx((30 * 50 - 10 * 100) / 40)
    assert (left.length_mm, left.is_complete) == (20.0, True)
    assert whole["right"].volume_cm3 == pytest.approx(2 * 20 * 10 / 1000)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (2, 5), (0, 5)])
def test_a_muscle_at_the_end_of_the_series_is_not_complete(first, last):
    whole = measure_whole(*scene(first, last), TissueRule())
    assert not whole["left"].is_complete
    assert whole["right"].is_complete


def test_a_side_without_a_voxel_is_left_out():
    volume, mask = scene(1, 4)
    labels = np.where(mask.labels == 2, 0, mask.labels).astype(np.uint8)
    assert set(measure_whole(volume, Mask(labels, GRID), TissueRule())) == {"left"}
    assert measure_whole(volume, Mask(labels, GRID), TissueRule(), "medius") == {}


def test_every_muscle_has_its_own_labels():
    assert sorted(label for sides in LABELS.values() for label in sides.values()) == [1, 2, 3, 4, 5, 6]
    volume, mask = scene(1, 4)
    medius = Mask(np.where(mask.labels == 2, LABELS["medius"]["right"], 0).astype(np.uint8), GRID)
    assert measure_whole(volume, medius, TissueRule(), "medius")["right"].volume_cm3 == pytest.approx(0.4)


def test_leaning_slices_hold_less_than_their_step_suggests():
    lean = np.deg2rad(30)
    direction = (1.0, 0.0, 0.0, 0.0, 1.0, float(np.sin(lean)), 0.0, 0.0, float(np.cos(lean)))
    grid = Geometry(GRID.shape, GRID.spacing_mm, direction=direction)
    left = measure_whole(*scene(1, 4, grid), TissueRule())["left"]
    assert left.volume_cm3 == pytest.approx(1.6 * np.cos(lean))
    assert left.length_mm == pytest.approx(20 * np.cos(lean))


def test_slices_of_a_mask():
    assert slices_of(scene(1, 4)[1]) == range(1, 5)
    assert slices_of(Mask(np.zeros(GRID.shape, np.uint8), GRID)) == range(0)


def test_windows_hold_both_their_ends():
    volume, mask = scene(1, 4)
    tissue = TissueRule()
    for k, value in enumerate((*tissue.muscle_hu, *tissue.imat_hu), start=1):
        volume.hu[k, 0:5, 0:8] = value
    left = measure_whole(volume, mask, tissue)["left"]
    assert (left.lean_volume_cm3, left.imat_volume_cm3) == pytest.approx((0.8, 0.8))
    for k, value in enumerate((-30, 151, -191, -29), start=1):  # one beyond: fat, neither, neither, lean
        volume.hu[k, 0:5, 0:8] = value
    left = measure_whole(volume, mask, tissue)["left"]
    assert (left.lean_volume_cm3, left.imat_volume_cm3) == pytest.approx((0.4, 0.4))


def test_a_length_is_positive_however_the_slices_are_stored():
    downwards = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    grid = Geometry(GRID.shape, GRID.spacing_mm, (0.0, 0.0, 500.0), downwards)
    assert measure_whole(*scene(1, 4, grid), TissueRule())["left"].length_mm == 20.0
