"""Reason, note and the decision buttons, each with its key."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QGridLayout, QLineEdit, QPushButton, QWidget

REASONS = (
    "",
    "outline leaks",
    "outline misses muscle",
    "wrong level",
    "metal",
    "cut by the field of view",
    "motion or noise",
    "wrong patient or series",
)


class DecisionPanel(QWidget):
    """A reviewer's decision on a case."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        self.reason = QComboBox()
        self.reason.setEditable(True)
        self.reason.addItems(REASONS)
        self.reason.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.reason.setMinimumContentsLength(8)
        self.reason.lineEdit().setPlaceholderText("reason, for a rejection")
        self.note = QLineEdit()
        self.note.setPlaceholderText("note")
        self.accept = QPushButton("Accept   Alt+A")
        self.correct = QPushButton("Save correction   Alt+K")
        self.reject = QPushButton("Reject   Alt+R")
        self.undo = QPushButton("Undo decision   Alt+U")
        self.back = QPushButton("Previous   Alt+B")
        self.next = QPushButton("Next   Alt+N")
        grid.addWidget(self.reason, 0, 0, 1, 3)
        grid.addWidget(self.note, 0, 3, 1, 3)
        for column, button in enumerate((self.accept, self.correct, self.reject)):
            grid.addWidget(button, 2, 2 * column, 1, 2)
        for column, button in enumerate((self.back, self.undo, self.next)):
            grid.addWidget(button, 3, 2 * column, 1, 2)

    @property
    def reason_and_note(self) -> tuple[str, str]:
        """As typed."""
        return self.reason.currentText(), self.note.text()

    def clear(self) -> None:
        """Empty both fields, for another case."""
        self.reason.setEditText("")
        self.note.clear()

    def allow(self, *, accept: bool, correct: bool, reject: bool, undo: bool) -> None:
        """Enable the decisions that are possible now."""
        self.accept.setEnabled(accept)
        self.correct.setEnabled(correct)
        self.reject.setEnabled(reject)
        self.undo.setEnabled(undo)
