"""What of an automatic result stays when a person draws or moves something; blocks for muscles."""

from dataclasses import replace

import numpy as np
import pytest

from glutseg import dicom
from glutseg.errors import Flag, GlutsegError
from glutseg.image import SIDES, Mask
from glutseg.result import Level
from glutseg.review.remeasure import MEASURED_ANEW, dice, level_at, remeasure
from made_run import GRID, LEVEL_SLICE, PROTOCOL, MadeCase, labels_of, result_of, volume_of

LABELS = labels_of(MadeCase("P"))
MASK = Mask(LABELS, GRID)
LOADED = dicom.LoadedSeries(volume_of(LABELS), (), ("1.2",) * GRID.shape[0])
AUTOMATIC = result_of(MadeCase("P"), LOADED.volume, MASK)


def again(mask=MASK, k=LEVEL_SLICE, automatic=AUTOMATIC, loaded=LOADED, before=MASK):
    return remeasure(automatic, before, loaded, mask, k, PROTOCOL)


def flagged(*flags):
    return replace(AUTOMATIC, flags=tuple(Flag(code, "as it was", side) for code, side in flags))


def drawn(side="left", slice_index=LEVEL_SLICE, n_pixels=5):
    """The mask with some more pixels beside the muscle."""
    labels = LABELS.copy()
    labels[slice_index, 19, 35 : 35 + n_pixels] = 1
    if side == "right":
        labels = np.where(labels == 1, LABELS, labels)
        labels[slice_index, 19, 15 : 15 + n_pixels] = 2
    return Mask(labels.astype(np.uint8), GRID)


def test_nothing_changed_is_nothing_changed():
    found = again()
    assert found.result.measurements == AUTOMATIC.measurements
    assert found.result.confidence == {"left": 0.95, "right": 0.9}
    for side, change in found.changes.items():
        assert (change.dice, change.dice_whole, change.difference_mm2) == (1.0, 1.0, 0.0), side
        assert change.area_mm2 == AUTOMATIC.measurements[side].area_mm2


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
@pytest.mark.parametrize("slice_index", [1, LEVEL_SLICE, 5])
def test_a_drawn_side_loses_its_confidence_and_the_other_keeps_it(side, other, slice_index):
    found = again(drawn(side, slice_index))
    assert set(found.result.confidence) == {other}
    n = np.count_nonzero(SIDES[side] == LABELS)
    assert found.changes[side].dice_whole == pytest.approx(2 * n / (2 * n + 5))
    assert found.changes[other].dice_whole == 1.0
    assert (found.changes[side].dice < 1) == (slice_index == LEVEL_SLICE)
    assert found.changes[side].difference_mm2 == (15.0 if slice_index == LEVEL_SLICE else 0.0)


def test_doubts_of_an_outline_go_with_it():
    automatic = flagged(("outline-uncertain", "left"), ("edge-support-low", "right"), ("pelvis-tilted", ""))
    codes = [
        str(f) for f in again(drawn("left"), automatic=automatic).result.flags if f.message == "as it was"
    ]
    assert codes == ["edge-support-low:right", "pelvis-tilted"]


def test_doubts_of_the_level_go_with_it():
    automatic = flagged(("level-one-sided", "left"), ("level-moved", ""), ("pelvis-tilted", ""))
    stay = again(automatic=automatic).result
    assert [f.code for f in stay.flags if f.message == "as it was"] == [
        "level-one-sided",
        "level-moved",
        "pelvis-tilted",
    ]
    moved = again(k=LEVEL_SLICE + 1, automatic=automatic).result
    assert [f.code for f in moved.flags if f.message == "as it was"] == ["pelvis-tilted"]
    assert moved.confidence == {}


def test_what_is_measured_anew_is_never_kept():
    automatic = flagged(
        *((code, "left") for code in sorted(MEASURED_ANEW)), ("medius-minimus-uncertain", "left")
    )
    assert not [f for f in again(automatic=automatic).result.flags if f.message == "as it was"]


def test_a_failed_case_is_measured_as_any_other():
    failed = result_of(MadeCase("P", status="failed", error=("hips-not-found", "none")), LOADED.volume, MASK)
    found = again(automatic=replace(failed, slab_mm=15.0), before=None)
    assert (found.result.status, found.result.error_code, found.result.error_message) == ("ok", "", "")
    assert found.result.level == Level("slice", LEVEL_SLICE, GRID.slice_z_mm(LEVEL_SLICE))
    assert found.result.measurements == AUTOMATIC.measurements
    assert all(
        np.isnan(change.dice) and np.isnan(change.area_automatic_mm2) for change in found.changes.values()
    )
    assert tuple(p for p in found.result.profile if 1 <= p.slice_index <= 5) == AUTOMATIC.profile


@pytest.mark.parametrize("k", [0, LEVEL_SLICE, 6])
def test_a_level_is_the_automatic_one_or_by_hand(k):
    level = level_at(AUTOMATIC, LOADED, k)
    if k == LEVEL_SLICE:
        assert level is AUTOMATIC.level
    else:
        assert (level.name, level.slice_index, level.z_mm) == ("slice", k, GRID.slice_z_mm(k))


@pytest.mark.parametrize("k", [-1, 7])
def test_a_level_beyond_the_series(k):
    with pytest.raises(GlutsegError, match="the series has 0 to 6"):
        level_at(AUTOMATIC, LOADED, k)


def test_slices_without_an_image_are_neither_a_level_nor_measured():
    gapped = replace(LOADED, missing=(4,))
    with pytest.raises(GlutsegError, match="level-in-gap"):
        level_at(AUTOMATIC, gapped, 4)
    found = again(loaded=gapped).result
    assert 4 not in {p.slice_index for p in found.profile}
    assert "profile-incomplete" in [f.code for f in found.flags]


def test_nothing_on_the_slice_or_another_grid_is_an_error():
    with pytest.raises(GlutsegError, match="muscle-not-found"):
        again(Mask(np.zeros_like(LABELS), GRID))
    elsewhere = replace(GRID, origin_mm=(0.0, 0.0, 0.0))
    with pytest.raises(GlutsegError, match="geometry-mismatch"):
        again(Mask(LABELS, elsewhere))


def test_dice_by_hand():
    a, b = np.zeros((2, 10), bool)
    assert np.isnan(dice(a, b))
    a[:4] = True
    assert np.isnan(dice(a, b))
    assert np.isnan(dice(b, a))
    b[2:8] = True
    assert dice(a, b) == dice(b, a) == pytest.approx(0.4)
    assert dice(a, a) == 1.0


def test_the_other_muscles_keep_their_confidence_until_they_are_drawn():
    labels = LABELS.copy()
    labels[LEVEL_SLICE, 5:9, 40:44] = 3  # the left gluteus medius
    sure = {"medius": {"left": 0.9, "right": 0.8}, "minimus": {"left": 0.7}}
    automatic, before = replace(AUTOMATIC, other_confidence=sure), Mask(labels, GRID)
    assert again(before, automatic=automatic, before=before).result.other_confidence == sure
    found = again(automatic=automatic, before=before).result  # the medius wiped out
    assert found.other_confidence == {"medius": {"right": 0.8}, "minimus": {"left": 0.7}}
    assert found.confidence == AUTOMATIC.confidence
