"""Given outlines that do not run between muscle and subcutaneous fat."""

import numpy as np
import pytest

from drawn_slice import Drawn
from glutseg.quality import check_fit

MISFIT = ["mask-misfit:left", "mask-misfit:right"]


def _flags(picture):
    return [str(flag) for flag in check_fit(picture)]


@pytest.mark.parametrize("pixel_mm", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("noise_hu", [0.0, 45.0])
@pytest.mark.parametrize("shift_hu", [-30, 0, 40])
def test_an_outline_of_the_muscle_fits(pixel_mm, noise_hu, shift_hu):
    drawn = Drawn(pixel_mm=pixel_mm, noise_hu=noise_hu)
    assert _flags(drawn.picture(drawn.hu() + shift_hu)) == []


@pytest.mark.parametrize("grow_mm", [-3.0, 3.0])
def test_three_millimetres_all_round_are_a_matter_of_taste(grow_mm):
    drawn = Drawn(pixel_mm=0.7)
    assert _flags(drawn.picture(labels=drawn.labels(grow_mm=grow_mm))) == []


@pytest.mark.parametrize(("grow_mm", "words"), [(-10.0, "subcutaneous fat lies"), (11.0, "muscle lies")])
@pytest.mark.parametrize("noise_hu", [0.0, 45.0])
def test_an_outline_of_a_thinner_or_stouter_patient_does_not_fit(grow_mm, words, noise_hu):
    drawn = Drawn(noise_hu=noise_hu)
    found = check_fit(drawn.picture(labels=drawn.labels(grow_mm=grow_mm)))
    assert [str(flag) for flag in found] == MISFIT
    assert all(words in flag.message for flag in found)


@pytest.mark.parametrize("moved_mm", [-15.0, 15.0])
def test_an_outline_that_lies_elsewhere_does_not_fit(moved_mm):
    drawn = Drawn()
    labels = np.roll(drawn.labels(), round(moved_mm / drawn.pixel_mm), axis=0)
    assert _flags(drawn.picture(labels=labels)) == MISFIT


def test_fat_that_the_picture_does_not_show_is_not_missed():
    drawn = Drawn()
    y, _ = drawn.grid_mm()
    assert _flags(drawn.picture(np.where(y > 73, -2000, drawn.hu()))) == []
