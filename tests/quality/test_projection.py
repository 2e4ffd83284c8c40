"""Slabs of maximum intensity repeat their pixels; slices and averages do not."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from glutseg.image import LEFT, RIGHT, CtImage, Geometry, Mask
from glutseg.quality import check_projection

SHAPE = (21, 60, 90)
LEVEL = 10
GRID = Geometry(shape=SHAPE, spacing_mm=(3.0, 1.0, 1.0))
NOISE = np.random.default_rng(1).normal(50, 12, SHAPE)


def flags(hu, level=LEVEL, **known):
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 10:50, 10:40], labels[:, 10:50, 50:80] = RIGHT, LEFT
    image = CtImage.from_array(np.rint(hu).astype(np.int16), GRID, **known)
    return check_projection(image, Mask(labels, GRID), level)


@pytest.mark.parametrize("of_slab", [ndi.maximum_filter1d, ndi.minimum_filter1d])
@pytest.mark.parametrize("n_slices", [3, 5])
def test_a_slab_of_highest_or_lowest_values_is_flagged(of_slab, n_slices):
    (flag,) = flags(of_slab(NOISE, n_slices, axis=0))
    assert (flag.code, flag.severity) == ("slices-projected", "review")
    assert "% of the muscle's pixels have exactly the value of the next slice" in flag.message


@pytest.mark.parametrize(
    "hu",
    [
        NOISE,
        ndi.uniform_filter1d(NOISE, 5, axis=0),  # 15 mm thick, every 3 mm
        np.full(SHAPE, 50.0),  # drawn
        ndi.gaussian_filter(NOISE, (2, 2, 2)),  # too smooth for its values to be its own
        np.repeat(NOISE[:7], 3, axis=0),  # every slice three times
    ],
)
def test_slices_averages_and_drawn_pictures_are_not(hu):
    assert flags(hu) == ()


def test_slices_without_a_neighbour_are_not_judged():
    slabs = ndi.maximum_filter1d(NOISE, 5, axis=0)
    assert flags(slabs, 0) == flags(slabs, SHAPE[0] - 1) == ()
    assert flags(slabs, missing_slices=[LEVEL + 1]) == ()
    assert flags(slabs, unread_slices=[LEVEL - 1]) == ()


def test_little_muscle_is_not_judged():
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 10:20, 10:20] = LEFT
    image = CtImage(ndi.maximum_filter1d(NOISE, 5, axis=0).astype(np.int16), GRID)
    assert check_projection(image, Mask(labels, GRID), LEVEL) == ()
