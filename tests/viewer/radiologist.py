"""A radiologist before the review: what they press and click, counted, and where on the screen it lands."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WAIT_MS = 30_000


@dataclass
class Radiologist:
    """At a real window, with a real mouse and a real keyboard; nothing is called that they could not reach.

    ``effort`` has the number of keys and mouse actions for each task; Alt with a letter is one key.
    """

    bot: Any
    viewer: Any
    panel: Any
    effort: dict[str, Counter] = field(default_factory=dict)
    _count: Counter = field(default_factory=Counter)

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def case(self) -> str:
        return self.panel._wanted

    @contextmanager
    def task(self, name: str) -> Iterator[None]:
        """Count what is done within under a name."""
        self._count = self.effort.setdefault(name, Counter())
        yield

    def wait(self, condition: Callable[[], bool]) -> None:
        self.bot.waitUntil(condition, timeout=WAIT_MS)

    def wait_for_picture(self) -> str:
        self.wait(lambda: self.panel.opened is not None)
        return self.case

    def press(self, key: str, *, alt: bool = False, where: Any = None) -> None:
        """A key, at a widget or, by default, wherever the focus is."""
        from qtpy.QtCore import Qt
        from qtpy.QtWidgets import QApplication

        self._count["keys"] += 1
        target = where or QApplication.focusWidget() or self.canvas
        self.bot.keyClick(target, getattr(Qt, f"Key_{key}"), Qt.AltModifier if alt else Qt.NoModifier)

    def write(self, text: str) -> None:
        from qtpy.QtWidgets import QApplication

        self._count["keys"] += len(text)
        self.bot.keyClicks(QApplication.focusWidget(), text)

    def click(self, widget: Any, place: Any = None) -> None:
        from qtpy.QtCore import Qt

        self._count["mouse"] += 1
        self.bot.mouseClick(widget, Qt.LeftButton, pos=place or widget.rect().center())

    def stroke(self, start: tuple[int, int], stop: tuple[int, int]) -> None:
        """From one pixel (row, column) of the slice shown to another, with the left button down."""
        from qtpy.QtCore import Qt

        self._count["mouse"] += 1
        self.bot.mouseMove(self.canvas, self.at(*start))
        self.bot.mousePress(self.canvas, Qt.LeftButton, pos=self.at(*start))
        self.bot.mouseMove(self.canvas, self.at(*stop))
        self.bot.mouseRelease(self.canvas, Qt.LeftButton, pos=self.at(*stop))

    def at(self, row: int, column: int) -> Any:
        """Where on the canvas a pixel of the slice shown is."""
        from qtpy.QtCore import QPoint

        layers = self.panel.layers
        world, camera = layers.image.data_to_world((layers.slice_shown, row, column)), layers.camera
        dx, dy = (world[2] - camera.center[2]) * camera.zoom, (world[1] - camera.center[1]) * camera.zoom
        return QPoint(round(self.canvas.width() / 2 + dx), round(self.canvas.height() / 2 + dy))

    def outline_on_screen(self, label: int) -> np.ndarray:
        """The muscle (row, column) on the slice shown."""
        return self.panel.layers.muscles.data[self.panel.layers.slice_shown] == label


def sit_down(bot: Any, out: Any, reviewer: str, **where: Any) -> Radiologist:
    """Open a run for review in a window of 1280 x 800 pixels."""
    from glutseg.viewer.review_launcher import make_review
    from glutseg.viewer.review_widget import RunPlace

    viewer, widget = make_review(RunPlace(out, reviewer, **where))
    main = viewer.window._qt_window
    main.showNormal()
    main.resize(1280, 800)
    main.activateWindow()
    bot.waitUntil(main.isActiveWindow, timeout=WAIT_MS)
    return Radiologist(bot, viewer, widget.panel)
