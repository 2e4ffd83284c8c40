"""Outlines of pixels as lines, and pixels within lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from glutseg.exchange.contours import filled, outlines, signed_area

shapes = st.integers(0, 2**30 - 1).map(
    lambda bits: np.pad(np.array([bits >> k & 1 for k in range(30)], dtype=bool).reshape(5, 6), 1)
)


@given(shapes)
@settings(max_examples=300, deadline=None)
def test_outlines_hold_exactly_the_pixels_they_were_drawn_around(inside):
    lines = outlines(inside)
    assert np.array_equal(filled(lines, inside.shape), inside)
    total = sum(abs(signed_area(line)) for line in lines)
    _, n_pieces = ndimage.label(inside)
    _, n_outside = ndimage.label(~inside, np.ones((3, 3)))
    # a closed line has four corners more one way than the other, an eighth of a pixel each
    assert total == pytest.approx(inside.sum() - 0.5 * n_pieces + 0.5 * (n_outside - 1))
