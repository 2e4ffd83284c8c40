"""Which slice a rule means, and what is doubted, on hips that are given: nothing is looked for."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg.anatomy import Anatomy, Hips, Sphere, find_level
from glutseg.anatomy import level as rules
from glutseg.anatomy.level import hip_flags
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.protocol import LevelRule

GRID = Geometry((60, 8, 8), (3.0, 40.0, 40.0), (-160.0, -160.0, -100.0))
"""Slices from z = -100 to 77 mm."""
HIPS = Hips(Sphere((85.0, 0.0, 4.0), 24.0, 0.2), Sphere((-85.0, 0.0, 0.0), 24.0, 0.2), 1.2)


def anatomy_of(hips=HIPS, grid=GRID, copy=None):
    return Anatomy(CtImage(np.zeros(grid.shape, np.int16), grid), hips, copy)


def raised(side, mm, hips=HIPS):
    """The hips with one of them moved up."""
    head = getattr(hips, side)
    x, y, z = head.centre_mm
    return replace(hips, **{side: replace(head, centre_mm=(x, y, z + mm))})


def said(anatomy, rule):
    return [str(flag) for flag in find_level(anatomy, rule).flags]


@pytest.fixture
def found(monkeypatch):
    """What the search for the sacroiliac joint's end finds, by side."""
    points = {"left": (40.0, 50.0, 60.0), "right": (-40.0, 50.0, 52.0)}

    def search(bone):
        return points["left" if bone.head is HIPS.left or bone.head.centre_mm[0] > 0 else "right"]

    monkeypatch.setitem(rules.SEARCHES, "si-joint-end", search)
    return points


def test_the_top_lies_half_a_slice_below_the_balls():
    level = find_level(anatomy_of(), LevelRule())
    assert level.landmarks_mm["femoral-head-top-left"] == (85.0, 0.0, 26.5)
    assert level.landmarks_mm["femoral-head-top-right"] == (-85.0, 0.0, 22.5)
    assert level.landmarks_mm["femoral-head-centre-left"] == HIPS.left.centre_mm
    assert (level.slice_index, level.z_mm, level.flags) == (42, 26.0, ())  # 24.5 mm lies half-way; even


@pytest.mark.parametrize(("offset_mm", "z_mm"), [(0.0, 2.0), (30.0, 32.0), (-29.0, -28.0)])
def test_the_centres_are_averaged_and_moved(offset_mm, z_mm):
    level = find_level(anatomy_of(), LevelRule(landmark="femoral-head-centre", offset_mm=offset_mm))
    assert level.z_mm == z_mm
    assert level.name == "femoral-head-centre"


def test_a_search_is_averaged_over_both_sides(found):
    level = find_level(anatomy_of(), LevelRule(landmark="si-joint-end"))
    assert level.landmarks_mm["si-joint-end-left"] == found["left"]
    assert (level.z_mm, level.flags) == (56.0, ())


def test_one_side_is_used_alone_and_told(found):
    found["right"] = None
    level = find_level(anatomy_of(), LevelRule(landmark="si-joint-end"))
    assert (level.z_mm, [str(f) for f in level.flags]) == (59.0, ["level-one-sided:left"])
    found["left"] = None
    with pytest.raises(GlutsegError, match="landmark-not-found"):
        find_level(anatomy_of(), LevelRule(landmark="si-joint-end"))


def test_an_assumed_side_is_not_searched(found):
    hips = replace(HIPS, assumed="left")
    level = find_level(anatomy_of(hips), LevelRule(landmark="si-joint-end"))
    assert "si-joint-end-left" not in level.landmarks_mm
    assert [str(f) for f in hip_flags(anatomy_of(hips))] == ["hip-assumed:left"]
    assert [str(f) for f in level.flags] == ["level-one-sided:right"]


@pytest.mark.parametrize(
    ("left_z_mm", "flags"),
    [(76.0, []), (76.1, ["level-uncertain"]), (36.0, []), (35.9, ["level-uncertain"])],
)
def test_sides_that_disagree_by_more_than_the_hips_do(found, left_z_mm, flags):
    """The left hip lies 4 mm above the right one: 24 mm above and 16 mm below are 20 mm from that."""
    found["left"] = (40.0, 50.0, left_z_mm)
    assert said(anatomy_of(), LevelRule(landmark="si-joint-end")) == flags


