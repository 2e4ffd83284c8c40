"""Network and density together, on scenes whose answer is known to the pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from glutseg.segmentation.drawing import classify, draw, enclosed, territory, tidy
from glutseg.segmentation.tissue import Tissue
from glutseg.settings import SegmentationSettings

SETTINGS = SegmentationSettings()
CLEAN = Tissue(-105.0, 55.0, 0.05, 0.02, 0.6, 5.0)
SIDE = 60


def block(first=15, last=45):
    out = np.zeros((1, SIDE, SIDE), bool)
    out[0, first:last, first:last] = True
    return out


def unsure(mask, band, own=0.5, rest=0):
    """Probabilities of a network that is sure but for a band of so many pixels about a muscle's border."""
    inner = ndi.binary_erosion(mask[0], iterations=band)
    outer = ndi.binary_dilation(mask[0], iterations=band)
    p = np.full((6, 1, SIDE, SIDE), 1e-4, np.float32)
    p[1, 0] = np.where(inner, 0.999, np.where(outer, own, 1e-4))
    p[rest, 0] = np.where(inner, 1e-4, np.where(outer, 1 - own, 0.999))
    return p


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 20), st.integers(40, 50), st.floats(0.2, 0.8))
def test_the_density_decides_where_the_network_is_unsure(first, last, own):
    """A muscle three pixels smaller or larger than the network's: the outline is the muscle's."""
    muscle = block(first, last)
    leanness = muscle.astype(np.float32)
    found = classify(leanness, unsure(block(), 6, own), CLEAN, SETTINGS) == 1
    sure, band = block(21, 39), unsure(block(), 6)[1] > 0.1
    np.testing.assert_array_equal(found, (muscle & band) | sure)


def test_a_streak_of_fat_within_the_muscle_stays_inside():
    leanness = block().astype(np.float32)
    leanness[0, 28:31, 20:40] = 0
    assert (classify(leanness, unsure(block(), 3), CLEAN, SETTINGS) == 1)[0, 28:31, 22:38].all()


def test_noise_makes_the_network_lead():
    """Fat where the network leans to muscle: believed in a clean image, hardly in a noisy one."""
    leanness = np.full((1, SIDE, SIDE), 0.2, np.float32)
    p = unsure(block(), 6, own=0.9)
    noisy = Tissue(-105.0, 55.0, 0.6, 0.02, 2.5, 70.0)
    assert not (classify(leanness, p, CLEAN, SETTINGS) == 1)[0, 16, 16]
    assert (classify(leanness, p, noisy, SETTINGS) == 1)[0, 16, 16]


def test_between_two_muscles_the_network_decides():
    """Where both are lean the density tells nothing: the border lies where the two are equally likely."""
    p = np.full((6, 1, SIDE, SIDE), 1e-4, np.float32)
    odds = 1 / (1 + np.exp(-(np.arange(SIDE) - 29.5)))
    p[1, 0], p[2, 0] = odds, 1 - odds
    classes = classify(np.ones((1, SIDE, SIDE), np.float32), p, CLEAN, SETTINGS)
    assert (classes[0, :, 30:] == 1).all()
    assert (classes[0, :, :30] == 2).all()


def test_bone_is_no_muscle():
    leanness = np.full((1, SIDE, SIDE), 3.0, np.float32)
    assert not (classify(leanness, unsure(block(), 6, own=0.5, rest=4), CLEAN, SETTINGS) == 1)[0, 16, 16]


def test_thin_ends_scraps_and_holes_go():
    mask = block()[0]
    mask[30:32, 45:58] = True  # 2 mm thin
    mask[2:9, 2:9] = True  # less than a tenth of the muscle
    mask[25:35, 25:35] = False
    np.testing.assert_array_equal(tidy(mask, (1.0, 1.0), SETTINGS)[20:40, 20:40], block()[0][20:40, 20:40])
    assert not tidy(mask, (1.0, 1.0), SETTINGS)[30:32, 50:].any()
    assert not tidy(mask, (1.0, 1.0), SETTINGS)[:10, :10].any()


@pytest.mark.parametrize("muscle", ["maximus", "medius", "minimus"])
def test_each_muscle_is_drawn_from_its_class(muscle):
    classes = np.zeros((SIDE, SIDE), np.uint8)
    classes[block(20, 40)[0]] = ("maximus", "medius", "minimus").index(muscle) + 1
    drawn = {m: draw(classes, classes, m, (1.0, 1.0), SETTINGS) for m in ("maximus", "medius", "minimus")}
    assert [m for m, mask in drawn.items() if mask.any()] == [muscle]


def test_a_streak_that_reaches_the_fascia_is_closed_within_the_territory():
    classes = block()[0].astype(np.int64)
    classes[15:30, 28:32] = 0
    everywhere, nowhere = np.ones_like(classes, bool), np.zeros_like(classes, bool)
    own = classes == 1
    np.testing.assert_array_equal(
        enclosed(classes, own, everywhere, (1.0, 1.0), SETTINGS)[17:], block()[0][17:]
    )  # its mouth is rounded
    np.testing.assert_array_equal(enclosed(classes, own, nowhere, (1.0, 1.0), SETTINGS), own)


@pytest.mark.parametrize(("gap", "shared"), [(2, True), (6, False)])
def test_a_thin_plane_belongs_by_halves_to_its_two_muscles(gap, shared):
    classes = np.zeros((SIDE, SIDE), np.int64)
    classes[15:45, 10 : 30 - gap // 2] = 1
    classes[15:45, 30 + gap // 2 : 50] = 2
    left = np.broadcast_to(np.arange(SIDE) < 30, classes.shape)
    found = enclosed(classes, classes == 1, left, (1.0, 1.0), SETTINGS)
    assert found[30, 29] == shared
    assert not found[:, 30:].any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_neighbour_is_touched(seed):
    """Whatever the classes are: the enclosed fat is fat, and in the muscle's own territory."""
    rng = np.random.default_rng(seed)
    classes = ndi.zoom(rng.integers(0, 6, (6, 6)), 8, order=0)
    own_territory = ndi.zoom(rng.integers(0, 2, (6, 6)), 8, order=0) > 0
    own = classes == 1
    added = enclosed(classes, own, own_territory, (1.0, 1.0), SETTINGS) & ~own
    assert (classes[added] == 0).all()
    assert own_territory[added].all()
    np.testing.assert_array_equal(enclosed(classes, own, own_territory, (1.0, 1.0), SETTINGS) & own, own)


def test_territories_are_the_likeliest_class_but_fat():
    p = np.array([0.9, 0.02, 0.05, 0.01, 0.01, 0.01], np.float32).reshape(6, 1, 1, 1)
    assert territory(p).item() == 2
