"""Work in a background thread, one task at a time, with the results delivered in Qt's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, Signal


class Background(QObject):
    """A thread that runs tasks in order."""

    _done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._n_waiting = 0
        self._is_finished = False
        self._done.connect(self._answer)

    @property
    def is_idle(self) -> bool:
        """Whether no task is running or waiting and every result was delivered."""
        return self._n_waiting == 0

    def do(self, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Run ``work`` in the thread, then call ``then(answer, error)`` in Qt's thread.

        After `finish`, when the window is closing, tasks are ignored.
        """
        if self._is_finished:
            return
        self._n_waiting += 1
        future = self._pool.submit(work)
        future.add_done_callback(lambda done: self._done.emit(done, then))

    def finish(self) -> None:
        """Run all waiting tasks; new ones are ignored, and no result is delivered any more."""
        self._is_finished = True
        self._pool.shutdown(wait=True)

    def _answer(self, done: Future[Any], then: Callable[[Any, Exception | None], None]) -> None:
        self._n_waiting -= 1
        if done.cancelled() or self._is_finished:
            return
        error = done.exception()
        if isinstance(error, Exception):
            then(None, error)
        elif error is None:
            then(done.result(), None)
