"""Growing regions on scenes whose planes are known: two lean muscles side by side in fat."""

from itertools import pairwise

import numpy as np
import pytest

from glutseg.segmentation.competition import Field, edge_led, edge_share, look, settled
from glutseg.segmentation.tissue import Tissue
from glutseg.settings import SegmentationSettings

SETTINGS = SegmentationSettings()
TISSUE = Tissue(-105.0, 55.0, 0.05, 0.0, 0.6, 5.0)
SHAPE = (7, 60, 110)
ROWS, FIRST, PLANE, LAST = slice(18, 42), 8, 70, 100
"""Flesh in these rows from column FIRST to LAST; a fat plane at column PLANE parts maximus and medius.
From LAST on the medius lies on bone."""


def scene(border, gap=slice(0, 0), plane_hu=-60.0):
    """HU, and probabilities of a network that sees the border at column ``border``."""
    hu = np.full(SHAPE, -105.0, np.float32)
    hu[:, ROWS, FIRST:LAST] = 55.0
    hu[:, ROWS, PLANE] = plane_hu
    hu[:, gap, PLANE] = 55.0
    hu[:, ROWS, LAST : LAST + 5] = 400.0
    p = np.full((6, *SHAPE), 1e-3, np.float32)
    p[0] = 1.0
    p[:, :, ROWS, FIRST:LAST] = 1e-3
    p[1, :, ROWS, FIRST:border] = 1.0
    p[2, :, ROWS, border:LAST] = 1.0
    p[0, :, ROWS, LAST : LAST + 5] = 1e-3
    p[4, :, ROWS, LAST : LAST + 5] = 1.0
    return hu, p / p.sum(0)


def columns_of(region):
    """First and last column in the middle of the flesh."""
    row = region[SHAPE[0] // 2, 30]
    return int(np.flatnonzero(row)[0]), int(np.flatnonzero(row)[-1])


@pytest.mark.parametrize("border", [50, 60, 70, 72])
def test_the_border_moves_to_the_visible_plane(border):
    field = look(*scene(border), TISSUE, SETTINGS)
    first, last = columns_of(edge_led(field, SETTINGS)[0])
    assert abs(first - FIRST) <= 1  # in fat a border costs the same everywhere
    assert abs(last - PLANE) <= 1
    final = settled(field, edge_led(field, SETTINGS)[0])
    assert abs(columns_of(final.argmax(0) == 1)[1] - PLANE) <= 1


def test_without_a_plane_the_network_stands():
    field = look(*scene(60, gap=ROWS), TISSUE, SETTINGS)
    assert columns_of(edge_led(field, SETTINGS)[0])[1] == 59
    np.testing.assert_allclose(settled(field, edge_led(field, SETTINGS)[0]), field.probabilities, atol=1e-5)


def test_a_gap_in_the_plane_is_bridged():
    field = look(*scene(55, gap=slice(26, 32)), TISSUE, SETTINGS)
    assert abs(columns_of(edge_led(field, SETTINGS)[0])[1] - PLANE) <= 1


def test_a_plane_one_voxel_thin_outweighs_a_network_that_is_sure_of_the_contrary():
    """Flesh 24 voxels high, and 14 of the 62 columns of the maximus called medius: the plane is followed."""
    field = look(*scene(PLANE - 14), TISSUE, SETTINGS)
    field.cost[:] = np.where(np.arange(SHAPE[2]) == PLANE, SETTINGS.border_cost_plane, field.cost)
    field.cost[:, :, [PLANE - 1, PLANE + 1]] = 1.0
    assert abs(columns_of(edge_led(field, SETTINGS)[0])[1] - PLANE) <= 1


def test_more_liking_never_takes_away():
    field = look(*scene(55, gap=slice(24, 36), plane_hu=0.0), TISSUE, SETTINGS)
    margins = (0.02, 0.01, 0.0, -0.01, -0.02)
    regions = [edge_led(field, SETTINGS, (margin,))[0] for margin in margins]
    for larger, smaller in pairwise(regions):
        assert not (smaller & ~larger).any()
    np.testing.assert_array_equal(edge_led(field, SETTINGS, margins), regions)


def test_probabilities_stay_probabilities():
    field = look(*scene(50), TISSUE, SETTINGS)
    out = settled(field, edge_led(field, SETTINGS)[0])
    np.testing.assert_allclose(out.sum(0), 1, atol=1e-4)
    assert out.min() >= -1e-6


def test_noise_is_no_plane():
    """In noise alone hardly a border in the flesh is cheap, however strong the noise."""
    hu, p = scene(60, gap=ROWS)
    rng = np.random.default_rng(1)
    for sd in (10, 40):
        field = look(hu + rng.normal(0, sd, hu.shape).astype(np.float32), p, TISSUE, SETTINGS)
        inner = field.cost[:, 24:36, 20:60]
        assert (inner < 0.5).mean() < 0.1


def test_edge_share_tells_how_much_of_a_border_is_seen():
    field = Field(
        np.zeros((6, 1, 30, 30), np.float32),
        np.ones((1, 30, 30), np.float32),
        np.ones((1, 30, 30), np.float32),
    )
    mask = np.zeros((1, 30, 30), bool)
    mask[0, 5:25, 5:25] = True
    assert edge_share(field, mask) == 0
    field.cost[0, 4] = 0.03  # along one of four sides
    assert edge_share(field, mask) == pytest.approx(20 / 76, abs=0.03)
    assert edge_share(field, np.zeros_like(mask)) == 0
