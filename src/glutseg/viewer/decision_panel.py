"""Note and the decision buttons, each with its key."""

from __future__ import annotations

from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QWidget

from glutseg.viewer.keys import bind_key


class DecisionPanel(QWidget):
    """A reviewer's decision on a case."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        self.note = QLineEdit()
        self.note.setPlaceholderText("note on the decision, if you like")
        self.accept = QPushButton("Accept   Alt+A")
        self.correct = QPushButton("Save correction   Alt+K")
        self.reject = QPushButton("Reject …   Alt+R")
        self.reject.setToolTip("exclude the case: a list of reasons opens, a number chooses one")
        self.undo = QPushButton("Undo decision   Alt+U")
        self.undo.setToolTip("undo your decision on this case, or else the one that you made last")
        self.back = QPushButton("Previous   Alt+B")
        self.next = QPushButton("Next   Alt+N")
        grid.addWidget(self.note, 0, 0, 1, 6)
        for column, button in enumerate((self.accept, self.correct, self.reject)):
            grid.addWidget(button, 2, 2 * column, 1, 2)
        for column, button in enumerate((self.back, self.undo, self.next)):
            grid.addWidget(button, 3, 2 * column, 1, 2)

    def bind_keys(self, owner: QWidget) -> None:
        """Let the keys on the buttons work while a widget is there."""
        keys = {
            "A": self.accept,
            "K": self.correct,
            "R": self.reject,
            "U": self.undo,
            "N": self.next,
            "B": self.back,
        }
        for key, button in keys.items():
            bind_key(owner, key, button.click)

    def allow(self, *, accept: bool, correct: bool, reject: bool, undo: bool) -> None:
        """Enable the decisions that are possible now."""
        self.accept.setEnabled(accept)
        self.correct.setEnabled(correct)
        self.reject.setEnabled(reject)
        self.undo.setEnabled(undo)
