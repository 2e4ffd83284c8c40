"""A muscle that lies obliquely behind a femoral head, and pieces added to it or taken from it."""

import numpy as np
import pytest

from glutseg.segmentation.place import differing_place

SHAPE = (90, 120)
SPACING_MM = (1.0, 1.0)
HEAD = (10.0, 80.0)
ROWS, COLUMNS = np.indices(SHAPE)
AXIS = (COLUMNS - 60) - (ROWS - 55) * 0.5
"""Along the muscle: it runs from behind at the midline forwards and out."""
DEPTH = (ROWS - 55) + (COLUMNS - 60) * 0.5
MUSCLE = (np.abs(AXIS) < 45) & (np.abs(DEPTH) < 12)
CHANGES = {
    "lateral end": (AXIS > 35) & MUSCLE,
    "medial end": (AXIS < -35) & MUSCLE,
    "deep border": (np.abs(AXIS) < 8) & (DEPTH > -18) & (DEPTH <= -12),
    "outer border": (np.abs(AXIS) < 8) & (DEPTH < 18) & (DEPTH >= 12),
}


@pytest.mark.parametrize("place", CHANGES)
def test_the_place_is_named_on_both_sides(place):
    other = MUSCLE ^ CHANGES[place]
    assert differing_place(MUSCLE, other, SPACING_MM, HEAD, 1.0) == place
    mirrored = HEAD[0], SHAPE[1] - 1 - HEAD[1]
    assert differing_place(MUSCLE[:, ::-1], other[:, ::-1], SPACING_MM, mirrored, -1.0) == place


def test_the_largest_piece_counts():
    small = MUSCLE & (AXIS > 43)
    assert (
        differing_place(MUSCLE, MUSCLE ^ small ^ CHANGES["deep border"], SPACING_MM, HEAD, 1.0)
        == "deep border"
    )


def test_a_muscle_that_runs_from_front_to_back_has_such_ends():
    upright = (np.abs(COLUMNS - 60) < 10) & (np.abs(ROWS - 45) < 35)
    assert differing_place(upright, upright & (ROWS > 20), SPACING_MM, HEAD, 1.0) == "front end"
    assert differing_place(upright, upright & (ROWS < 70), SPACING_MM, HEAD, 1.0) == "back end"


@pytest.mark.parametrize("outline", [MUSCLE, np.zeros(SHAPE, bool), (ROWS == 3) & (COLUMNS == 4)])
def test_equal_outlines_differ_nowhere(outline):
    assert differing_place(outline, outline, SPACING_MM, HEAD, 1.0) == ""
    assert differing_place(np.zeros(SHAPE, bool), outline, SPACING_MM, HEAD, 1.0) == ""


def test_a_single_pixel_has_a_place():
    dot = (ROWS == 30) & (COLUMNS == 40)
    assert differing_place(dot, MUSCLE, SPACING_MM, HEAD, 1.0)
