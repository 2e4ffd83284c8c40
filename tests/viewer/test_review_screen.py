"""The real widget in a real napari window, driven by clicks and keys."""

import json
import time

import numpy as np
import pytest

from glutseg import review
from glutseg.image import LEFT
from glutseg.segmentation.totalsegmentator import TotalSegmentator
from made_run import reseal

pytest.importorskip("napari")
SLOW_MS = 30_000


@pytest.fixture
def open_window(screen, ten):
    """Opens reviews of the ten cases; they are closed at the end."""
    from glutseg.viewer.review_launcher import make_review
    from glutseg.viewer.review_widget import RunPlace

    viewers = []

    def open_as(reviewer, **where):
        viewer, widget = make_review(RunPlace(ten.out, reviewer, **where))
        viewers.append(viewer)
        main = viewer.window._qt_window
        main.resize(1280, 800)
        main.activateWindow()
        screen.waitUntil(main.isActiveWindow, timeout=SLOW_MS)
        return User(screen, viewer, widget.panel)

    yield open_as
    for viewer in viewers:
        viewer.close()


@pytest.fixture
def window(open_window):
    """A review by anna, with the first case on the screen."""
    user = open_window("anna")
    user.wait_for_case()
    return user


class User:
    """What a person at the screen does, and sees."""

    def __init__(self, screen, viewer, panel):
        self.screen, self.viewer, self.panel = screen, viewer, panel

    @property
    def canvas(self):
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def case(self):
        return self.panel._wanted

    def wait(self, condition):
        self.screen.waitUntil(condition, timeout=SLOW_MS)

    def wait_for_case(self, other_than=None):
        self.wait(lambda: self.panel.opened is not None and self.case != other_than)

    def press(self, key, modifier="AltModifier"):
        from qtpy.QtCore import Qt

        self.screen.keyClick(self.canvas, getattr(Qt, f"Key_{key}"), getattr(Qt, modifier))

    def decide(self, key, although=""):
        before = self.case
        with self.screen.waitSignal(self.panel.decided, timeout=SLOW_MS):
            self.press(key)
            if although:
                assert although in self.panel.question.informativeText()
                next(b for b in self.panel.question.buttons() if b.text() == "Keep anyway").click()
        self.wait(lambda: self.panel.opened is not None)
        return before

    def at(self, y, x):
        """Where on the canvas a pixel of the slice shown is."""
        from qtpy.QtCore import QPoint

        layers = self.panel.layers
        world = layers.image.data_to_world((layers.slice_shown, y, x))
        camera = layers.camera
        middle = self.canvas.width() / 2, self.canvas.height() / 2
        dx, dy = (world[2] - camera.center[2]) * camera.zoom, (world[1] - camera.center[1]) * camera.zoom
        return QPoint(round(middle[0] + dx), round(middle[1] + dy))

    def click(self, y, x):
        from qtpy.QtCore import Qt

        self.screen.mouseMove(self.canvas, self.at(y, x))
        self.screen.mouseClick(self.canvas, Qt.LeftButton, pos=self.at(y, x))

    def stroke(self, start, stop):
        from qtpy.QtCore import Qt

        self.screen.mouseMove(self.canvas, self.at(*start))
        self.screen.mousePress(self.canvas, Qt.LeftButton, pos=self.at(*start))
        self.screen.mouseMove(self.canvas, self.at(*stop))
        self.screen.mouseRelease(self.canvas, Qt.LeftButton, pos=self.at(*stop))

    def labels(self):
        return self.panel.layers.muscles.data

    def area_shown(self, side):
        from qtpy.QtGui import QTextDocument

        self.screen.wait(30)
        document = QTextDocument()
        document.setHtml(self.panel.figures.cells["area mm²", side].text())
        return document.toPlainText()

    def settle(self):
        self.wait(lambda: self.panel.autosave.is_idle)


def middle_of(labels, label):
    return tuple(int(v) for v in np.median(np.argwhere(labels == label), axis=0))


