"""Progress on stderr: a line that moves in a terminal, a line per study in a file or a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
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
        self._task = progress.add_task("starting", total=None, left="") if progress else None
        self._running: dict[str, None] = {}
        self._start = 0.0
        self._n_before = 0

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
                write(sys.stderr, [Text(f"measuring {total} studies{kept}")])
        else:
            self._running.pop(last.case_id, None)
            if self._progress is None:
                write(sys.stderr, [text(_line(done, total, last))])
        self._update(self._measuring(), done, total, self._left(done, total))

    def _measuring(self) -> str:
        if not self._running:
            return "starting to measure"
        first, *others = self._running
        return f"measuring {plain(first)}" + (f" and {len(others)} more" if others else "")

    def _left(self, done: int, total: int) -> str:
        """The time that is left, once a study of this run is done."""
        if done in (self._n_before, total):
            return ""
        seconds = (time.monotonic() - self._start) / (done - self._n_before) * (total - done)
        return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"

    def _update(self, description: str, done: int, total: int, left: str = "") -> None:
        if self._progress and self._task is not None:
            self._progress.update(
                self._task, description=description, completed=done, total=total or None, left=left
            )


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
        TextColumn("{task.completed:.0f}/{task.total}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=console_of(sys.stderr), transient=True, expand=True) as shown:
        yield Bar(shown)
