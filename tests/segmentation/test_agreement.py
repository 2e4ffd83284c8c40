import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glutseg.segmentation.agreement import dice, least_agreement

MASKS = arrays(bool, (4, 5))


def square(first, last):
    out = np.zeros((10, 10), bool)
    out[first:last, first:last] = True
    return out


def test_the_most_different_rival_is_told():
    own, near, far = square(2, 8), square(2, 7), square(4, 7)
    found = least_agreement(own, {"near": near, "far": far})
    assert found.rival == "far"
    assert found.dice == pytest.approx(2 * 9 / (36 + 9))
    assert found.area_share == pytest.approx(9 / 36 - 1)
    assert found.other_outline is far
    assert found.dice_of_rival == {"near": dice(own, near), "far": dice(own, far)}


@given(MASKS, MASKS)
def test_dice_is_symmetric_and_one_only_for_equals(one, other):
    assert dice(one, other) == dice(other, one)
    assert 0 <= dice(one, other) <= 1
    assert (dice(one, other) == 1) == bool((one == other).all())


@given(MASKS, st.lists(MASKS, min_size=1, max_size=4))
def test_no_rival_agrees_less(own, others):
    found = least_agreement(own, {str(i): other for i, other in enumerate(others)})
    assert found.dice == min(dice(own, other) for other in others)
