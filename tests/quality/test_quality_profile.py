"""Slices around the level that are not there."""

import pytest

from glutseg.image import Geometry
from glutseg.quality import check_profile

GRID = Geometry((20, 4, 4), (5.0, 1.0, 1.0), (0.0, 0.0, -812.5))


def said(missing=(), slice_index=10, reach_mm=15.0, grid=GRID):
    return [flag.message for flag in check_profile(grid, missing, slice_index, reach_mm)]


@pytest.mark.parametrize("slice_index", [3, 10, 16])
def test_a_whole_profile_is_not_mentioned(slice_index):
    assert said(slice_index=slice_index) == []
    assert said({slice_index - 4, slice_index + 4}, slice_index) == []  # beyond the reach


@pytest.mark.parametrize("missing", [7, 10, 13])
def test_a_slice_without_an_image(missing):
    assert said({missing}) == ["of 7 slices within 15 mm of the level 1 has no image"]


@pytest.mark.parametrize("slice_index", [2, 17])
def test_the_end_of_the_series(slice_index):
    assert said(slice_index=slice_index) == [
        "of 7 slices within 15 mm of the level 1 lies beyond the end of the images"
    ]


def test_both_are_told_together():
    (words,) = said({4, 5}, slice_index=2, reach_mm=20.0)
    assert words == (
        "of 9 slices within 20 mm of the level 2 have no image and 2 lie beyond the end of the images"
    )
    (flag,) = check_profile(GRID, {10}, 10, 15.0)
    assert (flag.code, flag.side) == ("profile-incomplete", "")


def test_the_reach_is_a_distance_however_the_slices_are_stored():
    downwards = Geometry(
        (20, 4, 4), (5.0, 1.0, 1.0), (0.0, 0.0, 90.0), (1, 0, 0, 0, 1, 0, 0, 0, -1)
    ).canonical()
    assert said({13}, grid=downwards) == said({13})
    assert said({14}, grid=downwards) == []


@pytest.mark.parametrize(("spacing_mm", "n"), [(5.003, 7), (5.004, 5)])
def test_rounding_of_the_spacing_loses_no_slice(spacing_mm, n):
    """Three slices of 5.003 mm are 15.009 mm: 0.01 mm is allowed for rounding, no more."""
    (words,) = said({10}, grid=Geometry((20, 4, 4), (spacing_mm, 1.0, 1.0)))
    assert words.startswith(f"of {n} slices")
