"""What of an automatic result stays when a person draws or moves something; blocks for muscles."""

from dataclasses import fields, replace

import numpy as np
import pytest

from glutseg.errors import Flag, GlutsegError
from glutseg.image import LABELS as LABEL_VALUES
from glutseg.image import SIDES, Mask
from glutseg.protocol import with_extent
from glutseg.result import Level, MuscleResult
from glutseg.review.remeasure import dice, level_at, remeasure
from glutseg.segmentation.evidence import Evidence
from made_run import GRID, LEVEL_SLICE, PROTOCOL, MadeCase, labels_of, result_of, volume_of

MASK = Mask.from_array(labels_of(MadeCase("P")), GRID)
LABELS = MASK.labels
IMAGE = volume_of(labels_of(MadeCase("P")))
AUTOMATIC = result_of(MadeCase("P"), IMAGE, MASK)
ALL_MUSCLES = with_extent(PROTOCOL, muscles=True)
MEASURES = {f.name: 0.25 for f in fields(Evidence) if f.name != "muscle"}


def again(mask=MASK, slice_index=LEVEL_SLICE, automatic=AUTOMATIC, image=IMAGE, before=MASK):
    return remeasure(automatic, before, image, mask, slice_index, PROTOCOL)


def bounds(result, muscle="maximus"):
    """In percent, of the sides where they are known."""
    known = {m.side: m.error_bound_percent for m in result.muscles if m.muscle == muscle}
    return {side: bound for side, bound in known.items() if bound is not None}


def as_it_was(*codes):
    return tuple(Flag(code, "as it was") for code in codes)


def kept(result):
    """Codes of the flags that were there before."""
    return [flag.code for flag in result.all_flags if flag.message == "as it was"]


def drawn(side="left", slice_index=LEVEL_SLICE, n_pixels=5):
    """The mask with some more pixels beside the muscle."""
    labels = LABELS.copy()
    labels[slice_index, 19, 35 : 35 + n_pixels] = 1
    if side == "right":
        labels = np.where(labels == 1, LABELS, labels)
        labels[slice_index, 19, 15 : 15 + n_pixels] = 2
    return Mask.on(IMAGE, labels.astype(np.uint8))


def test_nothing_changed_is_nothing_changed():
    found = again()
    assert all(found.result.measurement(side) == AUTOMATIC.measurement(side) for side in SIDES)
    assert bounds(found.result) == {"left": 4.0, "right": 6.0}
    for side, change in found.changes.items():
        assert (change.dice, change.dice_all_slices, change.difference_mm2) == (1.0, 1.0, 0.0), side
        assert change.area_mm2 == AUTOMATIC.area_mm2(side)


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
@pytest.mark.parametrize("slice_index", [1, LEVEL_SLICE, 5])
def test_a_drawn_side_loses_its_expected_error_and_the_other_keeps_it(side, other, slice_index):
    found = again(drawn(side, slice_index))
    assert set(bounds(found.result)) == {other}
    n = np.count_nonzero(SIDES[side] == LABELS)
    assert found.changes[side].dice_all_slices == pytest.approx(2 * n / (2 * n + 5))
    assert found.changes[other].dice_all_slices == 1.0
    assert (found.changes[side].dice < 1) == (slice_index == LEVEL_SLICE)
    assert found.changes[side].difference_mm2 == (15.0 if slice_index == LEVEL_SLICE else 0.0)


def test_flags_of_an_outline_go_with_it():
    uncertain = tuple(
        replace(
            m,
            error_bound_percent=30.0,
            agreement=0.7,
            other_area_mm2=m.measurement.area_mm2 * 1.2,
            differs_at="deep border",
            edge_support=0.1,
            uncertainty_measures=MEASURES,
        )
        for m in AUTOMATIC.muscles
    )
    automatic = replace(AUTOMATIC, muscles=uncertain, flags=as_it_was("pelvis-tilted"))

    def of_outlines(result):
        return [str(f) for f in result.all_flags if f.code == "outline-uncertain"]

    untouched = again(automatic=automatic).result
    assert of_outlines(untouched) == ["outline-uncertain:left", "outline-uncertain:right"]
    assert [replace(m, flags=()) for m in untouched.muscles] == list(uncertain)
    corrected = again(drawn("left"), automatic=automatic).result
    assert of_outlines(corrected) == ["outline-uncertain:right"]
    left = corrected.muscle("left")
    assert replace(left, flags=()) == MuscleResult("maximus", "left", left.measurement)
    assert kept(corrected) == ["pelvis-tilted"]


def test_flags_of_the_level_go_with_it():
    level = replace(AUTOMATIC.level, flags=as_it_was("level-one-sided", "level-moved"))
    automatic = replace(AUTOMATIC, level=level, flags=as_it_was("pelvis-tilted"))
    stay = again(automatic=automatic).result
    assert kept(stay) == ["pelvis-tilted", "level-one-sided", "level-moved"]
    moved = again(slice_index=LEVEL_SLICE + 1, automatic=automatic).result
    assert kept(moved) == ["pelvis-tilted"]
    assert bounds(moved) == {}


