"""A radiologist's hand on an outline: keys and mouse at a real window, counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WAIT_MS = 30_000
MOVES_APART_MS = 15
"""The canvas drops moves of the mouse that follow each other within 10 ms."""


@dataclass
class Hand:
    """``count`` has the keys and mouse actions so far; a key with Alt or Ctrl is one key."""

    bot: Any
    viewer: Any
    panel: Any
    count: Counter = field(default_factory=Counter)

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def layers(self) -> Any:
        return self.panel.layers

    @property
    def labels(self) -> np.ndarray:
        return self.layers.muscles.data

    @property
    def level(self) -> int:
        return self.layers.picture.slice_index

    def wait(self, condition: Any) -> None:
        self.bot.waitUntil(condition, timeout=WAIT_MS)

    def press(self, key: str, *modifiers: str, at: Any = None) -> None:
        from qtpy.QtCore import Qt

        self.count["keys"] += 1
        held = Qt.NoModifier
        for name in modifiers:
            held |= getattr(Qt, f"{name}Modifier")
        self.bot.keyClick(at or self.canvas, getattr(Qt, f"Key_{key}"), held)

    def tool(self, mode: str, brush_size: int = 3) -> None:
        """Choose one of napari's tools by its key."""
        self.press({"paint": "2", "erase": "1", "polygon": "3", "fill": "4"}[mode])
        self.layers.muscles.brush_size = brush_size
        assert str(self.layers.muscles.mode) == mode

    def at(self, y: float, x: float) -> Any:
        """Where on the canvas a pixel of the slice shown is."""
        from qtpy.QtCore import QPoint

        world = self.layers.image.data_to_world((self.layers.slice_shown, y, x))
        camera = self.layers.camera
        dx, dy = (world[2] - camera.center[2]) * camera.zoom, (world[1] - camera.center[1]) * camera.zoom
        return QPoint(round(self.canvas.width() / 2 + dx), round(self.canvas.height() / 2 + dy))

    def click(self, y: float, x: float) -> None:
        from qtpy.QtCore import Qt

        self.count["mouse"] += 1
        self.bot.mouseMove(self.canvas, self.at(y, x))
        self.bot.mouseClick(self.canvas, Qt.LeftButton, pos=self.at(y, x))

    def stroke(self, *corners: tuple[float, float]) -> None:
        """With the left button down from the first to the last corner (y, x)."""
        from qtpy.QtCore import Qt

        self.count["mouse"] += 1
        self.bot.mouseMove(self.canvas, self.at(*corners[0]))
        self.bot.mousePress(self.canvas, Qt.LeftButton, pos=self.at(*corners[0]))
        for corner in corners[1:]:
            self._drag(self.at(*corner))
        self.bot.mouseRelease(self.canvas, Qt.LeftButton, pos=self.at(*corners[-1]))

    def _drag(self, place: Any) -> None:
        """Move with the left button down; QTest moves without one."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        self.bot.wait(MOVES_APART_MS)
        spot = QPointF(place), QPointF(self.canvas.mapToGlobal(place))
        event = QMouseEvent(QEvent.MouseMove, *spot, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(self.canvas, event)

    def polygon(self, *corners: tuple[float, float]) -> None:
        """A click for each corner, a double click for the last."""
        from qtpy.QtCore import Qt

        for corner in corners:
            self.click(*corner)
        self.count["mouse"] += 1
        self.bot.mouseDClick(self.canvas, Qt.LeftButton, pos=self.at(*corners[-1]))

    def answer(self, text: str) -> None:
        """Click a button of the question."""
        from qtpy.QtCore import Qt

        self.count["mouse"] += 1
        button = next(b for b in self.panel.question.buttons() if b.text() == text)
        self.bot.mouseClick(button, Qt.LeftButton)
        self.look_up()

    def look_up(self) -> None:
        """Back to the window; without a window manager none is active once a dialog has closed."""
        main = self.viewer.window._qt_window
        main.activateWindow()
        self.wait(main.isActiveWindow)


def sit_down(bot: Any, out: Any) -> Hand:
    """Open a run for review by anna in a window of 1280 x 800 pixels, with the first case on the screen."""
    from glutseg.viewer.review_launcher import make_review
    from glutseg.viewer.review_widget import RunPlace

    viewer, widget = make_review(RunPlace(out, "anna"))
    main = viewer.window._qt_window
    main.showNormal()
    main.resize(1280, 800)
    main.activateWindow()
    bot.waitUntil(main.isActiveWindow, timeout=WAIT_MS)
    hand = Hand(bot, viewer, widget.panel)
    hand.wait(lambda: widget.panel.opened is not None)
    return hand
