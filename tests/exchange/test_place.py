"""Where a mask lies on the grid of a series, and in whose frame of reference."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glutseg.errors import GlutsegError
from glutseg.exchange.foreign import ContourMask, GridMask, Region
from glutseg.exchange.place import check_frame, place
from glutseg.image import Geometry


@given(
    st.permutations([0, 1, 2]),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.integers(-3, 3), min_size=3, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_every_turned_flipped_and_shifted_grid_is_the_same_lattice(order, flips, shift):
    target = Geometry((6, 7, 8), (5.0, 1.5, 2.0), (-3.0, 4.0, 100.0))
    labels = np.zeros(target.shape, bool)
    labels[2:4, 2:5, 3:6] = True
    labels[3, 4, 5] = False
    turn = tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)
    turned = np.transpose(labels, order)[turn]
    corner = np.zeros(3)
    columns = np.empty((3, 3))
    eye = np.eye(3)
    for axis, (old, flip) in enumerate(zip(order, flips, strict=True)):
        columns[:, 2 - axis] = eye[:, 2 - old] * (-1 if flip else 1)
        corner[old] = labels.shape[old] - 1 if flip else 0
    geometry = Geometry(
        turned.shape,
        tuple(target.spacing_mm[a] for a in order),
        target.point_mm(*corner),
        tuple(columns.ravel()),
    )
    moved = replace(target, origin_mm=target.point_mm(*shift))
    mask = GridMask((Region(1, ""),), geometry, lambda _: turned)
    found = place(mask, 1, moved)
    expected = np.zeros(target.shape, bool)
    for index in np.argwhere(labels):
        at = index - shift
        if (at >= 0).all() and (at < target.shape).all():
            expected[tuple(at)] = True
    assert not found.is_resampled
    assert np.array_equal(found.inside, expected)


@pytest.mark.parametrize(
    ("of_mask", "of_series", "codes"),
    [("1.2", "1.2", []), ("", "1.2", ["mask-frame-unknown"]), ("1.2", "", ["mask-frame-unknown"])],
)
def test_a_place_without_a_frame_of_reference_is_told(of_mask, of_series, codes):
    assert [flag.code for flag in check_frame(ContourMask((), {}, of_mask), of_series)] == codes


def test_another_frame_is_elsewhere():
    with pytest.raises(GlutsegError, match="mask-elsewhere"):
        check_frame(ContourMask((), {}, "1.2"), "1.3")