def test_the_doubt_names_its_figures(found):
    found["left"] = (40.0, 50.0, 30.0)
    (flag,) = find_level(anatomy_of(), LevelRule(landmark="si-joint-end")).flags
    assert flag.message == "si-joint-end: left lies -22 mm above right, the hips +4 mm"


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("mm", "is_told"), [(12.0, False), (12.1, True)])
def test_a_tilt_is_told_from_twelve_millimetres_on(side, mm, is_told):
    level_hips = raised("left", -4.0)
    flags = hip_flags(anatomy_of(raised(side, mm, level_hips)))
    assert [f.code for f in flags] == ["pelvis-tilted"] * is_told
    if is_told:
        assert f"{'+' if side == 'left' else '-'}12 mm" in flags[0].message


def test_a_mirrored_hip_has_no_tilt_of_its_own():
    hips = replace(raised("left", 40.0), assumed="right")
    assert [str(f) for f in hip_flags(anatomy_of(hips))] == ["hip-assumed:right"]


@pytest.mark.parametrize(("fit", "codes"), [(0.9, []), (0.899, ["hips-uncertain"])])
def test_hips_that_fit_badly_are_doubted(fit, codes):
    assert [f.code for f in hip_flags(anatomy_of(replace(HIPS, fit=fit)))] == codes


@pytest.mark.parametrize(("lowest_mm", "codes"), [(-27.0, []), (-26.0, ["hips-uncertain"])])
def test_hips_without_their_necks_are_doubted(lowest_mm, codes):
    grid = replace(GRID, origin_mm=(-160.0, -160.0, lowest_mm))
    flags = hip_flags(anatomy_of(grid=grid))
    assert [f.code for f in flags] == codes
    assert all("begins 26 mm below" in f.message for f in flags)


@pytest.mark.parametrize(("slice_index", "is_there"), [(0, True), (59, True), (60, False)])
def test_a_slice_by_hand(slice_index, is_there):
    rule = LevelRule(landmark="slice", slice_index=slice_index)
    if is_there:
        level = find_level(anatomy_of(), rule)
        assert (level.slice_index, level.z_mm) == (slice_index, -100.0 + 3 * slice_index)
    else:
        with pytest.raises(GlutsegError, match=r"level-outside: slice 60 of 60"):
            find_level(anatomy_of(), rule)


@pytest.mark.parametrize(("z_mm", "slice_index"), [(-101.4, 0), (78.4, 59), (-101.6, None), (78.6, None)])
def test_a_height_by_hand_belongs_to_the_nearest_slice(z_mm, slice_index):
    rule = LevelRule(landmark="z", z_mm=z_mm)
    if slice_index is None:
        with pytest.raises(GlutsegError, match="the series covers -100 to 77 mm"):
            find_level(anatomy_of(), rule)
    else:
        assert find_level(anatomy_of(), rule).slice_index == slice_index


def test_oblique_slices_are_chosen_where_they_pass_the_landmark():
    """Heads 80 mm in front of the middle of slices that rise to the back by one in ten."""
    rise = 0.1
    norm = float(np.hypot(1, rise))
    direction = (1.0, 0.0, 0.0, 0.0, 1 / norm, -rise / norm, 0.0, rise / norm, 1 / norm)
    grid = replace(GRID, direction=direction)
    hips = Hips(*(Sphere((x, -80.0, 0.0), 24.0, 0.2) for x in (85.0, -85.0)), score=1.2)
    copy = CtImage(np.zeros(GRID.shape, np.int16), GRID)
    rule = LevelRule(landmark="femoral-head-centre")
    k = find_level(anatomy_of(hips, grid, copy), rule).slice_index
    assert k == round(np.mean([grid.index(head.centre_mm)[0] for head in (hips.left, hips.right)]))
    assert k != find_level(anatomy_of(hips, grid), rule).slice_index
    by_hand = LevelRule(landmark="slice", slice_index=7)
    assert find_level(anatomy_of(hips, grid, copy), by_hand).slice_index == 7
