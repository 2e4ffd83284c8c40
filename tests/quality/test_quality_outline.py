"""Every flag of an outline: raised beyond its limit, not on it."""

from dataclasses import replace

import pytest

from glutseg.quality import check_difference, check_error_bound, check_found, check_outline
from glutseg.result import MuscleResult, ProfilePoint, SliceMeasurement
from glutseg.settings import METHOD

LIMITS = METHOD.quality

GOOD = SliceMeasurement(
    area_mm2=3000.0,
    polygon_area_mm2=3000.0,
    lean_area_mm2=2700.0,
    imat_area_mm2=250.0,
    mean_hu=45.0,
    sd_hu=25.0,
    min_hu=-120.0,
    max_hu=120.0,
    lean_mean_hu=52.0,
)
CERTAIN = {"left": 3.0, "right": 3.0}
"""Bounds in percent."""
TINY = 1e-6


def _profile(**areas_mm2):
    """Slices 3 mm apart around the level; ``left=(a, b, c)`` in the order of height."""
    points = []
    for side, areas in areas_mm2.items():
        for i, area in enumerate(areas):
            offset = 3.0 * (i - len(areas) // 2)
            measured = replace(GOOD, area_mm2=float(area))
            points.append(ProfilePoint("maximus", side, 10 + i, offset, offset, measured))
    return tuple(points)


def _check(left=GOOD, *, bounds=CERTAIN, profile=None):
    """Codes of both sides, left first, and of their difference."""
    profile = _profile(left=[3000] * 3, right=[3000] * 3) if profile is None else profile
    records = [
        MuscleResult("maximus", side, measured, bounds[side])
        for side, measured in (("left", left), ("right", GOOD))
    ]
    flags = [flag for record in records for flag in check_outline(record, profile)]
    return [str(flag) for flag in (*flags, *check_difference(profile))]


def test_a_plausible_outline_has_no_flag():
    assert _check() == []


def test_unknown_figures_raise_no_flag():
    for side in ("left", "right"):
        assert check_outline(MuscleResult("maximus", side, GOOD), ()) == ()
        assert check_outline(MuscleResult("maximus", side), ()) == ()
    assert check_difference(()) == ()


def test_a_muscle_without_a_pixel_was_not_found():
    (flag,) = check_found(MuscleResult("maximus", "right"))
    assert str(flag) == "muscle-missing:right"
    assert check_found(MuscleResult("maximus", "right", GOOD)) == ()


@pytest.mark.parametrize("side", ["left", "right"])
def test_outline_uncertain(side):
    limit = LIMITS.max_error_bound_percent
    assert _check(bounds=CERTAIN | {side: limit}) == []
    assert _check(bounds=CERTAIN | {side: limit + TINY}) == [f"outline-uncertain:{side}"]


@pytest.mark.parametrize("muscle", ["medius", "minimus"])
def test_the_other_muscles_have_a_limit_of_their_own(muscle):
    limit = LIMITS.max_error_bound_other_muscles_percent
    assert limit > LIMITS.max_error_bound_percent
    record = MuscleResult(muscle, "right", GOOD)
    assert check_error_bound(record) == ()
    assert check_error_bound(replace(record, error_bound_percent=limit)) == ()
    (flag,) = check_error_bound(replace(record, error_bound_percent=limit + TINY))
    assert str(flag) == "outline-uncertain:right"
    assert muscle in flag.message


@pytest.mark.parametrize(
    ("area_mm2", "flags"),
    [
        (LIMITS.area_mm2[0], []),
        (LIMITS.area_mm2[1], []),
        (LIMITS.area_mm2[0] - 0.1, ["size-implausible:left"]),
        (LIMITS.area_mm2[1] + 0.1, ["size-implausible:left"]),
    ],
)
def test_size_implausible(area_mm2, flags):
    assert _check(replace(GOOD, area_mm2=area_mm2, lean_area_mm2=0.9 * area_mm2)) == flags


@pytest.mark.parametrize(
    ("mean_hu", "flags"),
    [
        (LIMITS.mean_hu[0], []),
        (LIMITS.mean_hu[1], []),
        (LIMITS.mean_hu[0] - 0.1, ["density-implausible:left"]),
        (LIMITS.mean_hu[1] + 0.1, ["density-implausible:left"]),
        (float("nan"), ["density-implausible:left"]),
    ],
)
def test_density_implausible(mean_hu, flags):
    assert _check(replace(GOOD, mean_hu=mean_hu)) == flags


@pytest.mark.parametrize(
    ("fat_share", "flags"),
    [(0.40, []), (0.449, []), (0.451, ["muscle-fatty:left"]), (1.0, ["muscle-fatty:left"])],
)
def test_muscle_fatty(fat_share, flags):
    assert _check(replace(GOOD, lean_area_mm2=(1 - fat_share) * GOOD.area_mm2)) == flags


def test_a_muscle_without_area_is_flagged_and_not_divided_by():
    flags = _check(replace(GOOD, area_mm2=0.0, lean_area_mm2=0.0))
    assert flags == ["size-implausible:left", "muscle-fatty:left"]


JUST = 3000 * (1 - LIMITS.max_jump_share)


@pytest.mark.parametrize(
    ("areas", "flags"),
    [
        ((3000, JUST, 3000), []),
        ((3000, JUST - 1, 3000), ["slices-disagree:left"]),
        ((JUST, 3000, JUST), []),
        ((JUST - 1, 3000, JUST - 1), ["slices-disagree:left"]),
        ((2600, 3000, 3400), []),  # a slope is no jump
        ((3000, 0, 3000), ["slices-disagree:left"]),
        ((0, 0, 0), []),
        ((1500, 3000), []),  # the level is the last slice: no neighbour on one side
    ],
)
def test_slices_disagree(areas, flags):
    profile = _profile(left=areas)
    assert _check(profile=profile) == flags


def test_only_the_measured_slice_is_held_against_its_neighbours():
    assert _check(profile=_profile(left=(3000, 1000, 3000, 3000, 3000, 900, 3000))) == []


def test_the_order_of_the_profile_does_not_matter():
    profile = _profile(left=(3000, 2000, 3000))
    assert _check(profile=profile) == _check(profile=profile[::-1]) == ["slices-disagree:left"]


def _two_sides(difference):
    """Areas with the mean 3000 mm² and a difference given as a share of it."""
    left, right = 3000 * (1 + difference / 2), 3000 * (1 - difference / 2)
    return _profile(left=[left] * 3, right=[right] * 3)


@pytest.mark.parametrize("sign", [1, -1])
def test_sides_differ(sign):
    limit = LIMITS.max_side_difference_share
    assert _check(profile=_two_sides(sign * (limit - TINY))) == []
    assert _check(profile=_two_sides(sign * (limit + TINY))) == ["sides-differ"]


def test_sides_are_compared_over_the_whole_profile():
    assert _check(profile=_profile(left=(3000, 3000, 3000), right=(1800, 2400, 3000))) == []


def test_a_flag_names_its_figures():
    (flag,) = check_outline(MuscleResult("maximus", "left", replace(GOOD, mean_hu=-80.4)), ())
    assert flag.message == "mean -80 HU"
    assert flag.severity == "review"


@pytest.mark.parametrize(
    ("other_area_mm2", "differs_at", "words"),
    [
        (3270.0, "lateral end", "; a second method outlines 9 % more, mostly at the lateral end"),
        (2400.0, "", "; a second method outlines 20 % less"),
        (None, "", ""),
    ],
)
def test_an_uncertain_outline_says_what_differs_and_where(other_area_mm2, differs_at, words):
    record = MuscleResult(
        "maximus",
        "left",
        GOOD,
        error_bound_percent=18.2,
        other_area_mm2=other_area_mm2,
        differs_at=differs_at,
    )
    (flag,) = check_outline(record, ())
    assert flag.severity == "review"
    assert flag.message == "the area may be off by 18 % (90 % bound)" + words


def test_the_limits_are_those_that_were_chosen():
    """Their figures, not their names: a limit that moves changes who is looked at."""
    assert _check(bounds={"left": 16.1, "right": 15.9}) == ["outline-uncertain:left"]
    assert _check(profile=_profile(left=(3000, 2630, 3000), right=(3000, 2650, 3000))) == [
        "slices-disagree:left"
    ]
    assert _check(profile=_two_sides(0.31)) == ["sides-differ"]
    for area_mm2, flags in (
        (699, ["size-implausible:left"]),
        (701, []),
        (8999, []),
        (9001, ["size-implausible:left"]),
    ):
        assert _check(replace(GOOD, area_mm2=area_mm2, lean_area_mm2=0.9 * area_mm2)) == flags
    for mean_hu, flags in (
        (-61, ["density-implausible:left"]),
        (-59, []),
        (109, []),
        (111, ["density-implausible:left"]),
    ):
        assert _check(replace(GOOD, mean_hu=mean_hu)) == flags


def test_sides_at_the_limit_do_not_differ():
    assert _check(profile=_profile(left=[2300] * 3, right=[1700] * 3)) == []  # 600 of 2000, exactly


def test_a_long_plane_inside_the_medius_is_named():
    record = MuscleResult(
        "maximus",
        "left",
        GOOD,
        error_bound_percent=37.3,
        uncertainty_measures={"plane_inside_medius_mm": 48.27},
    )
    (flag,) = check_error_bound(record)
    assert flag.message.endswith("; a fat plane of 48 mm inside the gluteus medius may be its border")
    (flag,) = check_error_bound(replace(record, uncertainty_measures={"plane_inside_medius_mm": 40.0}))
    assert "plane" not in flag.message
