"""What the window shows and how the mouse moves through it, with real events."""

import numpy as np
import pytest

from glutseg.image import LEFT, RIGHT, Mask
from glutseg.output.case_files import nifti_gz
from glutseg.output.ledger import read_case
from glutseg.review.masks import stored_mask

pytest.importorskip("napari")
SLOW_MS = 60_000


@pytest.fixture
def window(screen, ten):
    """A review of the ten cases, as it opens."""
    from glutseg.viewer.review_launcher import make_review
    from glutseg.viewer.review_widget import RunPlace

    viewer, widget = make_review(RunPlace(ten.out, "anna"))
    yield Window(screen, viewer, widget.panel)
    viewer.close()


@pytest.fixture
def second_method(ten):
    """What the stand-in of a run has not, a second method: the first one's outlines, moved by 6 pixels."""
    for name in ten.names:
        folder = ten.out / "cases" / name
        mask = stored_mask(folder / "mask.nii.gz")
        level = read_case(ten.out, name).row.result.level.slice_index
        only = (slice(level, level + 1), slice(None), slice(None))
        moved = np.roll(mask.labels[only], 6, axis=2)
        (folder / "other_outlines.nii.gz").write_bytes(nifti_gz(Mask(moved, mask.geometry.crop(only))))


class Window:
    """The window of a review, its canvas and what is painted over it."""

    def __init__(self, screen, viewer, panel):
        self.screen, self.viewer, self.panel = screen, viewer, panel
        self.main, self.overlay = panel.screen.window, panel.screen.overlay
        self.canvas = self.overlay.parentWidget()

    def wait_for_case(self):
        self.screen.waitUntil(lambda: self.panel.opened is not None, timeout=SLOW_MS)
        self.screen.wait(200)

    def at(self, row, column):
        """Where on the canvas a pixel of the slice is."""
        from qtpy.QtCore import QPointF

        _, y, x = self.panel.layers.image.data_to_world((0, row, column))
        return self.overlay.to_screen().map(QPointF(x, y))

    def wheel(self, notches, at, modifier="NoModifier"):
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtGui import QWheelEvent
        from qtpy.QtWidgets import QApplication

        event = QWheelEvent(
            at,
            self.canvas.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.NoButton,
            getattr(Qt, modifier),
            Qt.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.canvas, event)
        self.screen.wait(50)

    def press(self, key):
        from qtpy.QtCore import Qt

        self.main.activateWindow()
        self.screen.waitUntil(self.main.isActiveWindow, timeout=SLOW_MS)
        self.screen.keyClick(self.canvas, getattr(Qt, f"Key_{key}"), Qt.AltModifier)
        self.screen.wait(100)

    def colours(self):
        """The canvas as it is seen, red, green and blue (row, column)."""
        grabbed = self.overlay.grab().toImage()
        pixels = np.frombuffer(grabbed.constBits(), np.uint8).reshape(grabbed.height(), -1, 4)
        return pixels[..., 2::-1].astype(int)


def middle(labels, label):
    return np.median(np.argwhere(labels == label), axis=0)


def test_it_fills_the_display_with_naparis_docks_folded_and_a_note_while_a_case_loads(window):
    from qtpy.QtWidgets import QDockWidget

    assert window.main.size() == window.main.screen().availableGeometry().size()
    assert window.overlay.note.startswith(("Opening ", "Loading case "))
    window.screen.waitUntil(lambda: window.overlay.note.startswith("Loading case "), timeout=SLOW_MS)
    window.wait_for_case()
    assert window.overlay.note == ""
    docks = [window.main.findChild(QDockWidget, name) for name in ("layer list", "layer controls")]
    assert not any(dock.isVisible() for dock in docks)
    window.press("Y")
    assert all(dock.isVisible() for dock in docks)
    window.press("Y")
    assert not any(dock.isVisible() for dock in docks)


def test_the_muscles_fill_the_canvas_whatever_its_size(window):
    window.wait_for_case()
    for size in ((1280, 800), (1600, 1000)):
        window.main.resize(*size)
        window.screen.wait(300)
        labels = window.panel.layers.muscles.data[window.panel.layers.slice_shown]
        rows, columns = np.nonzero(labels)
        left, right = (window.at(rows[0], column).x() for column in (columns.min(), columns.max()))
        assert 0 < left < right < window.canvas.width()
        assert right - left > 0.8 * window.canvas.width()
        assert 0 < window.at(rows.min(), 0).y() < window.at(rows.max(), 0).y() < window.canvas.height()


