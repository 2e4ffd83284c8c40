"""The tables: CSV for people, Parquet for programs, the same rows in both."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glutseg.output.atomic import write_bytes, write_text
from glutseg.output.columns import Column, Row
from glutseg.output.layout import LEVELS_CSV, MEASUREMENTS_CSV, MEASUREMENTS_PARQUET, PROFILE_CSV
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.slice_tables import LEVELS, PROFILE, level_rows, profile_rows
from glutseg.output.text import plain, safe_cell
from glutseg.protocol import ExtentRule

AT_LEVEL = ExtentRule()


def sort_rows(rows: Sequence[CaseRow]) -> list[CaseRow]:
    """By patient, date and study: the same order whatever order the studies were measured in."""
    return sorted(rows, key=lambda r: (r.result.patient_id, r.result.study_date, r.result.study_uid))


def write_tables(out: Path, rows: Sequence[CaseRow], extent: ExtentRule = AT_LEVEL) -> None:
    """Write measurements.csv, measurements.parquet and profile.csv, sorted by `sort_rows`; levels.csv
    where whole muscles were measured."""
    ordered = sort_rows(rows)
    columns = measurement_columns(extent)
    points = [point for row in ordered for point in profile_rows(row.result)]
    write_text(out / MEASUREMENTS_CSV, to_csv(columns, ordered))
    write_bytes(out / MEASUREMENTS_PARQUET, to_parquet(columns, ordered))
    write_text(out / PROFILE_CSV, to_csv(PROFILE, points))
    if extent.whole_muscle:
        levels = [level for row in ordered for level in level_rows(row.result, extent.muscles)]
        write_text(out / LEVELS_CSV, to_csv(LEVELS, levels))


def to_csv(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """UTF-8 text with ``,`` and ``\\n``; unknowns are empty, texts cannot act as formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        cells = [column.value(row) for column in columns]
        writer.writerow(["" if c is None else safe_cell(c) if isinstance(c, str) else c for c in cells])
    return text.getvalue()


def to_parquet(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> bytes:
    """The same rows with their types; texts as they are, since no spreadsheet runs a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(to_arrow(columns, rows), buffer)
    return bytes(buffer.getvalue())


def to_arrow(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> Any:
    """A pyarrow table of the rows."""
    import pyarrow as pa

    types = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    cells = {c.name: [_clean(c.value(row)) for row in rows] for c in columns}
    schema = pa.schema([(c.name, types[c.kind]) for c in columns])
    return pa.table(cells, schema=schema)


def _clean(cell: str | float | None) -> str | float | int | None:
    return plain(cell) if isinstance(cell, str) else cell
