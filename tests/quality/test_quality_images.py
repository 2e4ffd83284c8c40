"""Doubts about the images: metal and streaks."""

import numpy as np
import pytest

from glutseg.image import LEFT, RIGHT, CtImage, Geometry, Mask
from glutseg.quality import check_metal
from glutseg.settings import METHOD

LIMITS = METHOD.quality

SHAPE = (41, 80, 120)
LEVEL = 20
GRID = Geometry(shape=SHAPE, spacing_mm=(3.0, 1.0, 1.0))
MUSCLES = {RIGHT: (slice(40, 60), slice(20, 40)), LEFT: (slice(40, 60), slice(80, 100))}


def _scene():
    """Muscle everywhere; both labels as boxes on the measured slice."""
    hu = np.full(SHAPE, 50, np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    for label, box in MUSCLES.items():
        labels[(LEVEL, *box)] = label
    return hu, labels


def _metal(hu, labels, grid=GRID):
    return [str(f) for f in check_metal(CtImage(hu, grid), Mask(labels, grid), LEVEL)]


def test_without_metal_nothing_is_said_whatever_the_muscle_holds():
    hu, labels = _scene()
    hu[LEVEL, 45:55, 25:35] = 400
    assert _metal(hu, labels) == []


@pytest.mark.parametrize(("voxels", "flags"), [(99, []), (100, ["metal"])])
def test_metal_from_its_volume_on(voxels, flags):
    hu, labels = _scene()
    hu[LEVEL].ravel()[:voxels] = 3000  # voxels of 3 mm³ against a limit of 300
    assert LIMITS.metal_mm3 == 300
    assert _metal(hu, labels) == flags


@pytest.mark.parametrize(("value", "flags"), [(LIMITS.metal_hu, []), (LIMITS.metal_hu + 1, ["metal"])])
def test_metal_from_its_density_on(value, flags):
    hu, labels = _scene()
    hu[LEVEL, :20, :20] = value
    assert _metal(hu, labels) == flags


@pytest.mark.parametrize(("slices_away", "flags"), [(20, ["metal"]), (-20, ["metal"])])
def test_metal_within_reach(slices_away, flags):
    hu, labels = _scene()
    hu[LEVEL + slices_away, :20, :20] = 3000  # 60 mm away
    assert _metal(hu, labels) == flags


def test_metal_out_of_reach():
    grid = Geometry(shape=SHAPE, spacing_mm=(3.2, 1.0, 1.0))
    hu, labels = _scene()
    hu[[0, -1], :20, :20] = 3000  # 64 mm away
    assert _metal(hu, labels, grid) == []


@pytest.mark.parametrize("value", [LIMITS.impossible_hu[0] - 1, LIMITS.impossible_hu[1] + 1])
@pytest.mark.parametrize(("pixels", "flags"), [(5, ["metal"]), (6, ["metal", "metal-streaks:left"])])
def test_streaks_from_two_percent_of_the_inner_muscle_on(value, pixels, flags):
    hu, labels = _scene()
    hu[LEVEL, :20, :20] = 3000
    inner = hu[LEVEL, 42:58, 82:98]  # 256 pixels inside a border of two
    inner[3, 3 : 3 + pixels] = value
    assert _metal(hu, labels) == flags


@pytest.mark.parametrize("value", LIMITS.impossible_hu)
def test_values_on_the_limit_are_no_streaks(value):
    hu, labels = _scene()
    hu[LEVEL, :20, :20] = 3000
    hu[LEVEL, 45:55, 85:95] = value
    assert _metal(hu, labels) == ["metal"]


def test_streaks_on_the_muscles_border_do_not_count_nor_do_other_slices():
    hu, labels = _scene()
    hu[LEVEL, :20, :20] = 3000
    hu[LEVEL, 40:42, 80:100] = 900
    hu[LEVEL + 1, 40:60, 80:100] = 900
    assert _metal(hu, labels) == ["metal"]


def test_metal_without_muscle_is_still_metal():
    hu, labels = _scene()
    hu[LEVEL, :20, :20] = 3000
    assert _metal(hu, np.zeros_like(labels)) == ["metal"]
