"""The mouse over the canvas, as in a PACS viewer: the wheel scrolls, Ctrl and the wheel zoom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QWidget

NOTCH = 120
"""Qt's eighths of a degree for one step of a wheel."""
ZOOM_PER_NOTCH = 1.15


class CanvasMouse(QObject):
    """Watches the mouse over napari's canvas; what it does not use goes on to napari.

    Parameters
    ----------
    canvas : napari's canvas
    camera : napari's camera
    is_used : whether the wheel is to scroll here; else napari has it
    scroll : gets a number of slices towards the head
    hover : gets the place under the cursor as (x, y) in mm, or None where it left the canvas
    resized : called when the canvas has another size
    """

    def __init__(
        self,
        canvas: QWidget,
        camera: Any,
        is_used: Callable[[], bool],
        scroll: Callable[[int], None],
        hover: Callable[[QPointF | None], None],
        resized: Callable[[], None],
    ) -> None:
        super().__init__(canvas)
        self._canvas, self._camera, self._is_used = canvas, camera, is_used
        self._scroll, self._hover, self._resized = scroll, hover, resized
        self._turned = 0
        canvas.installEventFilter(self)

    def stop(self) -> None:
        """Leave the mouse to napari."""
        self._canvas.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if not hasattr(self, "_turned"):  # at exit Python clears attributes before Qt deletes the object
            return False
        kind = event.type()
        if kind == QEvent.Wheel and isinstance(event, QWheelEvent) and self._is_used():
            return self._wheel(event)
        if kind == QEvent.MouseMove and isinstance(event, QMouseEvent):
            self._hover(self.place(event.position()))
        elif kind == QEvent.Leave:
            self._hover(None)
        elif kind == QEvent.Resize:
            self._resized()
        return False

    def place(self, at: QPointF) -> QPointF:
        """(x, y) in mm of a pixel of the canvas."""
        centre, zoom = self._camera.center, self._camera.zoom
        dx, dy = at.x() - self._canvas.width() / 2, at.y() - self._canvas.height() / 2
        return QPointF(centre[-1] + dx / zoom, centre[-2] + dy / zoom)

    def _wheel(self, event: QWheelEvent) -> bool:
        turn = event.angleDelta().y()
        if event.modifiers() == Qt.ControlModifier:
            self._zoom(ZOOM_PER_NOTCH ** (turn / NOTCH), event.position())
            return True
        if event.modifiers() != Qt.NoModifier:
            return False
        self._turned += turn  # a touchpad turns by fractions of a notch
        notches = int(self._turned / NOTCH)
        self._turned -= notches * NOTCH
        if notches:
            self._scroll(notches)
            self._hover(self.place(event.position()))
        return True

    def _zoom(self, factor: float, at: QPointF) -> None:
        """Zoom; what is under the cursor stays there."""
        here = self.place(at)
        centre = self._camera.center
        x, y = here.x() + (centre[-1] - here.x()) / factor, here.y() + (centre[-2] - here.y()) / factor
        self._camera.zoom *= factor
        self._camera.center = (*centre[:-2], y, x)
