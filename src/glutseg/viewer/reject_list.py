"""The list of reasons for a rejection: a number, a click, or the arrow keys and Enter choose one."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent, QObject, QSize, Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from glutseg.output.text import plain
from glutseg.result import EXCLUSION_REASONS

REASONS = tuple(words for code, words in EXCLUSION_REASONS.items() if code != "other")
OTHER = len(REASONS)
"""Row of the list below which a reason of one's own is written."""
MARGIN_PX = 6
ROW_PX = 22


class RejectList(QFrame):
    """Lies over the lower part of a panel, its buttons too, while a reason is asked for.

    Parameters
    ----------
    panel : over which the list is shown
    """

    chosen = Signal(str)

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self.setFrameShape(QFrame.StyledPanel)
        self.setAutoFillBackground(True)
        self._before: QWidget | None = None
        self.title = QLabel()
        self.title.setTextFormat(Qt.PlainText)  # a case id must not act as HTML
        self.list = QListWidget()
        for number, words in enumerate((*REASONS, "another reason: write it, then Enter"), start=1):
            item = QListWidgetItem(f"{number}   {words}", self.list)
            item.setSizeHint(QSize(0, ROW_PX))
        self.list.setFixedHeight(self.list.count() * ROW_PX + 2 * self.list.frameWidth() + MARGIN_PX)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.other = QLineEdit()
        self.other.setPlaceholderText("the reason in your words")
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        hint = QLabel("Press a number, click, or ↑ ↓ and Enter. Esc goes back.")
        for widget in (self.title, self.list, self.other, hint):
            column.addWidget(widget)
        self.list.itemClicked.connect(lambda _: self.choose(self.list.currentRow()))
        self.other.returnPressed.connect(self._written)
        self._numbers = [
            self._key(str(row + 1), partial(self.choose, row)) for row in range(self.list.count())
        ]
        self._return = [self._key(key, self._choose_current) for key in ("Return", "Enter")]
        self._escape = self._key("Escape", self.dismiss)
        panel.installEventFilter(self)
        self.hide()

    def ask(self, case_id: str) -> None:
        """Ask why a case is to be excluded; ``chosen`` is emitted with the words, or nothing is."""
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.title.setText(f"Why is {plain(case_id, 40)} excluded?")
        self.other.clear()
        self._is_writing(False)
        self.show()
        self._place()
        self.raise_()
        self.list.setFocus()
        self.list.setCurrentRow(-1)  # the focus chose the first: Enter alone must choose nothing

    def choose(self, row: int) -> None:
        """Choose a reason by its row; the last one is written by hand first."""
        self.list.setCurrentRow(row)
        if row == OTHER:
            self._is_writing(True)
            self.other.setFocus()
        else:
            self._answer(REASONS[row])

    def dismiss(self) -> None:
        """Close the list without a choice; the focus goes back where it was."""
        if self.isVisible():
            self._enable(numbers=False, escape=False)
            self.hide()
            if self._before is not None:
                self._before.setFocus()

    def _written(self) -> None:
        if plain(self.other.text()):
            self._answer(self.other.text())

    def _choose_current(self) -> None:
        if self.list.currentRow() >= 0:
            self.choose(self.list.currentRow())

    def _answer(self, reason: str) -> None:
        self.dismiss()
        self.chosen.emit(reason)

    def _is_writing(self, is_writing: bool) -> None:
        """Digits and Enter belong to the line while somebody writes in it."""
        self._enable(numbers=not is_writing, escape=True)
        self.other.setEnabled(is_writing)

    def _enable(self, *, numbers: bool, escape: bool) -> None:
        for shortcut in (*self._numbers, *self._return):
            shortcut.setEnabled(numbers)
        self._escape.setEnabled(escape)

    def _key(self, key: str, call: object) -> QShortcut:
        """A key that works wherever the focus is, but only while the list is open."""
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ApplicationShortcut)
        shortcut.activated.connect(call)
        shortcut.setEnabled(False)
        return shortcut

    def _place(self) -> None:
        """At the bottom of the panel, as wide as it is."""
        panel = self.parentWidget()
        height = self.sizeHint().height()
        self.setGeometry(0, panel.height() - height, panel.width(), height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Resize and self.isVisible():
            self._place()
        return False
