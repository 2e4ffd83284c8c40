"""Small widgets: the measurements of both sides, and the level on a coronal section."""

from __future__ import annotations

import math

import numpy as np
from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from glutseg.image import SIDES, Side
from glutseg.output.style import INK, LEVEL_COLOUR, SIDE_COLOURS
from glutseg.result import CaseResult
from glutseg.viewer.layer_manager import WINDOWS_HU
from glutseg.viewer.picture import LiveFigures, Picture

AS_SHOWN: tuple[Side, ...] = ("right", "left")
"""The patient's right is on the viewer's left."""
ROWS = ("area mm²", "automatic mm²", "change", "lean mm²", "mean HU")
COMPARED = ROWS[1:3]
UNKNOWN = "–"


class FiguresTable(QWidget):
    """Areas and mean HU of both sides as drawn, beside the automatic areas if there are any."""

    def __init__(self, *, with_automatic: bool = True) -> None:
        super().__init__()
        rows = ROWS if with_automatic else tuple(name for name in ROWS if name not in COMPARED)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        self.cells: dict[tuple[str, str], QLabel] = {}
        for column, name in enumerate((*AS_SHOWN, "mean"), start=1):
            head = QLabel(f"<b>{name}</b>")
            if name in SIDE_COLOURS:
                head.setText(f'<b><span style="color:{SIDE_COLOURS[name]}">■</span> {name}</b>')
            grid.addWidget(head, 0, column, Qt.AlignRight)
        for row, name in enumerate(rows, start=1):
            grid.addWidget(QLabel(name), row, 0)
            for column, side in enumerate((*AS_SHOWN, "mean"), start=1):
                cell = QLabel("")
                cell.setTextInteractionFlags(Qt.TextSelectableByMouse)
                self.cells[name, side] = cell
                grid.addWidget(cell, row, column, Qt.AlignRight)
        self.index = QLabel("")
        grid.addWidget(self.index, len(rows) + 1, 0, 1, 4)

    def show_figures(self, live: LiveFigures, automatic: CaseResult | None = None) -> None:
        """Show measurements; unknown ones are a dash."""
        for side in AS_SHOWN:
            now = live.sides.get(side)
            area = None if now is None else now.area_mm2
            before = automatic.area_mm2(side) if automatic else None
            self._set("area mm²", side, area, bold=True)
            self._write("automatic mm²", side, _with_bound(before, automatic, side))
            self._set("lean mm²", side, None if now is None else now.lean_area_mm2)
            self._set("mean HU", side, None if now is None else now.mean_hu)
            change = "" if area is None or not before else f"{100 * (area - before) / before:+.1f} %"
            self._write("change", side, change or UNKNOWN)
        self._set("area mm²", "mean", live.mean_area_mm2, bold=True)
        index = live.index_mm2_per_m
        height = "height unknown" if live.height_m is None else f"height {live.height_m:.2f} m"
        self.index.setText(
            f"{height}; mean area / height {UNKNOWN if index is None else f'{index:.0f} mm²/m'}"
        )

    def _set(self, row: str, side: str, value: float | None, *, bold: bool = False) -> None:
        text = UNKNOWN if value is None or math.isnan(value) else f"{value:.1f}"
        self._write(row, side, f"<b>{text}</b>" if bold else text)

    def _write(self, row: str, side: str, text: str) -> None:
        if (row, side) in self.cells:
            self.cells[row, side].setText(text)


def _with_bound(area_mm2: float | None, automatic: CaseResult | None, side: Side) -> str:
    """The automatic area and how far it may be off, with 90 % certainty."""
    if area_mm2 is None or automatic is None:
        return UNKNOWN
    bound_mm2 = automatic.error_bound_mm2(side)
    return f"{area_mm2:.1f}" + ("" if bound_mm2 is None else f" ± {bound_mm2:.0f}")


