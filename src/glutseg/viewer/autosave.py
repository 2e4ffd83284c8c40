"""Saves a reviewer's work in the background: corrections, their overlays, drafts and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from glutseg.errors import GlutsegError
from glutseg.review.check_drawn import Finding
from glutseg.viewer.background import Background
from glutseg.viewer.parts import single_shot
from glutseg.viewer.session import OpenCase, Session

TABLES_AFTER_MS = 1500
"""Milliseconds from the last decision until the tables are written again."""
DRAFT_EVERY_MS = 15_000
"""Milliseconds between drafts."""


class Autosave(QObject):
    """Writes in a thread of its own, one thing after another.

    Parameters
    ----------
    session : whose work is saved
    current : gives the open case if it has changes that are not saved, else None
    """

    failed = Signal(object)

    def __init__(self, session: Session, current: Callable[[], OpenCase | None], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._current = session, current
        self._writer = Background(self)
        self._tables = single_shot(self, TABLES_AFTER_MS, self._collate)
        self._drafts = QTimer(self)
        self._drafts.timeout.connect(self._save_draft)
        self._drafts.start(DRAFT_EVERY_MS)

    @property
    def is_idle(self) -> bool:
        """Whether everything is written, tables too."""
        return self._writer.is_idle and not self._tables.isActive()

    def schedule_tables(self) -> None:
        """Write the tables a little later: a decision was made."""
        self._tables.start()

    def correct(
        self,
        snapshot: OpenCase,
        note: str,
        kept_anyway: tuple[Finding, ...],
        then: Callable[[Exception | None], None],
    ) -> None:
        """Save a correction, then call ``then``; its overlay is drawn afterwards."""

        def saved(measured: Any, error: Exception | None) -> None:
            if error is None:
                self._writer.do(lambda: self._session.draw_overlay(snapshot, measured), self._finished)
            then(error)

        self._writer.do(lambda: self._session.correct(snapshot, note=note, kept_anyway=kept_anyway), saved)

    def save_draft_now(self) -> bool:
        """Save a draft at once, before anything else happens; whether there was anything to save."""
        opened = self._current()
        try:
            return opened is not None and self._session.save_draft(opened)
        except GlutsegError as error:
            self.failed.emit(error)
            return False

    def close(self) -> None:
        """Finish what is being written, then write the tables."""
        self._drafts.stop()
        self.save_draft_now()
        is_due = not self.is_idle
        self._tables.stop()
        self._writer.finish()
        if is_due:
            self._session.collator.collate()

    def _save_draft(self) -> None:
        opened = self._current()
        if opened is not None and self._writer.is_idle:
            snapshot = opened.snapshot()
            self._writer.do(lambda: self._session.save_draft(snapshot), self._finished)

    def _collate(self) -> None:
        if self._writer.is_idle:
            self._writer.do(self._session.collator.collate, self._finished)
        else:
            self._tables.start()

    def _finished(self, _answer: Any, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(error)
