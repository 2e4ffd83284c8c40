"""Small parts of several widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

WIDTH = 430
"""Least width in pixels at which the key on every button can be read."""


class MessageArea(QScrollArea):
    """A few lines for messages in plain text, of constant height so that nothing moves."""

    def __init__(self, text: str = "", lines: int = 2) -> None:
        super().__init__()
        self._label = QLabel(text)
        self._label.setTextFormat(Qt.PlainText)  # what headers say must not act as HTML
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignTop)
        self._label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setWidget(self._label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFixedHeight(lines * (self._label.fontMetrics().lineSpacing() + 6) + 4)

    def text(self) -> str:
        """The message."""
        return str(self._label.text())

    def setText(self, text: str) -> None:  # noqa: N802 - as of a QLabel
        """Show another message."""
        self._label.setText(text)


def fill_column(owner: QWidget, widgets: Sequence[QWidget], stretched: QWidget) -> None:
    """Stack widgets, with a scroll bar where the window is too low for all."""
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
    """A timer that calls once, ``ms`` milliseconds after it was last started."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(call)
    return timer


class AtClose(QObject):
    """Calls a function once, before the window that holds a widget is closed or the widget is removed."""

    def __init__(self, owner: QWidget, call: Callable[[], object]) -> None:
        super().__init__(owner)
        self._owner, self._top = owner, None
        self._call: Callable[[], object] | None = call
        owner.installEventFilter(self)
        self._climb()

    def _climb(self) -> None:
        """Find the window: a widget is docked after it is made, and the dock may float."""
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
        if not hasattr(self, "_owner"):  # at exit Python clears attributes before Qt deletes the object
            return False
        if watched is self._owner and event.type() in (QEvent.Show, QEvent.ParentChange):
            self._climb()
        elif watched is self._top and event.type() == QEvent.Close:
            self._end()
        return False


def unwrapped(viewer: Any) -> Any:
    """The viewer itself: napari gives widgets of plugins a proxy that wraps a layer anew at every access."""
    return getattr(viewer, "__wrapped__", viewer)


def scrolled(widget: QWidget) -> QScrollArea:
    """The widget in a scroll area."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
    return area