def test_a_session_of_ten_accept_eight_correct_one_reject_one(window, ten):
    automatic = {row["case_id"]: row for row in ten.table()}
    accepted = [window.decide("A") for _ in range(8)]
    window.wait_for_case()
    corrected, slice_index = window.case, window.panel.opened.picture.slice_index
    # take the left muscle's middle away and grow it back by a click, then add by the brush
    y, x = middle_of(window.labels()[slice_index], LEFT)
    before = int((window.labels()[slice_index] == LEFT).sum())
    window.panel.layers.muscles.mode = "erase"
    window.panel.layers.muscles.brush_size = 4
    window.click(y, x)
    erased = int((window.labels()[slice_index] == LEFT).sum())
    assert erased < before
    window.press("G")
    window.panel.tools.grow.fields["interval_hu"].setValue(120)
    window.click(y, x)
    region = window.panel.tools.grow.region
    assert region is not None
    assert region[y, x]
    window.panel.tools.grow.add.click()
    grown = int((window.labels()[slice_index] == LEFT).sum())
    assert grown > erased
    window.panel.layers.muscles.mode = "paint"
    top = np.argwhere(window.labels()[slice_index] == LEFT)[0]
    window.stroke((top[0] - 3, top[1]), (top[0] - 3, top[1] + 4))
    pixels = int((window.labels()[slice_index] == LEFT).sum())
    assert pixels > grown
    pixel_mm2 = window.panel.opened.picture.image.geometry.pixel_area_mm2
    assert window.area_shown("left") == f"{pixels * pixel_mm2:.1f}"
    drawn = window.panel.opened.picture.mask().labels.copy()
    window.panel.decision.note.setText("outline misses muscle")
    assert window.decide("K", although="holes of") == corrected  # the growing region left some
    window.wait_for_case(corrected)
    rejected = window.case
    window.press("R")
    window.press("1", "NoModifier")
    window.settle()
    assert window.panel.cases.progress.value() == 10
    assert {*accepted, corrected, rejected} == set(ten.names)

    assert [ten.row(n)["decision"] for n in accepted] == ["accepted"] * 8
    row = ten.row(corrected)
    assert float(row["area_left_mm2"]) == pytest.approx(pixels * pixel_mm2, abs=6e-4)
    assert (row["values"], row["reviewer"]) == ("corrected", "anna")
    assert (ten.out / row["overlay"]).is_file()
    stored = window.panel.opened.picture.image.stored
    assert np.array_equal(review.read_mask(ten.out / row["mask"], stored).labels, drawn)
    assert ten.row(rejected)["error_code"] == "case-rejected"
    for name in accepted:
        same = {
            name: v for name, v in ten.row(name).items() if name not in ("decision", "reviewer", "status")
        }
        assert same == {name: v for name, v in automatic[name].items() if name in same}
    trail = json.loads((ten.out / "cases" / corrected / "review-anna.json").read_text(encoding="utf-8"))
    (entry,) = trail["history"]
    assert entry["decision"] == "corrected"
    assert entry["note"].startswith("outline misses muscle [kept although asked about: slice")
    change = entry["changes"]["left"]
    assert change["area_mm2"] - change["area_automatic_mm2"] == pytest.approx((pixels - before) * pixel_mm2)


def test_undo_of_strokes_and_tools_leads_back_and_never_into_another_case(window):
    slice_index = window.panel.opened.picture.slice_index
    y, x = middle_of(window.labels()[slice_index], LEFT)
    at_first = window.labels().copy()
    area = window.area_shown("left")
    window.panel.layers.muscles.mode = "erase"
    window.panel.layers.muscles.brush_size = 6
    window.click(y, x)
    assert window.area_shown("left") != area
    window.panel.tools.slices.wipe.click()
    assert not (window.labels()[slice_index] == LEFT).any()
    assert window.area_shown("left") == "–"
    window.press("Z", "ControlModifier")
    window.press("Z", "ControlModifier")
    assert np.array_equal(window.labels(), at_first)
    assert window.area_shown("left") == area
    window.panel.layers.muscles.mode = "erase"
    window.click(y, x)
    here = window.case
    window.press("N")
    window.wait_for_case(here)
    there = window.labels().copy()
    window.press("Z", "ControlModifier")
    assert np.array_equal(window.labels(), there)


