"""The participants table as a study needs it: whose row it is, and columns of numbers or of words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.measurement.participants import IDS, NUMBER, cleaned_key, find_column, key_of
from glutseg.measurement.spreadsheet import Cell, invalid, read_table
from glutseg.output.text import plain

MAX_LEVELS = 10
"""Different words of one column: more are free text, or a column of dates or ids."""


@dataclass(frozen=True)
class TableRow:
    """One patient; ``row`` is the line of the file, from 1."""

    key: str
    row: int
    cells: Mapping[str, Cell] = field(repr=False)


@dataclass(frozen=True)
class StudyTable:
    """The whole table.

    Attributes
    ----------
    rows : by key, in the order of the file
    named_by : which of patient_id, pseudonym, case_id the keys are
    columns : the header
    """

    rows: Mapping[str, TableRow]
    named_by: str
    columns: tuple[str, ...]
    path: Path
    sha256: str

    def of(self, patient_id: str, case_id: str) -> TableRow | None:
        """The row of a patient, or None."""
        return self.rows.get(cleaned_key(case_id if self.named_by == "case_id" else patient_id))

    def column(self, name: str) -> str:
        """The header's own spelling of a column; capitals do not matter.

        Raises
        ------
        GlutsegError
            ``participants-invalid`` where it is not there, or stands twice.
        """
        there = [c for c in self.columns if c.casefold() == name.strip().casefold()]
        if not there:
            known = ", ".join(repr(plain(c, 40)) for c in self.columns)
            raise invalid(self.path, f"there is no column {plain(name, 40)!r}; the table has {known}")
        if len(there) > 1:
            raise invalid(self.path, f"the column {there[0]!r} stands twice")
        return there[0]

    def error(self, row: TableRow, column: str, problem: str) -> GlutsegError:
        """``participants-invalid`` that names file, row and column."""
        return invalid(self.path, f"row {row.row}, column {plain(column, 40)!r} {problem}")


def read_study_table(path: Path, ids: Mapping[str, str] | None = None) -> StudyTable:
    """Read a CSV, TSV or XLSX table with a column that names the patient.

    Parameters
    ----------
    path : as for heights (`glutseg.measurement.participants`)
    ids : {patient_id, pseudonym or case_id: name of the column} where the table has a name of its own

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, for a file that is not such a table or lists
        somebody twice.
    """
    content, lines = read_table(path)
    header = [cell.text for cell in lines[0].cells]
    mapped = {name: column for name, column in (ids or {}).items() if name in IDS}
    name, id_column = find_column(IDS, header, mapped, path)
    rows: dict[str, TableRow] = {}
    for line in lines[1:]:
        key = key_of(line, id_column, header, path)
        if key in rows:
            raise invalid(path, f"rows {rows[key].row} and {line.row} are of the same {name}")
        rows[key] = TableRow(key, line.row, dict(zip(header, line.cells, strict=True)))
    return StudyTable(rows, name, tuple(header), path, hashlib.sha256(content).hexdigest())


def words_of(table: StudyTable, rows: Sequence[TableRow], column: str) -> tuple[str | None, ...]:
    """A column as words; None where the cell is empty.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a cell that cannot be trusted.
    """
    return tuple(_text(table, row, column) or None for row in rows)


def numbers_of(table: StudyTable, rows: Sequence[TableRow], column: str) -> tuple[float | None, ...]:
    """A column as numbers; None where the cell is empty, and only there.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a cell that is no number; "NA", "-" and the like are none.
    """
    return tuple(_number(table, row, column) for row in rows)


def is_of_words(table: StudyTable, rows: Sequence[TableRow], column: str) -> bool:
    """Whether no cell of a column is a number: such a column names categories, as sex does."""
    texts = [t for t in words_of(table, rows, column) if t]
    return bool(texts) and not any(NUMBER.fullmatch(t) for t in texts)


def _text(table: StudyTable, row: TableRow, column: str) -> str:
    cell = row.cells[column]
    if cell.problem:
        raise table.error(row, column, cell.problem)
    return plain(cell.text, 200)


def _number(table: StudyTable, row: TableRow, column: str) -> float | None:
    text = _text(table, row, column)
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise table.error(row, column, f"is not a number: {plain(text, 20)!r}; leave unknown cells empty")
    return float(text.replace(",", "."))
