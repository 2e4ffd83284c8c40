"""The participants table as a study needs it: whose row it is, and columns of numbers or of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.measurement.participants import NUMBER, cleaned_key, key_of
from glutseg.measurement.spreadsheet import read_table
from glutseg.measurement.table_columns import IDS, find_id, folded, id_columns
from glutseg.measurement.table_model import Cell, Table, invalid
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
    id_column : the one of them that the keys are in
    """

    rows: Mapping[str, TableRow]
    named_by: str
    columns: tuple[str, ...]
    path: Path
    sha256: str
    id_column: str = "patient_id"

    def of(self, patient_id: str, case_id: str) -> TableRow | None:
        """The row of a patient, or None."""
        return self.rows.get(cleaned_key(case_id if self.named_by == "case_id" else patient_id))

    def column(self, name: str) -> str:
        """The header's own spelling of a column; capitals do not matter, nor do blanks and dashes.

        Raises
        ------
        GlutsegError
            ``participants-invalid`` where it is not there, or stands twice.
        """
        there = [c for c in self.columns if c.casefold() == name.strip().casefold()]
        there = there or [c for c in self.columns if folded(c) and folded(c) == folded(name)]
        if not there:
            known = ", ".join(repr(plain(c, 40)) for c in self.columns)
            raise invalid(self.path, f"there is no column {plain(name, 40)!r}; the table has {known}")
        if len(there) > 1:
            raise invalid(self.path, f"the column {there[0]!r} stands twice")
        return there[0]

    def error(self, row: TableRow, column: str, problem: str) -> GlutsegError:
        """``participants-invalid`` that names file, row and column."""
        return invalid(self.path, f"row {row.row}, column {plain(column, 40)!r} {problem}")


def read_study_table(
    path: Path, ids: Mapping[str, str] | None = None, needed: Sequence[str] = ()
) -> StudyTable:
    """Read a CSV, TSV or XLSX table with a column that names the patient.

    Rows that say the same in every column count once.

    Parameters
    ----------
    path : as for heights (`glutseg.measurement.participants`)
    ids : {patient_id, pseudonym or case_id: name of the column} where the table has a name of its own
    needed : other columns, which tell the sheet of several

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, for a file that is not such a table or lists
        somebody twice.
    """
    mapped = {name: column for name, column in (ids or {}).items() if name in IDS}
    table = _table_with(path, mapped, needed)
    header, path = table.header, Path(table.where)
    name, id_column = find_id(header, mapped, table.where)
    rows: dict[str, TableRow] = {}
    for line in table.lines[1:]:
        if line.is_summary(id_column):
            continue
        row = TableRow(
            key_of(line, id_column, header, table.where), line.row, dict(zip(header, line.cells, strict=True))
        )
        known = rows.setdefault(row.key, row)
        if known.cells != row.cells:
            column = next(c for c in header if known.cells[c] != row.cells[c])
            message = (
                f"rows {known.row} and {row.row} are of the same {name} and differ in {plain(column, 40)!r}"
            )
            raise invalid(path, message)
    return StudyTable(rows, name, tuple(header), path, table.sha256, header[id_column])


def _table_with(path: Path, mapped: Mapping[str, str], needed: Sequence[str]) -> Table:
    """The table whose header has a column of ids and, if there is such a table, the needed columns."""

    def is_header(cells: Sequence[str]) -> bool:
        names = set(map(folded, cells))
        return bool(id_columns(cells, mapped)) and all(folded(name) in names for name in needed)

    def has_ids(cells: Sequence[str]) -> bool:
        return bool(id_columns(cells, mapped))

    table = read_table(path, is_header)
    return table if is_header(table.header) else read_table(path, has_ids)


def words_of(table: StudyTable, rows: Sequence[TableRow], column: str) -> tuple[str | None, ...]:
    """A column as words; None where the cell is empty or says that its value is not known.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a cell that cannot be trusted.
    """
    return tuple(_text(table, row, column) or None for row in rows)


def numbers_of(table: StudyTable, rows: Sequence[TableRow], column: str) -> tuple[float | None, ...]:
    """A column as numbers; None where the cell is empty or says that its value is not known.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a cell that is no number.
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
    return "" if cell.is_unknown else plain(cell.text, 200)


def _number(table: StudyTable, row: TableRow, column: str) -> float | None:
    text = _text(table, row, column)
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        hint = "leave unknown cells empty, or write n/a"
        raise table.error(row, column, f"is not a number: {plain(text, 20)!r}; {hint}")
    return float(text.replace(",", "."))
