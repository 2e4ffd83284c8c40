"""Measures of doubt on scenes whose answer is known in mm."""

import numpy as np
import pytest

from glutseg.segmentation.competition import Field
from glutseg.segmentation.evidence import (
    gather,
    hidden_border_per_mm,
    plane_inside_mm,
)
from glutseg.segmentation.tissue import Tissue

SHAPE = (3, 60, 60)
PIXEL_MM = 1.2
UPPER, LOWER = (np.zeros(SHAPE, bool) for _ in range(2))
UPPER[:, 10:30, 10:50] = True
LOWER[:, 30:50, 10:50] = True
TISSUE = Tissue(-105.0, 55.0, 0.1, 0.05, 0.6, 9.0)


def scene(gap_pixels, probabilities=None):
    """Two muscles in fat, one above the other, with a fat plane between them that has a gap in the middle."""
    leanness = (UPPER | LOWER).astype(np.float32)
    cost = np.where(leanness > 0, 1.0, 0.03).astype(np.float32)
    first = 30 - gap_pixels // 2
    for columns in (slice(10, first), slice(first + gap_pixels, 50)):
        cost[:, 29:31, columns] = 0.03
    if probabilities is None:
        probabilities = certain()
    return Field(probabilities, leanness, cost)


def certain(own=1.0):
    p = np.zeros((6, *SHAPE), np.float32)
    p[1] = own * UPPER
    p[2] = LOWER
    p[0] = 1 - p[1] - p[2]
    return p


def test_the_hidden_border_is_the_gap():
    area_mm2 = 20 * 40 * PIXEL_MM**2
    found = hidden_border_per_mm(scene(10), UPPER) * area_mm2
    assert found == pytest.approx(10 * PIXEL_MM, abs=3 * PIXEL_MM)
    assert hidden_border_per_mm(scene(0), UPPER) == 0


def test_a_plane_inside_a_muscle_is_measured():
    both = UPPER | LOWER
    assert plane_inside_mm(scene(0), UPPER) == 0
    assert plane_inside_mm(scene(0), both) == pytest.approx(2 * (40 - 6) * PIXEL_MM, rel=0.1)


def test_all_evidence_of_an_outline():
    outline, p = UPPER[0], certain(0.9)
    smaller = outline.copy()
    smaller[10:15] = False
    rivals = {"network": outline, "larger": outline, "smaller": smaller}
    found = gather("maximus", outline, rivals, scene(10, p), p, TISSUE)
    assert (found.network_difference, found.larger_difference) == (0, 0)
    assert found.smaller_difference == pytest.approx(1 - 2 * 15 / 35)
    assert found.unsure_share == pytest.approx(0.1, abs=1e-3)
    assert (found.spread, found.fat_share, found.noise_hu) == (0.1, 0.05, 9.0)
