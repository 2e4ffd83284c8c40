"""Keeps a reviewer's work: corrections, their pictures, drafts and tables, beside the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from glutseg.errors import GlutsegError
from glutseg.viewer.background import Background
from glutseg.viewer.parts import single_shot
from glutseg.viewer.session import OpenCase, Session

TABLES_AFTER_MS = 1500
"""After the last decision the tables are written anew."""
DRAFT_EVERY_MS = 15_000


class Keeper(QObject):
    """Writes in a thread of its own, one thing after the other.

    Parameters
    ----------
    session : whose work
    current : the case that is open, if anything was drawn on it since it was last kept; else None
    """

    failed = Signal(object)

    def __init__(self, session: Session, current: Callable[[], OpenCase | None], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._current = session, current
        self._clerk = Background(self)
        self._tables = single_shot(self, TABLES_AFTER_MS, self._collate)
        self._drafts = QTimer(self)
        self._drafts.timeout.connect(self._draft_aside)
        self._drafts.start(DRAFT_EVERY_MS)

    @property
    def is_idle(self) -> bool:
        """Whether all is written, tables too."""
        return self._clerk.is_idle and not self._tables.isActive()

    def tables_are_due(self) -> None:
        """Somebody decided: write the tables, a little later."""
        self._tables.start()

    def correct(
        self, frozen: OpenCase, words: tuple[str, str], then: Callable[[Exception | None], None]
    ) -> None:
        """Keep a correction, then call ``then``; its picture is drawn afterwards."""

        def kept(measured: Any, error: Exception | None) -> None:
            if error is None:
                self._clerk.do(lambda: self._session.draw_overlay(frozen, measured), self._heard)
            then(error)

        self._clerk.do(lambda: self._session.correct(frozen, *words), kept)

    def draft_now(self) -> bool:
        """Keep what is drawn and not decided before anything else happens; whether there was any."""
        opened = self._current()
        try:
            return opened is not None and self._session.keep_draft(opened)
        except GlutsegError as error:
            self.failed.emit(error)
            return False

    def close(self) -> None:
        """Finish what is being written, then the tables."""
        self._drafts.stop()
        self.draft_now()
        is_due = not self.is_idle
        self._tables.stop()
        self._clerk.finish()
        if is_due:
            self._session.collator.collate()

    def _draft_aside(self) -> None:
        opened = self._current()
        if opened is not None and self._clerk.is_idle:
            frozen = opened.frozen()
            self._clerk.do(lambda: self._session.keep_draft(frozen), self._heard)

    def _collate(self) -> None:
        if self._clerk.is_idle:
            self._clerk.do(self._session.collator.collate, self._heard)
        else:
            self._tables.start()

    def _heard(self, _answer: Any, error: Exception | None) -> None:
        if error is not None:
            self.failed.emit(error)
