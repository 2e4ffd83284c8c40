"""Work beside the screen: one thing at a time in a thread, answers in the screen's own thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, Signal


class Background(QObject):
    """A thread that carries out what it is given, in order."""

    _done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._n_waiting = 0
        self._is_finished = False
        self._done.connect(self._answer)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is running, waiting, or answered and not yet heard."""
        return self._n_waiting == 0

    def do(self, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Carry out ``work`` in the thread, then call ``then(answer, error)`` in the screen's.

        Once it is finished, nothing is: the window is closing.
        """
        if self._is_finished:
            return
        self._n_waiting += 1
        future = self._pool.submit(work)
        future.add_done_callback(lambda done: self._done.emit(done, then))

    def finish(self) -> None:
        """Carry out all that waits; nothing more is taken, and nobody is called any more."""
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
