"""Output of the commands that exchange data with other programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glutseg import terminal

if TYPE_CHECKING:
    from glutseg.exchange.export import Exported
    from glutseg.exchange.osirix_table import Line
    from glutseg.output.schema import CaseRow

GIVEN = ("case", "status", "level", "left mm²", "right mm²", "remarks")
READINGS = (
    *("ROI", "type", "slice", "z mm", "assigned to", "OsiriX mm²", "outline mm²", "pixels mm²"),
    *("OsiriX HU", "HU", "discrepancy"),
)


def show_given(row: CaseRow, out: Path | None) -> None:
    """Print the measurements of a given mask."""
    notes = () if out is None else (f"table: {out / 'measurements.csv'}   overlays: {out / 'cases'}",)
    terminal.print_cells(GIVEN, [_given(row)], notes)


def _given(row: CaseRow) -> list[str]:
    result = row.result
    level = result.level
    areas = [result.area_mm2("left"), result.area_mm2("right")]
    remarks = [f"{result.error_code}: {result.error_message}"] if result.error_code else []
    return [
        result.case_id,
        result.status,
        "" if level is None else f"{level.name}, slice {result.stored_slice_index}",
        *("" if area is None else f"{area:.0f}" for area in areas),
        "; ".join([*remarks, ", ".join(dict.fromkeys(str(flag) for flag in result.all_flags))]),
    ]


def show_readings(lines: Sequence[Line], n_left_out: int) -> None:
    """Print OsiriX's measurements beside glutseg's."""
    note = f"{n_left_out} ROIs enclose no area (lines, angles, texts, points) and were left out"
    terminal.print_cells(READINGS, [_reading(line) for line in lines], (note,) if n_left_out else ())


def _reading(line: Line) -> list[str]:
    reading, term = line
    areas = (reading.osirix_area_mm2, reading.line_area_mm2, reading.area_mm2)
    return [
        reading.roi.name,
        reading.roi.kind_name,
        f"{reading.slice_index}",
        f"{reading.z_mm:.1f}",
        "" if term is None else f"{term.muscle} {term.side}",
        *(_figure(value) for value in (*areas, reading.osirix_mean_hu, reading.mean_hu)),
        "; ".join(reading.discrepancies),
    ]


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.1f}"


def show_exported(done: Exported) -> None:
    """Print the written files and the cases left out."""
    notes = [str(path) for path in done.files[: terminal.MAX_ROWS]]
    if len(done.files) > terminal.MAX_ROWS:
        notes.append(f"... and {len(done.files) - terminal.MAX_ROWS} more")
    counts = f"{len(done.files)} files; {len(done.left_out)} cases left out"
    terminal.print_cells(("left out", "code", "reason"), done.left_out, [*notes, counts])
