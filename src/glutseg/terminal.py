"""Output in the terminal: progress on stderr, tables on stdout, all text escaped."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from glutseg.errors import GlutsegError
from glutseg.output.text import plain
from glutseg.result import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from glutseg.batch import RunSummary
    from glutseg.batch.status import RunStatus
    from glutseg.errors import Flag
    from glutseg.image import Side
    from glutseg.measurement.grown import GrownRegion
    from glutseg.output.schema import CaseRow
    from glutseg.protocol import Protocol
    from glutseg.result import CaseResult

MAX_ROWS = 40
"""Rows of a table before it is shortened."""
MAX_NAMED = 5
"""Patients listed by id in a message."""
PIPE_WIDTH = 160
"""Width in characters if the output is not a terminal, so that nothing is cut off."""
STATUS_STYLES = {"ok": "green", "review": "yellow", "failed": "red", "excluded": "dim"}


def _console(stream: Any) -> Console:
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False)


def _text(text: str, style: str = "") -> Text:
    """Return text in which neither rich's markup nor escape codes have an effect."""
    return Text(plain(text), style=style)


def print_error(error: GlutsegError) -> None:
    """Print on stderr: the code, what was found (a line, or one for each of several), where, what to do."""
    gap = "" if error.message.endswith("\n") else " "
    where = f"[{error.where}] " if error.where else ""
    text = f"glutseg: {error.code}: {error.message}{gap}{where}{error.remedy}"
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        _console(sys.stderr).print(Text(" " * indent) + _text(line, "red"), soft_wrap=True)


class Bar:
    """A progress bar, first for files, then for studies."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading headers", total=None)

    def scanning(self, done: int, total: int) -> None:
        """For `glutseg.dicom.scan`."""
        self._progress.update(self._task, completed=done, total=total)

    def rendering(self, done: int, total: int) -> None:
        """For `glutseg.phantom.write_studies`."""
        self._progress.update(self._task, description="rendering patients", completed=done, total=total)

    def measuring(self, done: int, total: int, last: CaseResult | None) -> None:
        """For `glutseg.batch.run`."""
        description = "measuring" if last is None else f"{plain(last.case_id, 30)}: {last.status}"
        self._progress.update(self._task, description=description, completed=done, total=total)


@contextmanager
def progress() -> Iterator[Bar]:
    """Show a progress bar on stderr while the block runs."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = _console(sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Bar(bar)


def print_summary(summary: RunSummary) -> None:
    """Print the table at the end of a run, and where its files are."""
    table = Table("case", "status", "left mm²", "right mm²", "mean mm²", "mean/height mm²/m", "remarks")
    for name in ("left mm²", "right mm²", "mean mm²", "mean/height mm²/m"):
        column = next(c for c in table.columns if c.header == name)
        column.justify = "right"
    for row in summary.rows[:MAX_ROWS]:
        table.add_row(*_summary_cells(row))
    console = _console(sys.stdout)
    console.print(table)
    if len(summary.rows) > MAX_ROWS:
        console.print(f"... and {len(summary.rows) - MAX_ROWS} more in measurements.csv")
    counts = ", ".join(f"{summary.count(s)} {s}" for s in STATUSES)
    console.print(f"{len(summary.rows)} studies: {counts}; {summary.seconds:.0f} s")
    if summary.n_kept:
        console.print(f"{summary.n_kept} of them were done before")
    if summary.problems:
        console.print(f"{len(summary.problems)} files could not be read; run.json lists them")
    if summary.unmatched is not None:
        _print_unmatched(console, "of the participants table without images", summary.unmatched.participants)
        _print_unmatched(
            console,
            "without a row in the participants table (height of the header)",
            summary.unmatched.patients,
        )
    console.print(
        _text(f"table: {summary.out / 'measurements.csv'}   overlays: {summary.out / 'cases'}"),
        soft_wrap=True,
    )


def print_lines(lines: Sequence[str], last: str) -> None:
    """Print sentences on stdout."""
    console = _console(sys.stdout)
    for line in (*lines, last):
        console.print(_text(line), soft_wrap=not sys.stdout.isatty())


def print_status(status: RunStatus) -> None:
    """Print the result of `glutseg status`."""
    console = _console(sys.stdout)
    counts = ", ".join(f"{n} {name}" for name, n in status.counts.items())
    console.print(f"{status.state}: {status.n_done} of {status.n_studies} studies are done; {counts}")
    if status.n_done < status.n_studies:
        if status.seconds_per_study is not None and status.state == "running":
            rest_min = status.seconds_per_study * (status.n_studies - status.n_done) / 60
            console.print(f"{status.seconds_per_study:.1f} s per study; about {rest_min:.0f} min to go")
        if status.seconds_since_last is not None:
            console.print(f"the last one was done {status.seconds_since_last:.0f} s ago")
        console.print("if the run is not running any more, `glutseg run ... --resume` goes on")
    for reviewer, numbers in status.decisions.items():
        decisions = ", ".join(f"{n} {name}" for name, n in numbers.items())
        console.print(_text(f"reviewed by {reviewer}: {decisions} of {status.n_studies}"), soft_wrap=True)
    for case_id, _, reason in status.exclusions[:MAX_ROWS]:
        console.print(_text(f"excluded: {case_id}: {reason}"), soft_wrap=True)
    if status.failures:
        table = Table("failed", "code", "reason")
        for failure in status.failures[:MAX_ROWS]:
            table.add_row(*(_text(cell) for cell in failure))
        console.print(table)
        if len(status.failures) > MAX_ROWS:
            console.print(f"... and {len(status.failures) - MAX_ROWS} more; see --json")


