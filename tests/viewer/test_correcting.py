"""Correcting an outline at a real window: sides, limits, other slices, undo, questions."""

import csv
import json

import numpy as np
import pytest
from correcting_hand import sit_down

from glutseg.image import LABELS, LEFT, RIGHT

pytest.importorskip("napari")


@pytest.fixture
def hand(screen, ten):
    made = sit_down(screen, ten.out)
    yield made
    made.viewer.close()


def count(labels, label):
    return int(np.count_nonzero(labels == label))


def middle_of(labels, label):
    return tuple(int(v) for v in np.median(np.argwhere(labels == label), axis=0))


def above(labels, label, rows=3):
    """A pixel this many rows in front of a muscle's middle column."""
    x = middle_of(labels, label)[1]
    return int(np.nonzero(labels[:, x] == label)[0][0]) - rows, x


def beyond_mm(hand, label):
    """How far a label lies on the wrong side."""
    left_of_mm = hand.layers.rules.plane_on(hand.level).left_of_mm(
        hand.layers.picture.image.geometry, hand.level
    )
    on = hand.labels[hand.level] == label
    return float((-left_of_mm if label == LEFT else left_of_mm)[on].max())


def test_the_brush_paints_the_side_below_it_whatever_was_chosen(hand):
    now = hand.labels[hand.level]
    before = now.copy()
    y, x = above(before, RIGHT)
    assert hand.panel.tools.side.buttons["left"].isChecked()
    hand.tool("paint")
    hand.stroke((y, x), (y, x + 3))
    assert count(now, LEFT) == count(before, LEFT)
    assert count(now, RIGHT) > count(before, RIGHT)
    assert hand.panel.tools.side.buttons["right"].isChecked()
    y, x = above(before, LEFT)
    hand.stroke((y, x), (y, x + 3))
    assert count(now, LEFT) > count(before, LEFT)
    assert hand.panel.tools.side.buttons["left"].isChecked()