def test_the_wheel_scrolls_and_with_ctrl_it_zooms_about_the_cursor(window):
    window.wait_for_case()
    layers, level = window.panel.layers, window.panel.opened.picture.slice_index
    place = window.at(*middle(layers.muscles.data[level], LEFT))
    zoom = layers.camera.zoom
    window.wheel(1, place)
    assert (layers.slice_shown, window.panel.opened.picture.slice_index) == (level + 1, level)
    window.wheel(-2, place)
    assert layers.slice_shown == level - 1
    window.wheel(-99, place)
    assert layers.slice_shown == 0
    assert layers.camera.zoom == zoom
    under = window.panel.screen._mouse.place(place)
    window.wheel(2, place, "ControlModifier")
    assert layers.camera.zoom > 1.2 * zoom
    after = window.panel.screen._mouse.place(place)
    assert (after.x(), after.y()) == pytest.approx((under.x(), under.y()), abs=1e-6)
    window.panel.screen.window.resize(1300, 820)
    window.screen.wait(300)
    assert layers.camera.zoom > 1.2 * zoom  # what the user zoomed stays


def test_hu_and_pixel_under_the_cursor_are_told_and_the_outlines_lie_on_the_border(window):
    window.wait_for_case()
    layers = window.panel.layers
    labels = layers.muscles.data[layers.slice_shown]
    row, column = (int(v) for v in middle(labels, RIGHT))
    window.screen.mouseMove(window.canvas, window.at(row, column).toPoint())
    hu = layers.image.data[layers.slice_shown, row, column]
    window.screen.waitUntil(lambda: f"   {hu} HU" in window.overlay.readout, timeout=5000)
    assert f"x {column}   y {row}   slice {layers.slice_shown}" in window.overlay.readout
    shown = window.colours()
    blue, orange = shown[..., 2] - shown[..., 0] > 60, shown[..., 0] - shown[..., 2] > 60
    for label, coloured in ((LEFT, blue), (RIGHT, orange)):
        spots = np.argwhere(coloured)[len(np.argwhere(coloured)) // 20 :]  # without the legend
        place = window.overlay.to_screen().inverted()[0]
        for y, x in spots[::50]:
            at = place.map(float(x) + 0.5, float(y) + 0.5)
            _, r, c = layers.image.world_to_data((0.0, at[1], at[0]))
            around = labels[int(r) - 1 : int(r) + 3, int(c) - 1 : int(c) + 3] == label
            assert around.any()
            assert not around.all()
    assert np.argwhere(blue)[:, 1].mean() > np.argwhere(orange)[:, 1].mean()


def test_a_key_shows_outlines_filled_muscles_or_nothing(window):
    window.wait_for_case()
    layers, overlay = window.panel.layers, window.overlay
    assert (layers.muscles.opacity, "outline" in overlay.kinds) == (0.0, True)
    window.press("D")
    assert layers.muscles.opacity > 0.3
    assert "outline" not in overlay.kinds
    window.press("D")
    assert (layers.muscles.opacity, overlay.lines) == (0.0, [])
    assert "Alt+D" in overlay.hint
    window.press("D")
    assert (overlay.kinds[0], overlay.hint) == ("outline", "")


def test_the_second_method_and_the_automatic_outline_are_compared_and_a_key_hides_both(second_method, window):
    window.wait_for_case()
    assert window.overlay.kinds == ["outline", "other method"]
    panel, level = window.panel, window.panel.opened.picture.slice_index
    assert panel.opened.other_outlines.shape == panel.layers.muscles.data.shape[1:]
    left = panel.layers.muscles.data[level] == LEFT
    half = left & (np.arange(left.shape[1]) > np.median(np.nonzero(left)[1]))
    panel.layers.write(level, half, 0)
    window.screen.wait(100)
    assert window.overlay.kinds == ["outline", "other method", "automatic"]
    window.press("E")
    assert window.overlay.kinds == ["outline"]
    assert "Alt+E" in window.overlay.hint
    window.press("E")
    panel.layers.go_to(level + 1)
    window.screen.wait(100)
    assert "other method" not in window.overlay.kinds  # it is known on the measured slice only


def test_dragging_the_line_in_the_coronal_section_moves_the_level(window):
    from qtpy.QtCore import QPoint, Qt

    window.wait_for_case()
    panel, section = window.panel, window.panel.level.section
    assert section.window() is window.main
    assert section.height() > 150
    level = panel.opened.picture.slice_index
    start, stop = (QPoint(section.width() // 2, section._y(n)) for n in (level, level - 1))
    window.screen.mousePress(section, Qt.LeftButton, pos=start)
    assert panel.opened.picture.slice_index == level
    window.screen.mouseMove(section, stop)
    window.screen.mouseRelease(section, Qt.LeftButton, pos=stop)
    assert panel.opened.picture.slice_index == panel.layers.slice_shown == section._shown == level - 1
    panel.layers.scroll(1)
    assert (section._level, section._shown) == (level - 1, level)