def test_flags_of_the_measurement_are_made_anew():
    flagged = tuple(replace(m, flags=as_it_was("size-implausible", "metal")) for m in AUTOMATIC.muscles)
    automatic = replace(AUTOMATIC, muscles=flagged, measurement_flags=as_it_was("sides-differ"))
    assert kept(automatic) == ["sides-differ", "size-implausible", "metal"]
    assert kept(again(automatic=automatic).result) == []


def test_a_failed_case_is_measured_as_any_other():
    failed = result_of(MadeCase("P", status="failed", error=("hips-not-found", "none")), IMAGE, MASK)
    found = again(automatic=replace(failed, profile_mm=15.0), before=None)
    assert (found.result.status, found.result.error_code, found.result.error_message) == ("ok", "", "")
    assert found.result.level == Level("slice", LEVEL_SLICE, IMAGE.geometry.slice_z_mm(LEVEL_SLICE))
    assert all(found.result.measurement(side) == AUTOMATIC.measurement(side) for side in SIDES)
    assert all(
        np.isnan(change.dice) and np.isnan(change.area_automatic_mm2) for change in found.changes.values()
    )
    assert tuple(p for p in found.result.profile if 1 <= p.slice_index <= 5) == AUTOMATIC.profile


@pytest.mark.parametrize("slice_index", [0, LEVEL_SLICE, 6])
def test_a_level_is_the_automatic_one_or_by_hand(slice_index):
    level = level_at(AUTOMATIC, IMAGE, slice_index)
    if slice_index == LEVEL_SLICE:
        assert level is AUTOMATIC.level
    else:
        stored = GRID.shape[0] - 1 - slice_index  # the files run from the head to the feet
        z_mm = pytest.approx(GRID.slice_z_mm(stored))
        assert (level.name, level.slice_index, level.z_mm) == ("slice", slice_index, z_mm)


@pytest.mark.parametrize("slice_index", [-1, 7])
def test_a_level_beyond_the_series(slice_index):
    with pytest.raises(GlutsegError, match="the series has slices 0 to 6"):
        level_at(AUTOMATIC, IMAGE, slice_index)


def test_slices_without_an_image_are_neither_a_level_nor_measured():
    gapped = replace(IMAGE, missing_slices=frozenset({4}))
    with pytest.raises(GlutsegError, match="level-in-gap"):
        level_at(AUTOMATIC, gapped, 4)
    found = again(image=gapped).result
    assert 4 not in {p.slice_index for p in found.profile}
    assert "profile-incomplete" in [f.code for f in found.all_flags]


def test_nothing_on_the_slice_or_another_grid_is_an_error():
    with pytest.raises(GlutsegError, match="muscle-not-found"):
        again(Mask.on(IMAGE, np.zeros_like(LABELS)))
    elsewhere = replace(GRID, origin_mm=(0.0, 0.0, 0.0))
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        again(Mask.from_array(LABELS, elsewhere))


def test_dice_by_hand():
    a, b = np.zeros((2, 10), bool)
    assert np.isnan(dice(a, b))
    a[:4] = True
    assert np.isnan(dice(a, b))
    assert np.isnan(dice(b, a))
    b[2:8] = True
    assert dice(a, b) == dice(b, a) == pytest.approx(0.4)
    assert dice(a, a) == 1.0


def test_the_other_muscles_keep_their_expected_error_until_they_are_drawn():
    labels = LABELS.copy()
    labels[LEVEL_SLICE, 5:9, 40:44] = LABEL_VALUES["medius"]["left"]
    labels[LEVEL_SLICE, 12:16, 40:44] = LABEL_VALUES["minimus"]["left"]
    before = Mask.on(IMAGE, labels)
    known = {("medius", "left"): 7.0, ("minimus", "left"): 9.0}
    others = tuple(MuscleResult(muscle, side, error_bound_percent=b) for (muscle, side), b in known.items())
    automatic = replace(AUTOMATIC, muscles=AUTOMATIC.muscles + others)

    def remeasured(mask):
        found = remeasure(automatic, before, IMAGE, mask, LEVEL_SLICE, ALL_MUSCLES).result
        assert bounds(found) == bounds(AUTOMATIC)
        return bounds(found, "medius"), bounds(found, "minimus")

    assert remeasured(before) == ({"left": 7.0}, {"left": 9.0})
    wiped = np.where(labels == LABEL_VALUES["medius"]["left"], 0, labels).astype(np.uint8)
    assert remeasured(Mask.on(IMAGE, wiped)) == ({}, {"left": 9.0})
