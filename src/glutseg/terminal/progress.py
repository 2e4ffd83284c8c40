"""Progress on stderr: a line that moves in a terminal, a line per study in a file or a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from glutseg.output.text import plain
from glutseg.terminal.console import console_of, text, write

if TYPE_CHECKING:
    from glutseg.result import CaseResult


class Bar:
    """What is being done, first for files, then for studies.

    Parameters
    ----------
    progress : the line in the terminal; None where stderr is no terminal
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=None, end=None) if progress else None
        self._running: dict[str, None] = {}
        self._start = 0.0
        self._n_before = 0
        self._is_done = False

    def scanning(self, done: int, total: int) -> None:
        """For `glutseg.dicom.scan`."""
        self._update("reading headers", done, total)

    def rendering(self, done: int, total: int) -> None:
        """For `glutseg.phantom.write_studies`."""
        self._update("rendering patients", done, total)

    def started(self, case_id: str) -> None:
        """For `glutseg.batch.run`: a study is being measured from now on."""
        self._running[case_id] = None
        if self._progress and self._task is not None:
            self._progress.update(self._task, description=self._measuring())

    def measuring(self, done: int, total: int, last: CaseResult | None) -> None:
        """For `glutseg.batch.run`: before the first study and after each."""
        if last is None:
            self._start, self._n_before = time.monotonic(), done
            if self._progress is None:
                kept = f", {done} of them done before" if done else ""
                write(sys.stderr, [Text(f"measuring {total} {'study' if total == 1 else 'studies'}{kept}")])
        else:
            self._running.pop(last.case_id, None)
            if self._progress is None:
                write(sys.stderr, [text(_line(done, total, last))])
        self._is_done = done == total
        self._update(self._measuring(), done, total, self._end(done, total))

    def _measuring(self) -> str:
        if not self._running:
            return "writing tables" if self._is_done else "starting to measure"
        first, *others = self._running
        return f"measuring {plain(first)}" + (f" and {len(others)} more" if others else "")

    def _end(self, done: int, total: int) -> float | None:
        """The moment at which the last study will be done; known once one of this run is."""
        if done in (self._n_before, total):
            return None
        now = time.monotonic()
        return now + (now - self._start) / (done - self._n_before) * (total - done)

    def _update(self, description: str, done: int, total: int, end: float | None = None) -> None:
        if self._progress and self._task is not None:
            self._progress.update(
                self._task, description=description, completed=done, total=total or None, end=end
            )


class _TimeLeft(ProgressColumn):
    """The time until the moment ``end``, where it is known."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        if end is None:
            return Text("")
        seconds = max(0.0, end - time.monotonic())
        return Text(f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left")


def _line(done: int, total: int, last: CaseResult) -> str:
    reason = f" {last.error_code}" if last.error_code else ""
    return f"{done}/{total} {plain(last.case_id)} {last.status}{reason} {sum(last.seconds.values()):.1f} s"


@contextmanager
def progress() -> Iterator[Bar]:
    """Show on stderr what the block does now, how much of it is done, and how long it takes."""
    if not sys.stderr.isatty():
        yield Bar(None)
        return
    columns = (
        SpinnerColumn("line"),  # of ASCII characters, which every terminal has
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _TimeLeft(),
    )
    with Progress(*columns, console=console_of(sys.stderr), transient=True, expand=True) as shown:
        yield Bar(shown)
