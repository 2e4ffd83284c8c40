"""Small parts that several widgets are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from glutseg.viewer.tools_panel import scrolled

WIDTH = 430
"""Pixels; every button's key is readable."""


def told_label() -> QLabel:
    """Two lines for messages: plain text, and always of one height, so that nothing jumps."""
    label = QLabel("")
    label.setTextFormat(Qt.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed))
    label.setFixedHeight(2 * label.fontMetrics().height() + 4)
    label.setAlignment(Qt.AlignTop)
    label.setTextInteractionFlags(Qt.TextSelectableByMouse)
    return label


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
    """Calls something when a window is closed, before it is gone."""

    def __init__(self, window: QWidget, call: Callable[[], object]) -> None:
        super().__init__(window)
        self._call: Callable[[], object] | None = call
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Close and self._call is not None:
            call, self._call = self._call, None
            call()
        return False
