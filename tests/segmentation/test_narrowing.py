"""A cut near a coarse one, against the cut of the whole."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from glutseg.segmentation import narrowing
from glutseg.segmentation.narrowing import border_of, find_band
from glutseg.segmentation.narrowing import near_cut as cut_within
from glutseg.segmentation.surface import Problem, minimum_cut

SHAPE = (12, 80, 60)


def near_cut(problem):
    return cut_within(problem, find_band(problem))


def _problem(rng, *, gaps=0.3, noise=0.15):
    """A wavy wall of two samples with holes in it, in noise; the muscle lies outside."""
    slab, angle, radius = np.indices(SHAPE)
    wall = 28 + 6 * np.sin(angle / 11) + slab / 3
    is_hole = (ndi.gaussian_filter(rng.standard_normal(SHAPE[:2]), 3) > 0.2 * (1 - gaps))[..., None]
    cost = np.where((np.abs(radius - wall) < 1.2) & ~is_hole, 0.05, 1.0)
    cost = np.clip(cost - noise * rng.random(SHAPE), 0.03, 1).astype(np.float32)
    return Problem(
        inside=np.ones(SHAPE, bool),
        cost=cost,
        preference=(0.02 * np.sign(wall - radius)).astype(np.float32),
        muscle=radius >= SHAPE[2] - 5,
        other=radius < 5,
        radii_mm=40.0 + np.arange(SHAPE[2]),
        angle_step_rad=np.deg2rad(1.0),
        slice_mm=3.0,
    )


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_the_border_of_the_whole_cut(seed):
    problem = _problem(np.random.default_rng(seed))
    assert (near_cut(problem) == minimum_cut(problem)).all()


def test_a_wall_one_sample_wide_is_not_lost_in_the_coarse_grid():
    """Of two walls the far one is seven times as cheap; in a plain mean it would be twice as dear."""
    problem = _problem(np.random.default_rng(0))
    radius = np.indices(SHAPE)[2]
    cost = np.ones(SHAPE, np.float32)
    cost[(radius >= 42) & (radius < 46)] = 0.2
    cost[(radius == 15) | (radius == 16)] = 0.03
    walls = replace(problem, cost=cost, preference=np.zeros(SHAPE, np.float32))
    assert (border_of(near_cut(walls), walls.inside) == 16).all()


def two_walls(problem, near_cost):
    radius = np.indices(SHAPE)[2]
    cost = np.ones(SHAPE, np.float32)
    cost[(radius == 41) | (radius == 42)] = near_cost  # in two blocks: dearer on the coarse grid
    cost[(radius == 14) | (radius == 15)] = 0.06
    return replace(problem, cost=cost, preference=np.zeros(SHAPE, np.float32))


@pytest.mark.parametrize("near_cost", [0.02, 0.03, 0.04, 0.05, 0.06])
def test_of_two_walls_that_compete_the_whole_cuts_is_taken(near_cost):
    """However far apart they lie, and whichever the coarse grid would have."""
    problem = two_walls(_problem(np.random.default_rng(0)), near_cost)
    assert (near_cut(problem) == minimum_cut(problem)).all()


def test_the_band_is_narrow_where_the_picture_decides():
    problem = _problem(np.random.default_rng(1), gaps=0.0, noise=0.0)
    band = find_band(problem)
    width = (band.high - band.low) * problem.step_mm
    assert np.median(width) < 2 * narrowing.REACH_MM + 8
    walls = find_band(two_walls(problem, 0.04))
    assert (walls.low < 14).all()
    assert (walls.high > 42).all()


def test_another_belief_is_cut_within_the_same_band():
    problem = _problem(np.random.default_rng(2))
    larger = replace(problem, preference=problem.preference - np.float32(0.0075))
    assert (cut_within(larger, find_band(problem)) == minimum_cut(larger)).all()


def test_small_problems_are_cut_whole():
    few = slice(0, 2)
    problem = _problem(np.random.default_rng(0))
    arrays = {n: getattr(problem, n)[few] for n in ("inside", "cost", "preference", "muscle", "other")}
    small = replace(problem, **arrays)
    assert find_band(small) is None
    assert (near_cut(small) == minimum_cut(small)).all()


def test_a_ray_without_muscle_has_its_border_beyond():
    inside = np.zeros((1, 3, 6), bool)
    inside[0, :2, 1:5] = True
    muscle = np.zeros_like(inside)
    muscle[0, 0, 3:5] = True
    assert border_of(muscle, inside).tolist() == [[3, 5, 0]]
