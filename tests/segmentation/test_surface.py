"""The minimum cut, on grids small enough to know the answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.segmentation.surface import Problem, minimum_cut

STEP_RAD, SLICE_MM = 0.05, 3.0


def _cut(cost, *, preference=None, inside=None, muscle_from=-1, other_to=1, across_rays=1.0, first_mm=40.0):
    """Muscle seeds from index ``muscle_from`` outwards, others up to ``other_to``."""
    shape = cost.shape
    muscle, other = np.zeros(shape, bool), np.zeros(shape, bool)
    muscle[..., muscle_from:] = True
    other[..., :other_to] = True
    problem = Problem(
        np.ones(shape, bool) if inside is None else inside,
        cost.astype(np.float32),
        (np.zeros(shape) if preference is None else preference).astype(np.float32),
        muscle,
        other,
        across_rays=across_rays,
        radii_mm=first_mm + np.arange(shape[2], dtype=float),
        angle_step_rad=STEP_RAD,
        slice_mm=SLICE_MM,
    )
    return minimum_cut(problem)


def _walled(shape, wall_at):
    """A wall two samples thick: the cheapest border is between them."""
    cost = np.ones(shape)
    cost[..., wall_at : wall_at + 2] = 0.03
    return cost


@pytest.mark.parametrize("wall_at", [2, 5, 8])
def test_the_border_lies_on_a_visible_wall(wall_at):
    out = _cut(_walled((2, 5, 12), wall_at))
    assert out[..., wall_at + 1 :].all()
    assert not out[..., : wall_at + 1].any()


@pytest.mark.parametrize("hole", [(1, 3), (slice(None), 3), (1, slice(2, 5))])
def test_a_gap_in_the_wall_is_bridged(hole):
    cost = _walled((3, 7, 12), 5)
    cost[(*hole, slice(None))] = 1.0
    out = _cut(cost)
    assert out[..., 6:].all()
    assert not out[..., :6].any()


def test_a_step_in_the_wall_is_followed():
    cost = np.ones((2, 8, 14))
    cost[:, :4, 4:6] = 0.03
    cost[:, 4:, 8:10] = 0.03
    assert (_cut(cost)[0].argmax(1) == [5] * 4 + [9] * 4).all()


def test_a_border_along_the_rays_costs_what_across_rays_says():
    """A notch in the wall two rays wide is worth its flanks only while they are cheap."""
    cost = _walled((1, 8, 12), 3)
    cost[:, 3:5] = 1.0
    cost[:, 3:5, 7:9] = 0.03
    assert (_cut(cost, across_rays=0.05)[0].argmax(1) == [4, 4, 4, 8, 8, 4, 4, 4]).all()
    assert (_cut(cost, across_rays=5.0)[0].argmax(1) == 4).all()


def test_preference_moves_a_border_that_nothing_shows():
    shape = (1, 4, 10)
    even, depth = np.ones(shape), np.arange(10)
    rather = np.where(depth >= 4, -0.5, 0.5) * np.ones(shape)
    assert (_cut(even, preference=rather)[0].argmax(1) == 4).all()


def test_no_islands_even_where_the_preference_asks_for_one():
    preference = np.full((2, 5, 12), 0.3)
    preference[:, 2, 3:5] = -0.4  # a piece of muscle, deep, that does not pay for the way to it
    out = _cut(_walled((2, 5, 12), 8), preference=preference)
    assert (out[..., 1:] >= out[..., :-1]).all()
    assert not out[..., :9].any()


def test_other_wins_where_the_seeds_overlap():
    out = _cut(np.ones((1, 3, 8)), muscle_from=2, other_to=5)
    assert (out[0].argmax(1) == 5).all()


def test_nothing_is_labelled_outside_the_nodes():
    inside = np.ones((2, 4, 10), bool)
    inside[:, 0] = False
    inside[..., 9] = False
    out = _cut(_walled((2, 4, 10), 4), inside=inside, muscle_from=-2)
    assert not out[~inside].any()
    assert (out[:, 1:, 5:9]).all()


def test_without_muscle_seeds_there_is_no_muscle():
    assert not _cut(_walled((1, 3, 8), 3), muscle_from=8).any()


def _energy(out, cost, preference, first_mm, across_rays):
    """What the docstring promises to minimise, written down a second time."""
    radii = first_mm + np.arange(cost.shape[2], dtype=float)
    width = np.maximum(radii, 20.0) * STEP_RAD
    total = float((preference * width * SLICE_MM)[out].sum())
    for axis, face in enumerate((width, SLICE_MM * across_rays, width[1:] * SLICE_MM)):
        a = np.take(cost, range(cost.shape[axis] - 1), axis)
        b = np.take(cost, range(1, cost.shape[axis]), axis)
        total += float(((a + b) / 2 * face)[np.diff(out, axis=axis)].sum())
    return total


@given(seed=st.integers(0, 2**32 - 1), across_rays=st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=25, deadline=None)
def test_no_other_layer_is_cheaper(seed, across_rays):
    """Against every layer there is: 4 radii to choose on each of 4 rays."""
    rng = np.random.default_rng(seed)
    shape, first_mm = (2, 2, 5), float(rng.uniform(5, 80))
    cost = rng.uniform(0.03, 1, shape).astype(np.float32)
    preference = rng.uniform(-0.5, 0.5, shape).astype(np.float32)
    out = _cut(cost, preference=preference, across_rays=across_rays, first_mm=first_mm)
    assert out[..., -1].all()
    assert not out[..., 0].any()
    assert (out[..., 1:] >= out[..., :-1]).all()

    found = _energy(out, cost, preference, first_mm, across_rays)
    layers = (
        np.arange(5) >= np.array(starts).reshape(2, 2, 1)
        for starts in itertools.product(range(1, 5), repeat=4)
    )
    least = min(_energy(layer, cost, preference, first_mm, across_rays) for layer in layers)
    assert found <= least + 0.2  # capacities are whole 1/200 mm²
