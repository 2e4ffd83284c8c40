"""The tables, as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from glutseg.output.atomic import replacing
from glutseg.output.columns import Column, Row
from glutseg.output.layout import LEVELS_CSV, MEASUREMENTS_CSV, PROFILE_CSV
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.slice_tables import LEVELS, PROFILE, level_rows, profile_rows
from glutseg.output.text import safe_cell
from glutseg.protocol import ExtentRule
from glutseg.result import CaseResult

AT_LEVEL = ExtentRule()


SortKey = tuple[str, str, str]


def sort_key(result: CaseResult) -> SortKey:
    """By patient, date and study: the same order whatever order the studies were measured in."""
    return result.patient_id, result.study_date, result.study_uid


def sort_rows(rows: Iterable[CaseRow]) -> list[CaseRow]:
    """The rows in the order of the tables."""
    return sorted(rows, key=lambda row: sort_key(row.result))


@contextmanager
def writing_tables(out: Path, extent: ExtentRule = AT_LEVEL) -> Iterator[Callable[[CaseRow], None]]:
    """A function that adds a row to measurements.csv, to profile.csv, and to levels.csv where whole muscles
    are measured; rows come in the order of `sort_key`, and none is kept.

    The tables take the places of earlier ones when the block ends without an error.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    columns = measurement_columns(extent)
    with ExitStack() as files:
        add_measurements = files.enter_context(writing_csv(out / MEASUREMENTS_CSV, columns))
        add_profile = files.enter_context(writing_csv(out / PROFILE_CSV, PROFILE))
        has_levels = extent.whole_muscle
        add_levels = files.enter_context(writing_csv(out / LEVELS_CSV, LEVELS)) if has_levels else None

        def add(row: CaseRow) -> None:
            add_measurements([row])
            add_profile(profile_rows(row.result))
            if add_levels:
                add_levels(level_rows(row.result, extent.muscles))

        yield add


def write_tables(out: Path, rows: Iterable[CaseRow], extent: ExtentRule = AT_LEVEL) -> None:
    """Write the tables of rows in any order; see `writing_tables`."""
    with writing_tables(out, extent) as add:
        for row in sort_rows(rows):
            add(row)


@contextmanager
def writing_csv(path: Path, columns: Sequence[Column[Row]]) -> Iterator[Callable[[Iterable[Row]], None]]:
    """A function that adds rows to a table; see `to_csv` and `replacing`."""
    with replacing(path) as file:
        # lone surrogates of broken file names become "?"
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        try:
            yield _csv_writer(columns, text)
        finally:
            text.detach()  # flushes; the file is closed elsewhere


def to_csv(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> str:
    """UTF-8 text with ``,`` and ``\n``; unknowns are empty, texts cannot act as formulas."""
    text = io.StringIO(newline="")
    _csv_writer(columns, text)(rows)
    return text.getvalue()


def _csv_writer(columns: Sequence[Column[Row]], text: TextIO) -> Callable[[Iterable[Row]], None]:
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])

    def add(rows: Iterable[Row]) -> None:
        for row in rows:
            cells = [column.value(row) for column in columns]
            writer.writerow(["" if c is None else safe_cell(c) if isinstance(c, str) else c for c in cells])

    return add