def test_what_was_drawn_and_not_decided_is_there_again(window):
    slice_index, here = window.panel.opened.picture.slice_index, window.case
    y, x = middle_of(window.labels()[slice_index], LEFT)
    window.panel.layers.muscles.mode = "erase"
    window.click(y, x)
    window.panel.accept()
    assert "outline was changed" in window.panel.message.text()
    drawn = window.labels().copy()
    window.press("N")
    window.wait_for_case(here)
    window.press("B")
    window.wait(lambda: window.case == here and window.panel.opened is not None)
    assert np.array_equal(window.labels(), drawn)
    assert window.panel.opened.is_changed


def test_clicks_inside_and_outside_move_the_border(window):
    slice_index = window.panel.opened.picture.slice_index
    labels = window.labels()
    y, x = middle_of(labels[slice_index], LEFT)
    rows = np.argwhere(labels[slice_index] == LEFT)[:, 0]
    window.panel.layers.write(
        slice_index, (labels[slice_index] == LEFT) & (np.arange(labels.shape[1]) < y)[:, None], 0
    )
    left_over = int((labels[slice_index] == LEFT).sum())
    window.press("I")
    window.click((y + rows.min()) // 2, x)
    assert window.panel.tools.regrow.inside
    assert int((labels[slice_index] == LEFT).sum()) > left_over
    window.press("O")
    seed = window.panel.tools.regrow.inside[0]
    window.panel.tools.regrow.clear.click()
    window.click(*seed)
    assert not labels[slice_index][seed]


def test_copy_and_fill_between_slices(window):
    slice_index, labels = window.panel.opened.picture.slice_index, window.labels()
    kept = labels.copy()
    window.panel.layers.go_to(slice_index + 1)
    window.panel.tools.slices.from_below.click()
    assert np.array_equal(labels[slice_index + 1] == LEFT, kept[slice_index] == LEFT)
    x = middle_of(labels[slice_index], LEFT)[1]
    for step in (-1, 2):
        window.panel.layers.write(
            slice_index + step, (kept[slice_index + step] == LEFT) & (np.arange(labels.shape[2]) < x), 0
        )
    window.panel.layers.write(slice_index + 1, labels[slice_index + 1] != kept[slice_index + 1], 0)
    window.panel.tools.slices.fill_between()
    assert "filled" in window.panel.tools.slices.message.text()


def test_moving_the_level_measures_there_at_once(window, ten):
    panel, case = window.panel, window.case
    slice_index = panel.opened.picture.slice_index
    panel.level.slider.setValue(slice_index + 1)
    pixel_mm2 = panel.opened.picture.image.geometry.pixel_area_mm2
    expected = int((window.labels()[slice_index + 1] == LEFT).sum()) * pixel_mm2
    assert window.area_shown("left") == f"{expected:.1f}"
    assert panel.layers.slice_shown == slice_index + 1
    assert window.decide("K") == case
    window.settle()
    assert ten.row(case)["level_name"] == "slice"
    assert float(ten.row(case)["area_left_mm2"]) == pytest.approx(expected, abs=6e-4)
    panel.cases.filter.setCurrentText("all")
    panel.open_case(case)
    window.wait(lambda: window.case == case and panel.opened is not None)
    assert panel.opened.picture.slice_index == slice_index + 1
    window.press("U")
    window.wait(lambda: panel.opened is not None)
    assert panel.opened.picture.slice_index == slice_index
    window.settle()
    assert ten.row(case)["decision"] == ""


def test_nothing_of_two_origins_where_another_program_outlined(open_window, ten):
    record = ten.out / "cases" / ten.names[0] / "case.json"
    case = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps(case | {"outliner": TotalSegmentator.name}), encoding="utf-8")
    reseal(record)
    user = open_window("anna")
    user.wait_for_case()
    first = user.case
    assert first == ten.names[0]
    assert not user.panel.level.segments_empty_levels
    user.press("N")
    user.wait_for_case(other_than=first)
    user.wait(lambda: user.panel.level.segments_empty_levels)


