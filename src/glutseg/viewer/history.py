"""Undo and redo of everything that changes an open case: strokes, tools, clicks and the level."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

MOST_STEPS = 100
"""Steps that can be undone; napari keeps as many of a labels layer."""
ONE_MOVE_S = 1.0
"""Moves of the level within this many seconds of each other are one step: a slider gives one per slice."""

Kind = Literal["labels", "level", "clicks"]
Call = Callable[[], None]


@dataclass(frozen=True)
class Change:
    """One change, and how to take it back and make it again."""

    kind: Kind
    undo: Call
    redo: Call


@dataclass
class _Step:
    """Changes that are undone together, oldest first."""

    changes: list[Change] = field(default_factory=list)
    at_s: float = 0.0


class History:
    """What was done to a case, oldest first.

    Parameters
    ----------
    clock : gives seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: deque[_Step] = deque(maxlen=MOST_STEPS)
        self._undone: list[_Step] = []
        self._open: _Step | None = None
        self._is_replaying = False
        self._listeners: list[Call] = []

    def on_change(self, listener: Call) -> None:
        """Call ``listener`` whenever there is more or less to undo or redo."""
        self._listeners.append(listener)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def clear(self) -> None:
        """Forget everything, for another case."""
        self._done.clear()
        self._undone.clear()
        self._tell()

    def record(self, change: Change) -> None:
        """Remember a change that was just made, alone or in the step that is open."""
        if self._is_replaying:
            return
        if self._open is not None:
            self._open.changes.append(change)
            return
        now_s, last = self._clock(), self._done[-1] if self._done else None
        if (
            change.kind == "level"
            and last is not None
            and now_s - last.at_s <= ONE_MOVE_S
            and [one.kind for one in last.changes] == ["level"]
            and not self._undone
        ):
            last.changes[0] = Change("level", last.changes[0].undo, change.redo)
            last.at_s = now_s
            return
        self._append(_Step([change], now_s))

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """What is recorded within is undone together."""
        if self._open is not None or self._is_replaying:
            yield
            return
        self._open = step = _Step(at_s=self._clock())
        try:
            yield
        finally:
            self._open = None
            if step.changes:
                self._append(step)

    @contextmanager
    def part_of_last_move(self) -> Iterator[None]:
        """What is recorded within belongs to the move of the level that was the last step, if it was."""
        last = self._done[-1] if self._done else None
        if last is None or self._undone or [one.kind for one in last.changes] != ["level"]:
            with self.one_step():
                yield
            return
        self._open = last
        try:
            yield
        finally:
            self._open = None

    def undo(self) -> None:
        """Take the newest step back."""
        if self._done:
            step = self._done.pop()
            self._replay([change.undo for change in reversed(step.changes)])
            self._undone.append(step)
            self._tell()

    def redo(self) -> None:
        """Make the step again that was undone last."""
        if self._undone:
            step = self._undone.pop()
            self._replay([change.redo for change in step.changes])
            self._done.append(step)
            self._tell()

    def _append(self, step: _Step) -> None:
        self._undone.clear()
        self._done.append(step)
        self._tell()

    def _replay(self, calls: list[Call]) -> None:
        self._is_replaying = True
        try:
            for call in calls:
                call()
        finally:
            self._is_replaying = False

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
