"""The end of a run: its table, its counts, where its files are, and what to do next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

from glutseg.installation import install_command
from glutseg.output.text import plain
from glutseg.result import STATUSES
from glutseg.terminal.console import say, text, width_of, write
from glutseg.terminal.shown import MAX_ROWS, STATUS_STYLES
from glutseg.terminal.table import table_lines

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from glutseg.batch import RunSummary
    from glutseg.image import Side
    from glutseg.output.schema import CaseRow

MAX_NAMED = 5
"""Patients listed by id in a message."""
MAX_COMMAND = 50
"""Characters of a command up to which its explanation stands in a column."""
FIGURES = ("left\nmm²", "right\nmm²", "mean\nmm²", "mean/height\nmm²/m")


def print_summary(summary: RunSummary) -> None:
    """Print the table at the end of a run, and what to do next."""
    shown, which = _shown(summary)
    names = ("case", "status", *FIGURES, "remarks")
    width = width_of(sys.stdout)
    write(sys.stdout, table_lines(names, [_cells(row) for row in shown], width, right=FIGURES))
    if len(shown) < len(summary.rows):
        say(f"{which}; all {len(summary.rows)} are in measurements.csv")
    counts = ", ".join(f"{summary.count(status)} {status}" for status in STATUSES)
    say(f"{_studies(len(summary.rows))}: {counts}; {summary.seconds:.0f} s")
    if summary.n_kept:
        say(f"{summary.n_kept} of them were done before")
    if summary.problems:
        say(f"{len(summary.problems)} files could not be read; run.json lists them")
    if summary.unmatched is not None:
        _print_unmatched("of the participants table without images", summary.unmatched.participants)
        _print_unmatched(
            "without a row in the participants table (height of the header)", summary.unmatched.patients
        )
    say(f"table: {summary.out / 'measurements.csv'}")
    say(f"overlays: {summary.out / 'cases'}")
    for line in next_steps(summary.out, summary.count("review"), summary.count("failed"), len(summary.rows)):
        say(line)


def next_steps(out: Path, n_review: int, n_failed: int, n_studies: int) -> list[str]:
    """What to do with a run, one step per line, with the command for each.

    Parameters
    ----------
    out : the run's folder, as it was named
    n_review, n_failed, n_studies : numbers of studies that ask for a look, that failed, and of all
    """
    folder = shlex.quote(plain(str(out)))
    steps = []
    if n_failed:
        steps.append((f"glutseg status {folder}", f"why {_studies(n_failed)} failed"))
    if n_failed < n_studies:
        if find_spec("napari") is None:
            steps.append((install_command("viewer"), "installs the viewer"))
        look = f"{n_review} to look at" if n_review else "look at the outlines"
        steps.append((f"glutseg review {folder}", look))
    steps.append((f"glutseg report {folder}", "one HTML page"))
    length = max((len(command) for command, _ in steps if len(command) <= MAX_COMMAND), default=0)
    return [
        f"{'      ' if number else 'next: '}{command:<{length}}   ({why})"
        for number, (command, why) in enumerate(steps)
    ]


def _studies(number: int) -> str:
    return "1 study" if number == 1 else f"{number} studies"


def _shown(summary: RunSummary) -> tuple[list[CaseRow], str]:
    """Rows for the table; of a large run those that failed or ask for review go first."""
    if len(summary.rows) <= MAX_ROWS:
        return list(summary.rows), ""
    in_question = (row for row in summary.rows if row.result.status in ("failed", "review"))
    if first := list(islice(in_question, MAX_ROWS)):
        return first, f"shown: {len(first)} studies that failed or ask for review"
    return list(summary.rows[:MAX_ROWS]), f"shown: the first {MAX_ROWS} studies"


def _print_unmatched(description: str, ids: Sequence[str]) -> None:
    """Print the number of patients and the first of them; run.json lists them all."""
    if ids:
        more = ", ..." if len(ids) > MAX_NAMED else ""
        named = ", ".join(plain(i, 30) or "(no id)" for i in ids[:MAX_NAMED])
        counted = "1 patient" if len(ids) == 1 else f"{len(ids)} patients"
        say(f"{counted} {description}: {named}{more}")


def _cells(row: CaseRow) -> list[Text]:
    from glutseg.measurement import mean_of_sides, per_height

    result = row.result
    sides: tuple[Side, Side] = ("left", "right")
    left, right = (result.area_mm2(side) for side in sides)
    mean = mean_of_sides(left, right)
    values = [left, right, mean, per_height(mean, result.height.height_m)]
    reason = f"{result.error_code}: {result.error_message}" if result.error_code else ""
    flags = ", ".join(dict.fromkeys(str(flag) for flag in result.all_flags))
    return [
        text(result.case_id),
        text(result.status, STATUS_STYLES[result.status]),
        *(text("" if value is None else f"{value:.0f}") for value in values),
        text("; ".join(part for part in (reason, flags) if part)),
    ]
