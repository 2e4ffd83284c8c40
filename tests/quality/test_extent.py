"""Outlines that hold skin, subcutaneous fat or islands."""

import numpy as np
import pytest

from drawn_slice import Drawn
from glutseg.image import LEFT, RIGHT
from glutseg.quality.density import measure_densities
from glutseg.quality.extent import check_extent

BEYOND = ["outline-beyond-muscle:left", "outline-beyond-muscle:right"]


def _check(picture):
    return check_extent(picture, measure_densities(picture))


def _flags(picture):
    return [str(f) for f in _check(picture)]


@pytest.mark.parametrize("pixel_mm", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("noise_hu", [0.0, 45.0, 70.0])
@pytest.mark.parametrize("shift_hu", [-30, 0, 60])
def test_an_outline_of_muscle_has_no_flag(pixel_mm, noise_hu, shift_hu):
    drawn = Drawn(pixel_mm=pixel_mm, noise_hu=noise_hu)
    assert _flags(drawn.picture(drawn.hu() + shift_hu)) == []


@pytest.mark.parametrize("pixel_mm", [0.7, 1.5, 2.5])
@pytest.mark.parametrize("noise_hu", [0.0, 45.0])
def test_six_millimetres_of_fat_around_the_muscle_are_found(pixel_mm, noise_hu):
    drawn = Drawn(pixel_mm=pixel_mm, noise_hu=noise_hu)
    assert _flags(drawn.picture(labels=drawn.labels(grow_mm=7.0))) == BEYOND


def test_streaks_of_fat_within_the_muscle_belong_to_it():
    drawn = Drawn(pixel_mm=0.7)
    y, x = drawn.grid_mm()
    streak = ((x + y) % 12 < 2.4) & (drawn.labels() > 0)
    assert _flags(drawn.picture(np.where(streak, -100, drawn.hu()))) == []


def test_a_round_island_of_fat_within_the_muscle_is_no_subcutaneous_fat():
    drawn = Drawn()
    y, x = drawn.grid_mm()
    island = np.hypot(y - 50, x - 70) < 12
    assert _flags(drawn.picture(np.where(island, -100, drawn.hu()))) == []


def test_skin_within_an_outline_is_found():
    drawn = Drawn()
    y, x = drawn.grid_mm()
    labels = drawn.labels()
    labels[(x > 60) & (x < 80) & (y > 50) & (np.hypot(y / 105, x / 165) < 1)] = LEFT
    (flag,) = _check(drawn.picture(labels=labels))
    assert str(flag) == BEYOND[0]
    assert "skin" in flag.message


@pytest.mark.parametrize("gap_mm", [0, 6])
def test_islands_are_found(gap_mm):
    drawn = Drawn()
    _, x = drawn.grid_mm()
    labels = drawn.labels()
    labels[(x < -95) & (x > -95 - gap_mm)] = 0
    flags = _check(drawn.picture(labels=labels))
    assert [str(f) for f in flags] == (["outline-in-pieces:right"] if gap_mm else [])
    assert not flags or "% of the area lies apart" in flags[0].message


def test_a_few_stray_pixels_are_no_island():
    drawn = Drawn()
    labels = drawn.labels()
    labels[10:12, 10:12] = RIGHT
    assert "outline-in-pieces:right" not in _flags(drawn.picture(labels=labels))
