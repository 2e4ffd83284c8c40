"""The measured slice: every named level, by hand, at the series' ends, and the doubts."""

from dataclasses import replace

import numpy as np
import pytest
from anatomy_scans import ball, between, filled, merged

import glutseg
from glutseg.anatomy import Anatomy, Hips, Sphere, find_anatomy, find_level, hip_flags
from glutseg.anatomy.landmarks import SEARCHES
from glutseg.errors import GlutsegError
from glutseg.image import CtImage
from glutseg.protocol import LevelRule

NAMES = ["femoral-head-top", "femoral-head-centre", *SEARCHES]


@pytest.fixture(scope="module")
def anatomy(pelvis):
    return find_anatomy(pelvis.volume)


def _true_z_mm(phantom, name):
    return sum(phantom.true_landmarks_mm[f"{name}:{side}"][2] for side in ("left", "right")) / 2


@pytest.mark.parametrize("name", NAMES)
def test_every_named_level_is_within_a_slice_or_so(pelvis, anatomy, name):
    level = find_level(anatomy, LevelRule(landmark=name))
    assert level.z_mm == pytest.approx(_true_z_mm(pelvis, name), abs=4.5)
    assert level.z_mm == pytest.approx(pelvis.volume.geometry.slice_z_mm(level.slice_index))
    assert {f"{name}-left", f"{name}-right"} <= set(level.landmarks_mm)
    assert level.flags == ()


@pytest.mark.parametrize("n", [1, 2])
def test_the_top_is_the_highest_slice_that_shows_the_head(pelvis, n):
    """Its middle lies up to one slice below the ball's geometric top, half a slice on average."""
    volume = merged(pelvis.volume, n)
    level = find_level(find_anatomy(volume), LevelRule())
    dz = volume.geometry.spacing_mm[0]
    below_mm = _true_z_mm(pelvis, "femoral-head-top") - level.z_mm
    assert below_mm == pytest.approx(dz / 2, abs=dz / 2 + 1)


def test_an_offset_moves_the_level(anatomy):
    level, higher = (find_level(anatomy, LevelRule(offset_mm=mm)) for mm in (0, 30))
    assert higher.z_mm - level.z_mm == pytest.approx(30)


def test_levels_by_hand(anatomy):
    geometry = anatomy.volume.geometry
    assert find_level(anatomy, LevelRule(landmark="slice", slice_index=4)).slice_index == 4
    z_mm = geometry.slice_z_mm(9) + 1
    assert find_level(anatomy, LevelRule(landmark="z", z_mm=z_mm)).slice_index == 9


@pytest.mark.parametrize(
    "rule",
    [
        LevelRule(landmark="slice", slice_index=5000),
        LevelRule(landmark="z", z_mm=-900),
        LevelRule(offset_mm=-100, landmark="ischial-tuberosity-tip"),
    ],
)
def test_a_level_beyond_the_series_is_an_error(anatomy, rule):
    with pytest.raises(GlutsegError) as caught:
        find_level(anatomy, rule)
    assert caught.value.code == "level-outside"


def test_a_series_that_ends_below_the_tops_is_never_measured_on_its_last_slice(pelvis, anatomy):
    short = between(pelvis.volume, None, anatomy.hips.top_mm - 9)
    with pytest.raises(GlutsegError) as caught:
        find_level(Anatomy(short, anatomy.hips), LevelRule())
    assert caught.value.code == "level-outside"
    with pytest.raises(GlutsegError) as caught:
        find_level(find_anatomy(short), LevelRule())
    assert caught.value.code in ("level-outside", "hips-not-found")


def test_a_level_between_the_parts_of_a_series_lies_in_a_gap(pelvis, anatomy):
    top_mm = anatomy.hips.top_mm
    part = replace(between(pelvis.volume, None, top_mm - 9), gaps_mm=((top_mm - 9, top_mm + 15),))
    with pytest.raises(
        GlutsegError, match=r"the level lies at z = .*, no image shows what lies between"
    ) as caught:
        find_level(Anatomy(part, anatomy.hips), LevelRule())
    assert caught.value.code == "level-in-gap"
    with pytest.raises(GlutsegError) as caught:  # beyond the gap, or at the other end
        find_level(Anatomy(part, anatomy.hips), LevelRule(offset_mm=40))
    assert caught.value.code == "level-outside"


