"""Closing, opening and growing by discs, and holes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi

from glutseg.segmentation import discs

MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=14))
SPACINGS = st.sampled_from([(1.0, 1.0), (0.8, 0.8), (0.7, 0.9), (1.0, 0.5)])


def drawn(text: str):
    return np.array([[c == "#" for c in row] for row in text.split()])


def test_closing_fills_a_gap_of_its_width_and_leaves_a_wider_one():
    rows = drawn("""
        .............
        .####.###....
        .####.###...#
        .####.###...#
        .####.###...#
        .............""")
    expected = drawn("""
        .............
        .####.###....
        .########...#
        .########...#
        .####.###...#
        .............""")
    assert (discs.close_disc(rows, 1) == expected).all()


def test_opening_removes_what_is_thinner_than_the_disc():
    picture = drawn("""
        .........
        .#####...
        .#####...
        .########
        .#####...
        .#####...
        .........""")
    expected = drawn("""
        .........
        ..###....
        .#####...
        .######..
        .#####...
        ..###....
        .........""")
    assert (discs.open_disc(picture, 1) == expected).all()


def test_opening_counts_the_pictures_border_as_background():
    assert not discs.open_disc(drawn("##. ##. ..."), 1).any()


@given(mask=MASKS, radius=st.sampled_from([1.0, 1.5, 2.0, 3.2]))
@settings(max_examples=40, deadline=None)
def test_closing_only_adds_opening_only_removes_and_twice_is_once(mask, radius):
    closed, opened = discs.close_disc(mask, radius), discs.open_disc(mask, radius)
    assert (closed >= mask).all()
    assert (opened <= mask).all()
    assert (discs.close_disc(closed, radius) == closed).all()
    assert (discs.open_disc(opened, radius) == opened).all()


def test_discs_are_round_on_pixels_that_are_not_square():
    """Gaps and bars of 4 mm, across 1 mm and across 0.5 mm pixels: a disc of 2.2 mm fits, one of 1.7 not."""
    bars = np.zeros((20, 40), bool)
    bars[2:6, 4:36] = bars[10:14, 4:36] = True  # 4 rows of 1 mm, 4 rows apart
    posts = np.zeros((20, 40), bool)
    posts[2:18, 4:12] = posts[2:18, 20:28] = True  # 8 columns of 0.5 mm, 8 columns apart
    for mask, gap in ((bars, (8, 20)), (posts, (10, 16))):
        for radius_mm in (1.7, 2.2):
            assert discs.close_disc(mask, radius_mm, (1.0, 0.5))[gap] == (radius_mm > 2)
            assert discs.open_disc(~mask, radius_mm, (1.0, 0.5))[gap] == (radius_mm < 2)


@given(mask=MASKS, radius=st.sampled_from([0.3, 1.0, 1.5, 2.2, 5.0]), spacing=SPACINGS)
@settings(max_examples=60, deadline=None)
def test_a_grown_mask_is_what_lies_within_the_radius(mask, radius, spacing):
    grown = discs.grow_disc(mask, radius, spacing)
    if mask.any():
        assert (grown == (ndi.distance_transform_edt(~mask, sampling=spacing) <= radius)).all()
    else:
        assert not grown.any()


@given(mask=MASKS, radius=st.sampled_from([1.0, 1.5, 3.2]), spacing=SPACINGS)
@settings(max_examples=40, deadline=None)
def test_closing_and_opening_are_those_by_distances(mask, radius, spacing):
    room = 12
    padded = np.pad(mask, room)
    if padded.any():
        near = ndi.distance_transform_edt(~padded, sampling=spacing) <= radius
        closed = ndi.distance_transform_edt(near, sampling=spacing) > radius
        assert (discs.close_disc(mask, radius, spacing) == closed[room:-room, room:-room]).all()
    core = ndi.distance_transform_edt(padded, sampling=spacing) > radius
    opened = ndi.distance_transform_edt(~core, sampling=spacing) <= radius if core.any() else core
    assert (discs.open_disc(mask, radius, spacing) == opened[room:-room, room:-room]).all()


@given(mask=MASKS)
@settings(max_examples=40, deadline=None)
def test_holes_are_filled_and_bays_are_not(mask):
    assert (discs.fill_holes(mask) == ndi.binary_fill_holes(mask)).all()
