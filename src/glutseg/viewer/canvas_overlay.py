"""What is painted over the canvas: outlines of constant width, R and L, scale bar, HU, legend, a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPen, QTransform
from qtpy.QtWidgets import QWidget

from glutseg.output.style import BACKGROUND, INK
from glutseg.viewer.outline_lines import KINDS, Kind, Line

WIDTHS_PX: dict[Kind, float] = {"outline": 2.0, "other method": 1.3, "automatic": 1.3}
"""Of the lines, on the screen whatever the zoom: the border itself can be seen on both sides."""
DASHES: dict[Kind, list[float]] = {"other method": [4.0, 3.0]}
LEGEND: dict[Kind, str] = {
    "outline": "outline",
    "other method": "second method, where it differs",
    "automatic": "automatic outline, where it was changed",
}
BAR_MM = (100, 50, 20, 10, 5)
BAR_SHARE = 0.25
"""Largest share of the canvas that the scale bar takes."""
MARGIN_PX = 10


class CanvasOverlay(QWidget):
    """A transparent widget over napari's canvas; the mouse goes through it.

    Parameters
    ----------
    canvas : its parent, whose whole area it covers
    camera : napari's camera, which says where a place in mm is on the screen
    """

    def __init__(self, canvas: QWidget, camera: Any) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self._camera = camera
        self._lines: list[tuple[Line, QPainterPath]] = []
        self.shows_image = False
        self.readout = self.note = self.hint = ""
        self.fit()
        for event in (camera.events.zoom, camera.events.center):
            event.connect(self._view_moved)

    def fit(self) -> None:
        """Cover the canvas."""
        self.setGeometry(self.parentWidget().rect())

    def close_view(self) -> None:
        """Follow the camera no longer."""
        for event in (self._camera.events.zoom, self._camera.events.center):
            event.disconnect(self._view_moved)
        self.hide()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Paint other lines from now on."""
        self._lines = [(line, _path_of(line)) for line in lines]
        self.update()

    def say(self, note: str) -> None:
        """A note in the middle of the canvas; "" for none."""
        self.note = note
        self.update()

    @property
    def lines(self) -> list[Line]:
        """The lines that are painted."""
        return [line for line, _ in self._lines]

    @property
    def kinds(self) -> list[Kind]:
        """Kinds of the lines that are painted."""
        shown = {line.kind for line, path in self._lines if not path.isEmpty()}
        return [kind for kind in KINDS if kind in shown]

    def to_screen(self) -> QTransform:
        """From (x, y) in mm to pixels of the canvas."""
        centre, zoom = self._camera.center, self._camera.zoom
        there = QTransform.fromTranslate(self.width() / 2, self.height() / 2)
        return there.scale(zoom, zoom).translate(-centre[-1], -centre[-2])

    def _view_moved(self, _event: object = None) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        if self.shows_image:
            to_screen = self.to_screen()
            for line, path in self._lines:
                painter.setPen(_pen(line))
                painter.drawPath(to_screen.map(path))
            self._paint_sides(painter)
            self._paint_scale_bar(painter)
            self._paint_legend(painter)
            if self.readout:
                _words(painter, self.readout, QPointF(MARGIN_PX, self.height() - MARGIN_PX), "bottom")
        if self.note:
            painter.setFont(_font(self, 1.3))
            _words(painter, self.note, QPointF(self.width() / 2, self.height() / 2), "middle")
        painter.end()

    def _paint_sides(self, painter: QPainter) -> None:
        """The patient's right is on the left."""
        painter.setFont(_font(self, 1.8, bold=True))
        for mark, x in (("R", 24.0), ("L", self.width() - 24.0)):
            _words(painter, mark, QPointF(x, self.height() / 2), "middle")
        painter.setFont(_font(self))

    def _paint_scale_bar(self, painter: QPainter) -> None:
        zoom, widest = self._camera.zoom, BAR_SHARE * self.width()
        mm = next((mm for mm in BAR_MM if mm * zoom <= widest), BAR_MM[-1])
        end, y = self.width() - 16.0, self.height() - 14.0
        for colour, width in ((BACKGROUND, 5.0), (INK, 3.0)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawLine(QPointF(end - mm * zoom, y), QPointF(end, y))
        text = f"{mm // 10} cm" if mm >= 10 else f"{mm} mm"
        _words(painter, text, QPointF(end - mm * zoom / 2, y - 16), "middle")

    def _paint_legend(self, painter: QPainter) -> None:
        """A row for each kind of line where there are several, and what is hidden."""
        metrics, y = painter.fontMetrics(), float(MARGIN_PX)
        kinds = [] if self.kinds == ["outline"] else self.kinds
        for kind in kinds:
            text = LEGEND[kind]
            of_kind = [line for line, _ in self._lines if line.kind == kind]
            box = QRectF(MARGIN_PX, y, metrics.horizontalAdvance(text) + 56, metrics.height() + 4)
            _back(painter, box)
            middle = box.center().y()
            colours = list(dict.fromkeys(line.colour for line in of_kind))[:2]
            for i, colour in enumerate(colours):
                painter.setPen(_pen(Line(of_kind[0].kind, colour, [])))
                x = box.left() + 6 + i * 34 / len(colours)
                painter.drawLine(QPointF(x, middle), QPointF(x + 34 / len(colours) - 3, middle))
            painter.setPen(QColor(INK))
            painter.drawText(box.adjusted(46, 0, 0, 0), Qt.AlignVCenter, text)
            y += box.height() + 1
        if self.hint:
            _words(painter, self.hint, QPointF(MARGIN_PX, y), "top")


def _path_of(line: Line) -> QPainterPath:
    path = QPainterPath()
    for points in line.paths:
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
    return path


def _pen(line: Line) -> QPen:
    pen = QPen(QColor(line.colour), WIDTHS_PX[line.kind])
    if line.kind in DASHES:
        pen.setDashPattern(DASHES[line.kind])
        pen.setCapStyle(Qt.FlatCap)
    return pen


def _font(widget: QWidget, times: float = 1.0, *, bold: bool = False) -> QFont:
    font = QFont(widget.font())
    font.setPointSizeF(times * max(font.pointSizeF(), 9.0))
    font.setBold(bold)
    return font


def _back(painter: QPainter, box: QRectF) -> None:
    """A dark ground under words, so that they are read on every picture and theme."""
    ground = QColor(BACKGROUND)
    ground.setAlpha(170)
    painter.fillRect(box, ground)


def _words(painter: QPainter, text: str, at: QPointF, anchor: str) -> None:
    """Plain text; ``at`` is the middle, or the left end at the top or bottom."""
    size = painter.fontMetrics().boundingRect(text).size()
    box = QRectF(0, 0, size.width() + 12, painter.fontMetrics().height() + 4)
    if anchor == "middle":
        box.moveCenter(at)
    elif anchor == "top":
        box.moveTopLeft(at)
    else:
        box.moveBottomLeft(at)
    _back(painter, box)
    painter.setPen(QColor(INK))
    painter.drawText(box, Qt.AlignCenter, text)