def test_a_reviewer_never_sees_the_word_of_another(open_window, ten):
    from qtpy.QtWidgets import QLabel, QListWidget

    review.reject(ten.out, ten.names[0], "ben", "SECRET")
    panel = open_window("anna").panel
    words = [label.text() for label in panel.findChildren(QLabel)]
    words += [w.item(i).text() for w in panel.findChildren(QListWidget) for i in range(w.count())]
    assert not any("SECRET" in text or "ben" in text or "rejected" in text for text in words)
    assert panel.session.progress == (0, 10)


def test_the_outlines_on_the_screen_are_where_the_mask_is(window):
    window.panel.layers.show_as("filled")
    window.screen.wait(300)
    shown = window.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    scale = shown.shape[1] / window.canvas.width()
    labels = window.labels()[window.panel.opened.picture.slice_index]
    blue = (shown[..., 2] - shown[..., 0]) > 25
    orange = (shown[..., 0] - shown[..., 2]) > 25
    for label, coloured, other in ((1, blue, orange), (2, orange, blue)):
        hits = [
            coloured[round(p.y() * scale), round(p.x() * scale)]
            for y, x in np.argwhere(labels == label)
            for p in (window.at(y, x),)
        ]
        assert np.mean(hits) > 0.9
        misses = [
            (coloured | other)[round(p.y() * scale), round(p.x() * scale)]
            for y, x in np.argwhere(labels == 0)[::40]
            for p in (window.at(y, x),)
            if 0 <= p.y() * scale < shown.shape[0] and 0 <= p.x() * scale < shown.shape[1]
        ]
        assert np.mean(misses) < 0.05
    assert np.argwhere(blue)[:, 1].mean() > np.argwhere(orange)[:, 1].mean()  # the patient's left is right


def test_every_word_and_button_is_within_the_window(window):
    from qtpy.QtWidgets import QPushButton

    for theme in ("dark", "light"):
        window.viewer.theme = theme
        window.screen.wait(100)
        for button in window.panel.findChildren(QPushButton):
            if button.isVisible():
                assert button.width() >= button.sizeHint().width() - 2, button.text()
                corner = button.mapTo(window.viewer.window._qt_window, button.rect().bottomRight())
                assert corner.x() <= 1280, button.text()
                assert corner.y() <= 800, button.text()


def test_images_that_are_gone_are_told_and_nothing_is_shown(open_window, ten):
    panel = (user := open_window("anna", input_path=ten.out / "nowhere")).panel
    user.wait(lambda: "images-not-found" in panel.message.text())
    assert not panel.decision.accept.isEnabled()
    assert panel.layers.picture is None


def test_a_segmentation_that_finds_nothing_is_told_and_no_crash(window):
    """The ten cases show a few slices about the hips only, in which none are found."""
    told = []
    window.panel.level.failed.connect(told.append)
    window.panel.level.segment(window.panel.opened.picture.slice_index)
    window.wait(lambda: not window.panel.level.is_busy)
    assert [error.code for error in told] == ["hips-not-found"]


def test_the_screen_answers_while_a_segmentation_runs_and_it_can_be_cancelled(window):
    from qtpy.QtWidgets import QApplication

    panel = window.panel
    panel.level.segment(panel.opened.picture.slice_index)
    start = last = time.perf_counter()
    longest = 0.0
    while panel.level.is_busy and time.perf_counter() - start < 2.0:
        QApplication.processEvents()
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    assert longest < 0.2
    panel.level.stop.click()
    assert not panel.level.is_busy
