"""Small parts that several widgets are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

WIDTH = 430
"""Pixels; every button's key is readable."""


class Told(QScrollArea):
    """Some lines for messages: plain text, and always of one height, so that nothing jumps."""

    def __init__(self, words: str = "", lines: int = 2) -> None:
        super().__init__()
        self._label = QLabel(words)
        self._label.setTextFormat(Qt.PlainText)  # what headers say must not act as HTML
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignTop)
        self._label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setWidget(self._label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFixedHeight(lines * (self._label.fontMetrics().lineSpacing() + 2) + 4)

    def text(self) -> str:
        """What is said."""
        return str(self._label.text())

    def setText(self, words: str) -> None:  # noqa: N802 - as of a QLabel
        """Say something else."""
        self._label.setText(words)


def fill_column(owner: QWidget, widgets: Sequence[QWidget], stretched: QWidget) -> None:
    """Widgets below each other, with a bar at the side where the window is too low for all."""
    inner = QWidget()
    column = QVBoxLayout(inner)
    column.setContentsMargins(6, 4, 6, 4)
    column.setSpacing(5)
    for widget in widgets:
        column.addWidget(widget)
    column.setStretchFactor(stretched, 1)
    outer = QVBoxLayout(owner)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scrolled(inner))
    owner.setMinimumWidth(WIDTH)


def single_shot(parent: QObject, ms: int, call: Callable[[], object]) -> QTimer:
    """A timer that calls once, so long after it was last started."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(call)
    return timer


class AtClose(QObject):
    """Calls something once, when the window that a widget has come to lie in is closed, or the widget is
    taken out of it; before it is gone."""

    def __init__(self, owner: QWidget, call: Callable[[], object]) -> None:
        super().__init__(owner)
        self._owner, self._top = owner, None
        self._call: Callable[[], object] | None = call
        owner.installEventFilter(self)
        self._climb()

    def _climb(self) -> None:
        """A widget is docked after it was made, and the dock may float."""
        top = self._owner
        while top.parentWidget() is not None:
            top = top.parentWidget()
        if top is self._owner:
            if self._top is not None:
                self._end()
        elif top is not self._top:
            top.installEventFilter(self)
            self._top = top

    def _end(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if not hasattr(self, "_owner"):  # Python takes objects apart before Qt does
            return False
        if watched is self._owner and event.type() in (QEvent.Show, QEvent.ParentChange):
            self._climb()
        elif watched is self._top and event.type() == QEvent.Close:
            self._end()
        return False


def unwrapped(viewer: Any) -> Any:
    """The viewer itself: to widgets of plugins napari hands one that wraps a layer anew whenever asked."""
    return getattr(viewer, "__wrapped__", viewer)


def scrolled(widget: QWidget) -> QScrollArea:
    """The widget with a bar at its side where there is no room for all of it."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
    return area
