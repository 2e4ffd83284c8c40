"""Levels and noise of images whose tissues are known exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.segmentation.tissue import SMOOTHING_MM, measure_tissue

SHAPE = (5, 70, 90)
MUSCLE = (slice(None), slice(25, 45), slice(20, 70))


def scene(lean_hu=55.0, fat_hu=-105.0, noise_hu=0.0, streaks=0.0):
    """A block of muscle in fat, the network sure of both."""
    rng = np.random.default_rng(3)
    hu = np.full(SHAPE, fat_hu)
    hu[MUSCLE] = lean_hu
    if streaks:
        block = np.zeros(SHAPE, bool)
        block[MUSCLE] = True
        hu[block & (rng.random(SHAPE) < streaks)] = fat_hu
    hu += rng.normal(0, noise_hu, SHAPE) if noise_hu else 0
    p = np.zeros((6, *SHAPE), np.float32)
    p[0] = 1
    p[(0, *MUSCLE)] = 0
    p[(1, *MUSCLE)] = 1
    return hu.astype(np.float32), p


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 90), st.floats(-135, -70))
def test_levels_follow_the_image(lean_hu, fat_hu):
    found = measure_tissue(*scene(lean_hu, fat_hu))
    assert found.lean_hu == pytest.approx(lean_hu, abs=0.5)
    assert found.fat_hu == pytest.approx(fat_hu, abs=0.5)
    assert found.smoothing_mm == SMOOTHING_MM[0]


@settings(max_examples=10, deadline=None)
@given(st.integers(-25, 40))
def test_an_offset_of_the_hu_changes_no_leanness(offset_hu):
    hu, p = scene(noise_hu=8)
    before, after = measure_tissue(hu, p), measure_tissue(hu + offset_hu, p)
    np.testing.assert_allclose(
        before.leanness(hu, (3.0, 1.2, 1.2)), after.leanness(hu + offset_hu, (3.0, 1.2, 1.2)), atol=1e-3
    )


def test_noise_is_measured_and_smoothing_follows():
    found = [measure_tissue(*scene(noise_hu=hu)) for hu in (5, 60, 110)]
    assert [f.noise_hu for f in found] == pytest.approx([5, 60, 110], rel=0.15)
    assert found[0].smoothing_mm < found[1].smoothing_mm <= found[2].smoothing_mm


def test_fat_inside_the_muscle_is_counted():
    found = measure_tissue(*scene(streaks=0.0)).fat_share, measure_tissue(*scene(streaks=0.3)).fat_share
    assert found[0] == 0
    assert 0.1 < found[1] < 0.5


def test_without_fat_nearby_the_usual_level_is_believed():
    hu, p = scene()
    p[0] = 0.5
    assert measure_tissue(hu, p).fat_hu == -105.0