class CoronalSection(QWidget):
    """A coronal section with the muscles and the level as a line; a click or drag moves the level."""

    level_picked = Signal(int)
    scrolled = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumHeight(90)
        self.setCursor(Qt.SplitVCursor)
        self.setToolTip(
            "Coronal section through the muscles. The yellow line is the level: drag it, or click."
            " The wheel scrolls the slices."
        )
        self._image: QImage | None = None
        self._aspect = 1.0
        self._n_slices, self._level, self._automatic, self._shown = 1, 0, -1, -1

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(200, 130)

    def show_picture(self, picture: Picture, automatic_level: int = -1) -> None:
        """Show the section through the middle of the muscles at the level, or through the body."""
        on_level = np.isin(picture.labels[picture.slice_index], list(SIDES.values()))
        rows = np.nonzero(on_level.any(1))[0]
        row = int(np.median(rows)) if len(rows) else picture.labels.shape[1] * 2 // 3
        low, high = WINDOWS_HU["Muscle"]
        grey = np.clip((picture.image.hu[:, row] - low) / (high - low), 0, 1)
        rgb = np.repeat((grey * 255)[..., None], 3, axis=2)
        for side, label in SIDES.items():
            colour = QColor(SIDE_COLOURS[side])
            inside = picture.labels[:, row] == label
            rgb[inside] = 0.5 * rgb[inside] + 0.5 * np.array([colour.red(), colour.green(), colour.blue()])
        pixels = np.ascontiguousarray(rgb[::-1].astype(np.uint8))  # the head is up
        height, width, _ = pixels.shape
        self._image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format_RGB888).copy()
        spacing = picture.image.geometry.spacing_mm
        self._aspect = (width * spacing[2]) / (height * spacing[0])
        self._n_slices, self._automatic = height, automatic_level
        self.set_level(picture.slice_index)

    def set_level(self, level: int) -> None:
        """Move the line."""
        self._level = level
        self.update()

    def set_shown(self, slice_index: int) -> None:
        """Mark the slice on the screen, which may be another than that of the level."""
        self._shown = slice_index
        self.update()

    def _frame(self) -> QRect:
        """Place of the section within the widget, in its true proportions."""
        width = min(self.width(), int(self.height() * self._aspect))
        height = min(self.height(), int(width / self._aspect))
        return QRect((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    def _y(self, level: int) -> int:
        frame = self._frame()
        return int(frame.top() + (self._n_slices - level - 0.5) * frame.height() / self._n_slices)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        if self._image is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        frame = self._frame()
        painter.drawImage(frame, self._image)
        for slice_index, words, x, pen in (
            (self._automatic, "automatic level", 0.42, QPen(QColor(INK), 1, Qt.DotLine)),
            (self._shown, "slice shown", 0.83, QPen(QColor(INK), 1, Qt.DashLine)),
            (self._level, "level", 0.01, QPen(QColor(LEVEL_COLOUR), 2)),
        ):
            if slice_index >= 0 and (slice_index != self._level or words == "level"):
                painter.setPen(pen)
                y = self._y(slice_index)
                painter.drawLine(frame.left(), y, frame.right(), y)
                below = y + 3 + self.fontMetrics().ascent()
                left = frame.left() + round(x * frame.width())
                painter.drawText(left, y - 4 if y > frame.center().y() else below, words)
        painter.setPen(QColor(INK))
        for mark, left in (("R", frame.left() + 4), ("L", frame.right() - 14)):
            painter.drawText(left, frame.top() + 16, mark)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._pick(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._pick(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        turn = event.angleDelta().y()
        if turn:
            self.scrolled.emit(1 if turn > 0 else -1)
        event.accept()

    def _pick(self, event: QMouseEvent) -> None:
        frame = self._frame()
        if self._image is None or not frame.height():
            return
        share = (event.position().y() - frame.top()) / frame.height()
        level = self._n_slices - 1 - int(share * self._n_slices)
        self.level_picked.emit(max(0, min(self._n_slices - 1, level)))