def _print_unmatched(console: Console, description: str, ids: Sequence[str]) -> None:
    """Print the number of patients and the first of them; run.json lists them all."""
    if ids:
        more = ", ..." if len(ids) > MAX_NAMED else ""
        shown = ", ".join(plain(i, 30) or "(no id)" for i in ids[:MAX_NAMED])
        counted = "1 patient" if len(ids) == 1 else f"{len(ids)} patients"
        console.print(_text(f"{counted} {description}: {shown}{more}"), soft_wrap=True)


def _summary_cells(row: CaseRow) -> list[Text]:
    from glutseg.measurement import mean_of_sides, per_height

    result = row.result
    sides: tuple[Side, Side] = ("left", "right")
    left, right = (result.area_mm2(side) for side in sides)
    mean = mean_of_sides(left, right)
    values = [left, right, mean, per_height(mean, result.height.height_m)]
    remarks = f"{result.error_code}: {result.error_message}" if result.error_code else ""
    flags = ", ".join(dict.fromkeys(str(flag) for flag in result.all_flags))
    return [
        _text(result.case_id),
        _text(result.status, STATUS_STYLES[result.status]),
        *(_text("" if value is None else f"{value:.0f}") for value in values),
        _text("; ".join(part for part in (remarks, flags) if part)),
    ]


def print_listing(listing: dict[str, Any]) -> None:
    """Print the table of `glutseg scan`."""
    table = Table(
        "patient",
        "date",
        "series",
        "images",
        "spacing z, y, x mm",
        "z range mm",
        "kernel",
        "measure?",
        "reason",
    )
    for row in listing["series"]:
        spacing = " x ".join(f"{s:g}" for s in (row["spacing_zyx_mm"] or ()))
        z_range = " to ".join(f"{z:.0f}" for z in (row["z_range_mm"] or ()))
        measured = {None: "no", 1: "yes"}.get(row["rank"], f"{row['rank']}.")
        style = {None: "dim", 1: "green"}.get(row["rank"], "")
        name = f"{row['modality']} {row['description']}"
        if row["n_parts"] > 1:
            name += f" (part {row['part']} of {row['n_parts']})"
        images = str(row["n_images"])
        if 0 < row["n_slices"] < row["n_images"]:
            images = f"{row['n_slices']} of {images}"
        reason = "; ".join([row["reason"], *(f"{f['code']}: {f['message']}" for f in _flags(row))])
        cells = (
            row["patient_id"],
            row["study_date"],
            name,
            images,
            spacing,
            z_range,
            row["kernel"],
            measured,
            reason,
        )
        table.add_row(*(_text(cell, style) for cell in cells))
    console = _console(sys.stdout)
    console.print(table)
    for problem in listing["problems"][:MAX_ROWS]:
        console.print(_text(f"left out: {problem['path']}: {problem['message']}"), soft_wrap=True)
    if len(listing["problems"]) > MAX_ROWS:
        console.print(f"... and {len(listing['problems']) - MAX_ROWS} more files; see --json")


def _flags(row: dict[str, Any]) -> list[dict[str, str]]:
    """Return the flags of a series that may be measured; for a rejected one the reason is enough."""
    return [] if row["rank"] is None else row["flags"]


def print_protocols(protocols: Sequence[Protocol]) -> None:
    """Print the table of `glutseg protocols`."""
    table = Table("name", "description")
    for protocol in protocols:
        table.add_row(_text(protocol.name), _text(protocol.description))
    _console(sys.stdout).print(table)


def print_region(region: GrownRegion, flags: Sequence[Flag], mask_file: Path | None) -> None:
    """Print the result of `glutseg grow`, with OsiriX's three decimals."""
    seed, readout = region.stored_seed, region.readout
    z_mm = region.mask.stored.slice_z_mm(seed.z)
    settings = region.settings.model_dump()
    method = settings.pop("method")
    lines = {
        "seed": f"x {seed.x}, y {seed.y}, slice {seed.z} at z = {z_mm:.1f} mm; {region.seed_hu} HU",
        "method": f"{method}, {'3D' if region.is_3d else '2D'}; "
        + ", ".join(f"{name} {value:g}" for name, value in settings.items()),
        "region": f"{readout.n_pixels} pixels on {len(region.slices)} slices",
        "area": _with_unit(readout.area_mm2, "mm²"),
        "polygon area": _with_unit(readout.polygon_area_mm2, "mm²"),
        "volume": _with_unit(readout.volume_cm3, "cm³"),
        "mean": _with_unit(readout.mean_hu, "HU"),
        "SD (n - 1)": _with_unit(readout.sd_hu, "HU"),
        "min to max": f"{readout.min_hu:g} to {readout.max_hu:g} HU",
        "sum": f"{readout.sum_hu:.0f} HU",
        **{f"flag {number}": f"{flag}: {flag.message}" for number, flag in enumerate(flags, start=1)},
        "mask": "" if mask_file is None else str(mask_file),
    }
    console = _console(sys.stdout)
    for name, text in lines.items():
        if text:
            console.print(_text(f"{name:<14}{text}"), soft_wrap=True)


def _with_unit(value: float | None, unit: str) -> str:
    """Format a value with its unit; "" if it is unknown."""
    return "" if value is None or math.isnan(value) else f"{value:.3f} {unit}"


def print_cells(names: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print a table, shortened to `MAX_ROWS`, and lines below it."""
    console = _console(sys.stdout)
    if rows:
        table = Table(*names)
        for row in rows[:MAX_ROWS]:
            table.add_row(*(_text(cell) for cell in row))
        console.print(table)
    if len(rows) > MAX_ROWS:
        console.print(f"... and {len(rows) - MAX_ROWS} more")
    for note in notes:
        console.print(_text(note), soft_wrap=True)
