import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.segmentation.editing import edited_slices, interpolate, regrow

SPACING_MM = (0.8, 0.8)


def disc(radius, centre=(60, 60), shape=(120, 120)):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


@pytest.fixture
def picture():
    """A muscle of 50 HU in fat, with noise."""
    truth = disc(30)
    noise = np.random.default_rng(1).normal(0, 8, truth.shape)
    return truth, (np.where(truth, 50, -100) + noise).astype(np.int16)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_click_inside_fills_what_was_missing(picture):
    truth, hu = picture
    half = truth & (np.arange(120) < 55)[:, None]
    grown = regrow(hu, half, SPACING_MM, inside=[(75, 60)])
    assert dice(grown, truth) > 0.97
    assert (grown | half == grown).all()


def test_a_click_outside_takes_a_leak_away_and_nothing_far_from_it(picture):
    truth, hu = picture
    leak = truth | (disc(12, (60, 100)) & ~truth)
    grown = regrow(hu, leak, SPACING_MM, outside=[(60, 102)])
    assert dice(grown, truth) > 0.97
    assert not grown[60, 102]
    assert (grown & ~leak).sum() == 0
    assert np.array_equal(grown[:, :40], leak[:, :40])


def test_without_clicks_a_rough_outline_finds_the_edge(picture):
    truth, hu = picture
    assert dice(regrow(hu, disc(24), SPACING_MM), truth) > 0.97


def test_what_is_out_of_the_window_does_not_grow(picture):
    truth, hu = picture
    hu[disc(8, (60, 75))] = 300
    grown = regrow(hu, disc(24), SPACING_MM, window_hu=(-30, 150))
    assert truth[60, 84]
    assert (grown & disc(5, (60, 75))).sum() in (0, disc(5, (60, 75)).sum())  # a hole is filled, if any


def test_nothing_to_grow_from_changes_nothing(picture):
    _, hu = picture
    blank = np.zeros(hu.shape, bool)
    assert not regrow(hu, blank, SPACING_MM, outside=[(3, 3)]).any()
    assert regrow(hu, blank, SPACING_MM, inside=[(60, 60)])[60, 60]


@given(st.integers(8, 30), st.integers(8, 30), st.integers(1, 6))
def test_slices_between_two_lie_between_them(a, b, n):
    first, last = disc(a), disc(b)
    between = interpolate(first, last, n)
    areas = [first.sum(), *between.sum((1, 2)), last.sum()]
    assert sorted(areas) == areas or sorted(areas, reverse=True) == areas
    assert ((between & (first & last)) == (first & last)).all()
    assert ((between | (first | last)) == (first | last)).all()


def test_towards_an_empty_slice_the_outline_shrinks():
    between = interpolate(disc(20), np.zeros((120, 120), bool), 4)
    areas = between.sum((1, 2))
    assert (np.diff(areas) <= 0).all()
    assert areas[0] < disc(20).sum()


def test_edited_slices_are_those_of_the_side_asked_for():
    before = np.zeros((5, 8, 8), np.uint8)
    after = before.copy()
    after[1, 2, 2], after[3, 4, 4] = 1, 2
    assert edited_slices(after, before, 1) == [1]
    assert edited_slices(after, before, 2) == [3]
