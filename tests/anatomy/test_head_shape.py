"""Femoral heads give a wrong pixel size away, and right ones do not."""

from dataclasses import replace

import pytest

from glutseg.anatomy import find_anatomy, find_hips, hip_flags
from glutseg.anatomy.head_shape import HeadSizes, measure_heads, spacing_flags
from glutseg.image import CtImage
from glutseg.settings import METHOD

SETTINGS = METHOD.head_shape
USUAL = HeadSizes(45.5, 177.0, 1.0, 1.0)


def stated(volume, rows=1.0, columns=1.0):
    """The same pixels, which are said to be of another size."""
    z_mm, y_mm, x_mm = volume.geometry.spacing_mm
    geometry = replace(volume.geometry, spacing_mm=(z_mm, y_mm * rows, x_mm * columns))
    return CtImage(volume.hu, geometry)


def codes(volume):
    return [flag.code for flag in hip_flags(find_anatomy(volume))]


@pytest.fixture(scope="module")
def sizes(pelvis):
    return measure_heads(pelvis.volume, find_hips(pelvis.volume))


def test_heads_of_the_true_spacing_are_round(pelvis, sizes):
    assert sizes.width_to_height == pytest.approx(1.0, abs=0.05)
    assert sizes.width_to_depth == pytest.approx(1.0, abs=0.05)
    assert codes(pelvis.volume) == []


@pytest.mark.parametrize("factor", [0.8, 1.3])
def test_a_wrong_spacing_is_flagged_with_its_size(pelvis, factor):
    (flag,) = hip_flags(find_anatomy(stated(pelvis.volume, factor, factor)))
    assert (flag.code, flag.severity) == ("spacing-uncertain", "review")
    assert ("too small" if factor < 1 else "too large") in flag.message
    assert "times as wide as high" in flag.message


def test_pixels_that_are_no_squares_are_flagged(pelvis):
    (flag,) = hip_flags(find_anatomy(stated(pelvis.volume, rows=0.75)))
    assert flag.code == "spacing-uncertain"
    assert "no squares" in flag.message


def test_what_the_volume_measures_follows_the_spacing(pelvis, sizes):
    volume = stated(pelvis.volume, 0.9, 0.9)
    found = measure_heads(volume, find_hips(volume))
    assert found.width_to_height == pytest.approx(0.9 * sizes.width_to_height, rel=0.03)
    assert found.distance_mm == pytest.approx(0.9 * sizes.distance_mm, rel=0.02)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"diameter_mm": 36.8, "distance_mm": 199.0}, None),  # the smallest heads of a right series
        ({"diameter_mm": 51.0, "distance_mm": 191.0}, None),  # the largest
        ({"width_to_height": 0.86}, None),  # one whose joint space is not seen
        ({"width_to_depth": 1.14}, None),
        ({"diameter_mm": 36.0, "distance_mm": 142.0, "width_to_height": 0.8}, "20% too small"),
        ({"diameter_mm": 57.0, "distance_mm": 221.0, "width_to_height": 1.25}, "25% too large"),
        ({"distance_mm": 226.0, "width_to_height": 0.86}, "28% too large"),
        ({"distance_mm": 134.0}, "24% too small"),
        ({"diameter_mm": 40.0, "width_to_height": 1.38}, None),  # a fit that failed
        ({"diameter_mm": 52.0, "width_to_height": 0.72}, None),  # another
        ({"width_to_depth": 0.78}, "0.78 times as wide as deep"),
        ({"diameter_mm": 34.0, "distance_mm": 140.0, "width_to_height": None}, "23% too small"),
        ({"diameter_mm": 40.0, "distance_mm": 165.0, "width_to_height": None}, None),
        ({"diameter_mm": 60.0, "distance_mm": None, "width_to_height": None}, "32% too large"),
    ],
)
def test_sizes_far_from_those_of_people_are_flagged(change, words):
    found = spacing_flags(replace(USUAL, **change), SETTINGS)
    assert [flag.code for flag in found] == ([] if words is None else ["spacing-uncertain"])
    assert words is None or words in found[0].message


def test_implants_tell_nothing(pelvis):
    hips = find_hips(pelvis.volume)
    hu = pelvis.volume.hu.copy()
    geometry = pelvis.volume.geometry
    for ball in (hips.left, hips.right):
        z, y, x = (round(float(i)) for i in geometry.index(ball.centre_mm))
        hu[z - 3 : z + 4, y - 5 : y + 6, x - 5 : x + 6] = 3071
    assert measure_heads(CtImage(hu, geometry), hips) is None
    assert spacing_flags(None, SETTINGS) == ()


def test_thick_slices_tell_sizes_only(pelvis):
    settings = METHOD.model_copy(update={"head_shape": SETTINGS.model_copy(update={"max_slice_mm": 1.0})})
    found = measure_heads(pelvis.volume, find_hips(pelvis.volume), settings)
    assert found.width_to_height is None
    assert found.distance_mm is not None
