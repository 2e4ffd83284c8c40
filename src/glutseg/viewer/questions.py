"""The question before a correction is kept that looks wrong somewhere."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from glutseg.output.text import plain
from glutseg.review.check_drawn import Finding

MAX_TEXT = 2000


def ask_about(
    parent: QWidget, findings: tuple[Finding, ...], keep: Callable[[], object], back: Callable[[], object]
) -> QMessageBox:
    """Ask once; Enter and Escape go back. It returns at once, `keep` or `back` is called with the answer."""
    box = QMessageBox(parent)
    box.setObjectName("correction-question")
    box.setIcon(QMessageBox.Question)
    box.setWindowTitle("Keep this correction?")
    box.setTextFormat(Qt.PlainText)
    box.setText("Is this meant? Look again before the correction is kept:")
    box.setInformativeText(plain_lines(findings))
    go_back = box.addButton("Go back and correct", QMessageBox.RejectRole)
    kept = box.addButton("Keep anyway", QMessageBox.AcceptRole)
    box.setDefaultButton(go_back)
    box.setEscapeButton(go_back)
    box.setAttribute(Qt.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda button: keep() if button is kept else back())
    box.open()
    return box


def plain_lines(findings: tuple[Finding, ...]) -> str:
    """One line for each finding."""
    return "\n".join(f"• {plain(finding.sentence, MAX_TEXT)}" for finding in findings)
