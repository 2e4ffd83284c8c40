"""Distances of outlines: by hand, against another library, and what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.agreement.surfaces import overlap, surface


def disc(shape, centre, radius_mm, spacing_mm):
    grid = np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing_mm, strict=True)), indexing="ij")
    return sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius_mm**2


def test_a_square_moved_by_three_pixels():
    a, b = np.zeros((2, 40, 40), bool)
    a[10:20, 10:20] = True
    b[10:20, 13:23] = True
    found = overlap(a, b, (0.5, 2.0))
    assert found.dice == pytest.approx(0.7)
    assert found.hd95_mm == pytest.approx(6.0)  # 3 pixels of 2 mm: 10 of 36 surface pixels lie that far
    assert overlap(b, a, (0.5, 2.0)) == found


def test_one_pixel_more_all_around():
    a, b = np.zeros((2, 60, 60), bool)
    a[20:40, 20:40] = True
    b[19:41, 19:41] = True
    found = overlap(a, b, (0.8, 0.8))
    assert found.dice == pytest.approx(2 * 400 / (400 + 484))
    assert found.mean_distance_mm == pytest.approx(0.8, abs=0.02)  # a little more at the four corners


def test_empty_masks():
    a, b = np.zeros((2, 8, 8), bool)
    assert overlap(a, b, (1, 1)) is None
    a[2:4, 2:4] = True
    found = overlap(a, b, (1, 1))
    assert (found.dice, found.hd95_mm, found.mean_distance_mm) == (0, None, None)


def test_the_ends_of_a_slab_are_no_surface():
    slab = np.zeros((4, 20, 20), bool)
    slab[:, 5:15, 5:15] = True
    assert not surface(slab)[:, 6:14, 6:14].any()
    ended = slab.copy()
    ended[3] = False
    assert surface(ended)[2, 5:15, 5:15].all()
    edge = np.zeros((6, 6), bool)
    edge[:3] = True
    assert surface(edge)[0].all()  # the edge of the picture is one


def test_one_slice_more_in_three_dimensions():
    a = np.zeros((9, 30, 30), bool)
    a[2:6, 5:25, 5:25] = True
    b = a.copy()
    b[6, 5:25, 5:25] = True
    found = overlap(a, b, (3.0, 1.0, 1.0))
    assert found.hd95_mm == pytest.approx(3.0)
    assert 0 < found.mean_distance_mm < 3.0


@pytest.mark.parametrize("spacing_mm", [(0.8, 0.8), (0.7, 1.1), (3.0, 0.9, 0.9)])
def test_near_to_another_library(spacing_mm):
    reason = "surface-distance is an oracle for those who have it"
    other = pytest.importorskip("surface_distance", reason=reason)
    shape = tuple(int(60 / s) for s in spacing_mm)
    ends = 6.0 if len(shape) == 3 else 0.0  # balls that end within the volume
    a = disc(shape, [30.0] * len(shape), 24 - ends, spacing_mm)
    b = disc(shape, [31.0, 32.5, 30.0][: len(shape)], 22 - ends, spacing_mm)
    found = overlap(a, b, spacing_mm)
    theirs = other.compute_surface_distances(a, b, spacing_mm)
    pixel_mm = max(spacing_mm)
    assert found.dice == pytest.approx(other.compute_dice_coefficient(a, b), abs=1e-12)
    assert found.hd95_mm == pytest.approx(other.compute_robust_hausdorff(theirs, 95), abs=pixel_mm)
    mean_mm = np.mean(other.compute_average_surface_distance(theirs))
    assert found.mean_distance_mm == pytest.approx(mean_mm, abs=0.5 * pixel_mm)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.3, 3), st.floats(0.3, 3))
def test_what_must_always_hold(seed, sy, sx):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 12, 14)) > 0.6
    found, back, alone = overlap(a, b, (sy, sx)), overlap(b, a, (sy, sx)), overlap(a, a, (sy, sx))
    assert found == back
    assert 0 <= found.dice <= 1
    assert found.mean_distance_mm >= 0
    assert found.hd95_mm <= np.hypot(12 * sy, 14 * sx)
    assert (alone.dice, alone.hd95_mm, alone.mean_distance_mm) == (1, 0, 0)
    doubled = overlap(a, b, (2 * sy, 2 * sx))
    assert doubled.hd95_mm == pytest.approx(2 * found.hd95_mm)


def test_masks_must_be_of_one_shape():
    with pytest.raises(ValueError, match="shapes"):
        overlap(np.ones((3, 3), bool), np.ones((3, 4), bool), (1, 1))


def test_the_larger_of_both_directions_counts():
    """All of a small square lies near the large one it is in; the large one's far corner does not."""
    small, large = np.zeros((2, 50, 50), bool)
    small[10:14, 10:14] = True
    large[10:40, 10:40] = True
    found = overlap(small, large, (1.0, 1.0))
    assert found.hd95_mm > 25
    assert overlap(large, small, (1.0, 1.0)) == found


def test_a_slab_ends_where_the_picture_does_and_not_where_the_masks_do():
    """Both masks on three slices of seven, one of them a slice longer: its end is a surface 3 mm away."""
    a = np.zeros((7, 20, 20), bool)
    a[2:5, 5:15, 5:15] = True
    b = a.copy()
    b[5, 5:15, 5:15] = True
    assert overlap(a, b, (3.0, 1.0, 1.0)).hd95_mm == pytest.approx(3.0)
    assert overlap(a[2:5], a[2:5], (3.0, 1.0, 1.0)).hd95_mm == 0.0


@pytest.mark.parametrize(("shape", "spacing_mm"), [((3, 4), (1.0, 1.0)), ((3, 3), (1.0, 1.0, 1.0))])
def test_shape_and_spacing_must_fit(shape, spacing_mm):
    with pytest.raises(ValueError, match="spacing"):
        overlap(np.ones((3, 3), bool), np.ones(shape, bool), spacing_mm)
