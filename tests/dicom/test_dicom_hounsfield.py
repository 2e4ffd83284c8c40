import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.dicom.hounsfield import is_padded, to_hu


def hu_of(values, dtype, *args):
    return to_hu(np.array(values, dtype=dtype), *args).tolist()


def test_unsigned_with_an_offset_and_signed_without():
    assert hu_of([0, 1024, 1100], np.uint16, 1.0, -1024.0) == [-1024, 0, 76]
    assert hu_of([-1024, 0, 76], np.int16, 1.0, 0.0) == [-1024, 0, 76]


def test_clipped_below_air_but_not_above_bone():
    assert hu_of([0, 8000, 65535], np.uint16, 1.0, -8192.0) == [-1024, -192, 32767]
    assert hu_of([20000], np.uint16, 1.0, 0.0) == [20000]


def test_half_away_from_zero():
    assert hu_of([1, 3, -1, -3], np.int16, 0.5, 0.0) == [1, 2, -1, -2]
    assert hu_of([0, 1], np.int16, 1.0, 0.5) == [1, 2]


@given(st.integers(-32768, 32767), st.floats(0.01, 100), st.floats(-5000, 5000))
def test_never_further_than_half_from_the_exact_value(stored, slope, intercept):
    exact = min(max(stored * slope + intercept, -1024), 32767)
    assert abs(hu_of([stored], np.int16, slope, intercept)[0] - exact) <= 0.5 + 1e-6


@pytest.mark.parametrize("padding", [(-2000, -2000), (63536, 63536), (-2048, -1500)])
def test_padding_becomes_air(padding):
    stored = np.array([-2000, 40], dtype=np.int16)
    assert to_hu(stored, 1.0, 800.0, padding).tolist() == [-1024, 840]


def test_padding_in_the_range_of_tissue_is_ignored():
    assert hu_of([0, 50], np.int16, 1.0, 0.0, (0, 0)) == [0, 50]


def test_padding_above_bone_becomes_air():
    assert hu_of([4095, 1024], np.uint16, 1.0, -1024.0, (4095, 4095)) == [-1024, 0]


def test_absurd_rescale_does_not_overflow():
    assert hu_of([1, 2], np.uint16, 1e300, 0.0) == [32767, 32767]
    assert hu_of([1, 2], np.uint16, 1.0, -1e30) == [-1024, -1024]
    assert hu_of([2**31 - 1], np.int32, 1.0, -1024.0) == [32767]


@pytest.mark.parametrize(
    ("stored", "dtype", "padding", "expected"),
    [
        ([-2000, 40], np.int16, 63536, [-1024, 1240]),  # written without a sign, meant with one
        ([-32768, 40], np.int16, 32768, [-1024, 1240]),
        ([63536, 40], np.uint16, -2000, [-1024, 1240]),  # the other way round
        ([32768, 40], np.uint16, -32768, [-1024, 1240]),
        ([63536, 40], np.int32, 63536, [-1024, 1240]),  # wide enough for what it says
        ([40, 63536], np.int32, -2000, [1240, 32767]),
    ],
)
def test_padding_is_read_in_the_sign_of_the_pixels(stored, dtype, padding, expected):
    hu = hu_of(stored, dtype, 1.0, 1200.0, (padding, padding))
    assert hu == expected
    assert is_padded(np.array(stored, dtype), (padding, padding)).tolist() == [h == -1024 for h in hu]


def test_without_padding_no_pixel_is_padded():
    assert is_padded(np.array([-2000, 0, 1], np.int16), None).tolist() == [False] * 3


@pytest.mark.parametrize(
    ("padding", "is_used"),
    [
        ((-300, -300), True),
        ((-200, -200), False),
        ((-400, -200), False),
        ((-600, -300), True),
        ((1800, 1900), True),
    ],
)
def test_padding_is_compared_with_tissue_in_hu(padding, is_used):
    """Twice the stored value, 50 below: tissue is -225 to 1525."""
    hu = hu_of([padding[0], 20], np.int16, 2.0, -50.0, padding)
    assert hu == [-1024 if is_used else 2 * padding[0] - 50, -10]


def test_unsigned_zero_as_padding_is_zero():
    assert hu_of([0, 40], np.uint16, 1.0, -900.0, (0, 0)) == [-1024, -860]