def test_hips_that_are_not_found_may_lie_where_images_are_missing(pelvis, anatomy):
    top_mm = anatomy.hips.top_mm
    part = replace(between(pelvis.volume, top_mm + 40, None), gaps_mm=((top_mm - 60, top_mm + 40),))
    gap = rf"no image shows what lies between z = {top_mm - 60:.0f} and {top_mm + 40:.0f} mm"
    with pytest.raises(GlutsegError, match=rf"hips-not-found: .*; {gap}"):
        find_anatomy(part)
    heights = [part.geometry.slice_z_mm(k) for k in (1, 4)]
    with pytest.raises(GlutsegError, match=rf"between z = {heights[0]:.0f} and {heights[1]:.0f} mm"):
        find_anatomy(replace(part, missing_slices=frozenset((2, 3)), gaps_mm=()))


@pytest.mark.parametrize("above_centre_mm", [0, 8, 14, 20, 30, 45])
def test_a_series_that_begins_in_the_heads_or_above_is_refused_or_flagged(pelvis, anatomy, above_centre_mm):
    """The sockets' roofs look like heads when the heads themselves are cut away."""
    short = between(pelvis.volume, above_centre_mm, None)
    try:
        found = find_anatomy(short)
        said = [flag.code for flag in (*hip_flags(found), *find_level(found, LevelRule()).flags)]
    except GlutsegError as error:
        said = [error.code]
    assert set(said) & {"hips-not-found", "level-outside", "hips-uncertain"}


@pytest.mark.parametrize(
    ("name", "low_mm", "high_mm"),
    [("si-joint-end", None, 45), ("ischial-tuberosity-tip", -30, None), ("greater-trochanter-tip", 5, None)],
)
def test_a_landmark_cut_off_by_the_series_is_not_found(pelvis, anatomy, name, low_mm, high_mm):
    short = Anatomy(between(pelvis.volume, low_mm, high_mm), anatomy.hips)
    with pytest.raises(GlutsegError) as caught:
        find_level(short, LevelRule(landmark=name))
    assert caught.value.code == "landmark-not-found"


def test_one_missing_head_is_flagged_and_not_averaged(pelvis):
    truth = pelvis.true_landmarks_mm
    inside = ball(pelvis.volume.geometry, truth["femoral-head-centre:left"], 28.0)
    found = find_anatomy(filled(pelvis.volume, inside, 50))
    level = find_level(found, LevelRule())
    assert level.z_mm == pytest.approx(truth["femoral-head-top:right"][2], abs=4.5)
    assert [str(flag) for flag in hip_flags(found)] == ["hip-assumed:left"]
    assert [str(flag) for flag in level.flags] == ["level-one-sided:right"]
    assert "femoral-head-top-left" not in level.landmarks_mm


def test_a_tilted_pelvis_is_flagged(anatomy):
    left = anatomy.hips.left
    x, y, z = left.centre_mm
    raised = Sphere((x, y, z + 15), left.radius_mm, left.score)
    tilted = Anatomy(anatomy.volume, replace(anatomy.hips, left=raised))
    assert [flag.code for flag in hip_flags(tilted)] == ["pelvis-tilted"]


@pytest.mark.parametrize("level", ["femoral-head-top", "slice=30"])
@pytest.mark.parametrize(
    ("change", "code"), [({"assumed": "left"}, "hip-assumed:left"), ({"fit": 0.85}, "hips-uncertain")]
)
def test_uncertain_hips_are_flagged_at_every_level(anatomy, monkeypatch, level, change, code):
    uncertain = Anatomy(anatomy.volume, replace(anatomy.hips, **change))
    for found, is_flagged in ((uncertain, True), (anatomy, False)):
        monkeypatch.setattr("glutseg.anatomy.find_anatomy", lambda *_, found=found: found)
        flags = [str(flag) for flag in glutseg.find_level(anatomy.volume, level).flags]
        assert (code in flags) == is_flagged


def test_a_roof_of_soft_bone_is_found_next_to_the_head(pelvis, anatomy):
    """As in the old, whose spongy bone is hardly denser than muscle with contrast."""
    soft = CtImage(np.minimum(pelvis.volume.hu, np.int16(170)), pelvis.volume.geometry)
    level = find_level(Anatomy(soft, anatomy.hips), LevelRule(landmark="acetabular-roof"))
    assert level.z_mm == pytest.approx(_true_z_mm(pelvis, "acetabular-roof"), abs=4.5)


def test_hips_know_their_middle():
    hips = Hips(Sphere((90, 0, 10), 24, 1), Sphere((-80, 0, 20), 22, 1), 1.0)
    assert (hips.midline_x_mm, hips.top_mm) == (5, 38)
