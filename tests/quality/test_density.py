"""Levels of fat and muscle, noise, and what is said about a scale that is not the usual one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_slice import Drawn
from glutseg.errors import catalogue
from glutseg.quality.density import Densities, check_densities, measure_densities
from glutseg.settings import METHOD

LIMITS = METHOD.quality
USUAL = Densities(fat_hu=-100.0, lean_hu=50.0, air_hu=-1000.0, noise_hu=12.0)


def _flags(**found):
    return [str(f) for f in check_densities(replace(USUAL, **found), LIMITS)]


def _message(**found):
    (flag,) = check_densities(replace(USUAL, **found), LIMITS)
    return flag.message


@pytest.mark.parametrize("pixel_mm", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("noise_hu", [0.0, 20.0, 50.0])
def test_levels_are_found(pixel_mm, noise_hu):
    found = measure_densities(Drawn(pixel_mm=pixel_mm, noise_hu=noise_hu).picture())
    assert found.fat_hu == pytest.approx(-100, abs=6)
    assert found.lean_hu == pytest.approx(50, abs=8 + noise_hu / 5)
    assert found.air_hu == pytest.approx(-1000, abs=3 + noise_hu / 3)
    assert found.noise_hu == pytest.approx(noise_hu, abs=7 + 0.2 * noise_hu)  # of structure


@given(offset_hu=st.integers(-200, 200), factor=st.floats(0.75, 1.4))
def test_levels_follow_the_scale(offset_hu, factor):
    drawn = Drawn(pixel_mm=3.0)
    found = measure_densities(drawn.picture(drawn.hu() * factor + offset_hu))
    assert found.fat_hu == pytest.approx(-100 * factor + offset_hu, abs=8)
    assert found.lean_hu == pytest.approx(50 * factor + offset_hu, abs=10)


def test_without_subcutaneous_fat_nothing_is_said_about_it():
    thin = Drawn(half_mm=(75.0, 122.0), fat_hu=50.0)
    found = measure_densities(thin.picture())
    assert found.fat_hu is None
    assert found.lean_hu == pytest.approx(50, abs=10)
    assert check_densities(found, LIMITS) == ()


def test_without_an_outline_nothing_is_said():
    drawn = Drawn()
    found = measure_densities(drawn.picture(labels=np.zeros_like(drawn.labels())))
    assert (found.fat_hu, found.lean_hu, found.noise_hu) == (None, None, None)
    assert check_densities(found, LIMITS) == ()


@pytest.mark.parametrize(
    ("fat_hu", "flags"),
    [
        (-136, ["hu-shifted"]),
        (-135, ["hu-unusual"]),
        (-116, ["hu-unusual"]),
        (-115, []),
        (-85, []),
        (-84, ["hu-unusual"]),
        (-65, ["hu-unusual"]),
        (-64, ["hu-shifted"]),
    ],
)
def test_fat_outside_of_its_usual_range(fat_hu, flags):
    assert _flags(fat_hu=float(fat_hu)) == flags


@pytest.mark.parametrize(("lowest_air_hu", "flags"), [(-750, []), (-749, ["hu-shifted"]), (None, [])])
def test_air_that_is_none(lowest_air_hu, flags):
    assert _flags(lowest_air_hu=lowest_air_hu) == flags


@pytest.mark.parametrize(
    ("factor", "offset_hu", "flags"),
    [
        (1.0, -24.0, ["hu-unusual"]),
        (1.0, 50.0, ["hu-shifted"]),
        (1.5, 0.0, ["hu-shifted"]),
        (0.7, 0.0, ["hu-shifted"]),
    ],
)
@pytest.mark.parametrize("has_table", [False, True])
def test_hu_that_are_none(factor, offset_hu, flags, has_table):
    drawn = Drawn(has_table=has_table)
    found = measure_densities(drawn.picture(drawn.hu() * factor + offset_hu))
    assert [str(f) for f in check_densities(found, LIMITS)] == flags


def test_a_picture_without_air_tells_nothing_of_it():
    picture = Drawn(half_mm=(300.0, 400.0)).picture()
    assert measure_densities(picture).lowest_air_hu is None


def test_a_shift_is_told_from_a_factor_by_the_air():
    assert _message(fat_hu=-60.0, lean_hu=90.0, air_hu=-960.0).endswith("as if all HU were about 40 too high")
    assert _message(fat_hu=-60.0, lean_hu=90.0).endswith("as if all HU were about 40 too high")
    assert _message(fat_hu=-80.0, lean_hu=40.0, air_hu=-800.0).endswith("were multiplied by about 0.80")
    # fat of -105 HU times 0.8 and 25 lower: air fits one of the two, though not exactly
    assert _message(fat_hu=-84.0, lean_hu=40.0, air_hu=-800.0).endswith("were multiplied by about 0.84")
    assert _message(fat_hu=-130.0, lean_hu=25.0, air_hu=-996.0).endswith("were about 30 too low")
    clipped = _message(fat_hu=-125.0, lean_hu=62.0, air_hu=-1024.0)
    assert clipped.endswith("as if all HU were about 25 too low or multiplied by about 1.25")
    assert _message(fat_hu=60.0, lean_hu=210.0, air_hu=None).endswith("as if all HU were about 160 too high")
    assert "-60 HU" in _message(fat_hu=-60.0)
    assert "90" in _message(fat_hu=-60.0, lean_hu=90.0)


@pytest.mark.parametrize(
    ("noise_hu", "flags"), [(30, []), (31, ["noise-high"]), (55, ["noise-high"]), (56, ["noise-excessive"])]
)
def test_noise(noise_hu, flags):
    assert _flags(noise_hu=float(noise_hu)) == flags
    assert not flags or f"{noise_hu} HU" in _message(noise_hu=float(noise_hu))


def test_only_what_makes_figures_wrong_asks_for_a_look():
    severities = {code: catalogue()[code].severity for code in ("hu-unusual", "hu-shifted")}
    assert severities == {"hu-unusual": "note", "hu-shifted": "review"}
    severities = {code: catalogue()[code].severity for code in ("noise-high", "noise-excessive")}
    assert severities == {"noise-high": "note", "noise-excessive": "review"}