def test_a_stroke_keeps_its_side_and_ends_at_the_midline(hand):
    now = hand.labels[hand.level]
    (y, left), right = middle_of(now, LEFT), middle_of(now, RIGHT)[1]
    before = now.copy()
    hand.tool("paint")
    hand.stroke((y, left), (y, (left + right) // 2), (y, right))
    assert 0 < beyond_mm(hand, LEFT) <= 10.0
    assert count(now, LEFT) > count(before, LEFT)
    assert not ((before == RIGHT) & (now != RIGHT)).any()
    hand.press("Z", "Control")
    assert np.array_equal(now, before)
    hand.tool("erase")
    hand.stroke((y, right), (y, (left + right) // 2), (y, left))
    assert count(now, LEFT) == count(before, LEFT)
    assert count(now, RIGHT) < count(before, RIGHT)


def test_polygon_and_fill_bucket_take_the_side_as_well_and_the_muscle_stays(hand):
    now = hand.labels[hand.level]
    y, x = above(now, RIGHT, rows=6)
    hand.panel.tools.side.muscle.setCurrentText("medius")
    medius = LABELS["medius"]["right"]
    hand.tool("polygon")
    hand.polygon((y - 2, x - 3), (y - 2, x + 3), (y + 2, x + 3), (y + 2, x - 3))
    assert now[y, x] == medius
    assert hand.panel.tools.side.muscle.currentText() == "medius"
    assert set(np.unique(now)) <= {0, LEFT, RIGHT, medius}
    hand.layers.muscles.selected_label = LEFT  # by napari's own control
    assert hand.panel.tools.side.muscle.currentText() == "maximus"
    hand.tool("fill")
    hand.click(y, x)
    assert now[y, x] == RIGHT


def test_the_brush_has_no_box_that_would_stay_as_a_black_square(hand):
    assert hand.viewer.canvas.overlays._brush_circle.box is False


def test_nothing_is_painted_outside_of_the_body(hand):
    before = hand.labels.copy()
    hand.tool("paint")
    hand.stroke((1, 1), (1, 4))
    assert np.array_equal(hand.labels, before)
    assert "outside of the body" in hand.panel.message.text()
    assert not hand.layers.history.can_undo


def test_a_key_keeps_the_brush_to_the_hu_of_muscle(hand):
    picture = hand.layers.picture
    hu, now = picture.image.hu[hand.level], hand.labels[hand.level]
    before = now.copy()
    low, high = picture.tissue.muscle_hu
    x = middle_of(before, LEFT)[1]
    bottom = int(np.nonzero(before[:, x] == LEFT)[0][-1])
    hand.press("Q", "Alt")
    assert hand.panel.tools.bar.tissue_only.isChecked()
    assert f"{low} to {high} HU" in hand.panel.tools.bar.tissue_only.text()
    hand.tool("paint", brush_size=7)
    hand.stroke((bottom, x), (bottom + 2, x + 4))
    painted = hu[(now == LEFT) & (before != LEFT)]
    assert painted.size == 0 or (painted.min() >= low and painted.max() <= high)
    hand.press("Q", "Alt")
    hand.stroke((bottom, x), (bottom + 2, x + 4))
    painted = hu[(now == LEFT) & (before != LEFT)]
    assert painted.min() < low  # the subcutaneous fat below


def test_drawing_on_another_slice_is_said_at_once_and_leads_back_or_moves_the_level(hand):
    level, note = hand.level, hand.panel.off_level
    assert not note.isVisible()
    hand.layers.go_to(level + 1)
    y, x = above(hand.labels[level + 1], LEFT)
    hand.tool("paint")
    hand.click(y, x)
    assert note.isVisible()
    assert f"slice {level + 1}." in note.message.text()
    assert f"Slice {level} is measured" in note.message.text()
    hand.press("A", "Alt")
    said = hand.panel.message.text()
    assert said.startswith("Not accepted")
    assert f"changed on slice {level + 1} (slice {level} is measured)" in said
    hand.press("J", "Alt")
    assert hand.layers.slice_shown == level
    assert not note.isVisible()
    hand.press("K", "Alt")
    assert "not-measured" in [
        finding.kind for finding in hand.panel.opened.findings(hand.layers.rules.plane_on(level))
    ]
    assert f"drawn on: slice {level + 1}" in hand.panel.question.informativeText()
    hand.answer("Go back and correct")
    hand.layers.go_to(level + 1)
    hand.press("M", "Alt")
    assert hand.level == level + 1
    hand.press("A", "Alt")
    assert f"the level was moved from slice {level} to {level + 1}" in hand.panel.message.text()


def test_undo_and_redo_cover_strokes_level_and_clicks(hand):
    level, seeds = hand.level, lambda: len(hand.layers._seeds.data)
    states = [(hand.labels.copy(), hand.level, 0)]
    y, x = middle_of(hand.labels[level], LEFT)
    hand.tool("erase")
    hand.stroke((y, x), (y, x + 4))
    states.append((hand.labels.copy(), hand.level, 0))
    hand.press("I", "Alt")
    hand.click(y, x + 2)
    states.append((hand.labels.copy(), hand.level, 1))
    hand.press("O", "Alt")
    hand.click(y - 1, x - 6)
    states.append((hand.labels.copy(), hand.level, 2))
    hand.panel.level.slider.setValue(level + 1)
    states.append((hand.labels.copy(), hand.level, 2))
    assert hand.panel.tools.bar.undo.isEnabled()
    for labels, at, n_seeds in states[-2::-1]:
        hand.press("Z", "Control")
        assert np.array_equal(hand.labels, labels)
        assert (hand.level, seeds()) == (at, n_seeds)
    assert not hand.panel.tools.bar.undo.isEnabled()
    for labels, at, n_seeds in states[1:]:
        hand.press("Z", "Control", "Shift")
        assert np.array_equal(hand.labels, labels)
        assert (hand.level, seeds()) == (at, n_seeds)
    assert hand.panel.level.slider.value() == level + 1


def test_clicks_on_the_other_side_begin_anew_there(hand):
    level = hand.level
    for label, name in ((LEFT, "left"), (RIGHT, "right")):
        y, x = middle_of(hand.labels[level], label)
        hand.press("I", "Alt")
        if not hand.panel.tools.regrow.pick_inside.isChecked():
            hand.press("I", "Alt")
        hand.click(y, x)
        assert hand.panel.tools.regrow.inside == [(y, x)]
        assert hand.panel.tools.side.side == name
    assert beyond_mm(hand, LEFT) <= 0


def test_reset_to_automatic_and_back(hand):
    automatic, level = hand.labels.copy(), hand.level
    y, x = middle_of(automatic[level], RIGHT)
    hand.tool("erase", brush_size=6)
    hand.click(y, x)
    hand.panel.level.slider.setValue(level + 2)
    changed = hand.labels.copy()
    hand.press("Z", "Alt")
    assert np.array_equal(hand.labels, automatic)
    assert hand.level == level
    assert hand.panel.opened.is_automatic
    hand.press("Z", "Control")
    assert np.array_equal(hand.labels, changed)
    assert hand.level == level + 2
    hand.press("Z", "Control", "Shift")
    with hand.bot.waitSignal(hand.panel.decided, timeout=30_000):
        hand.press("A", "Alt")


def test_a_label_across_the_midline_is_asked_about_and_what_is_kept_is_recorded(hand, ten):
    case, level = hand.panel._wanted, hand.level
    y, x = middle_of(hand.labels[level], RIGHT)
    leak = np.zeros(hand.labels.shape[1:], bool)
    leak[y - 2 : y + 2, x - 4 : x + 4] = True
    hand.layers.write(level, leak, LEFT)  # as a growing region that leaks
    area_mm2 = 32 * hand.layers.picture.image.geometry.pixel_area_mm2
    hand.press("K", "Alt")
    question = hand.panel.question
    assert f"slice {level}, left: {area_mm2:.0f} mm²" in question.informativeText()
    assert "on the patient's right, across the midline" in question.informativeText()
    assert question.defaultButton().text() == "Go back and correct"
    hand.press("Return", at=question)
    hand.look_up()
    assert "Not saved" in hand.panel.message.text()
    assert hand.panel._wanted == case
    assert not (ten.out / "cases" / case / "review-anna.json").exists()
    hand.press("K", "Alt")
    with hand.bot.waitSignal(hand.panel.decided, timeout=30_000):
        hand.answer("Keep anyway")
    hand.wait(lambda: hand.panel.autosave.is_idle)
    row = ten.row(case)
    assert "correction-questioned" in row["flags"]
    trail = json.loads((ten.out / "cases" / case / "review-anna.json").read_text(encoding="utf-8"))
    assert "across the midline" in trail["history"][-1]["note"]
    with (ten.out / "reviews.csv").open(newline="", encoding="utf-8") as file:
        (reviewed,) = list(csv.DictReader(file))
    assert reviewed["note"].startswith("[kept although asked about: slice ")


def test_a_right_correction_of_both_sides_takes_two_keys_and_two_strokes(hand):
    """It took two mouse clicks more before the side followed the stroke, and nothing said so."""
    now = hand.labels[hand.level]
    before = now.copy()
    hand.tool("paint")
    for label in (LEFT, RIGHT):
        x = middle_of(before, label)[1]
        top = int(np.nonzero(before[:, x] == label)[0][0])
        hand.stroke((top, x), (top, x + 3))
        assert count(now, label) > count(before, label)
    with hand.bot.waitSignal(hand.panel.decided, timeout=30_000):
        hand.press("K", "Alt")
    assert dict(hand.count) == {"keys": 2, "mouse": 2}
