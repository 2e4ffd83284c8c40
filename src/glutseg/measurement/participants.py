"""The participants table: what the study knows of its patients that the images do not say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from glutseg.dicom.text import clean_text
from glutseg.measurement.spreadsheet import read_table
from glutseg.measurement.table_columns import (
    HEIGHT,
    HEIGHTS_IN_M,
    IDS,
    UNITS,
    check_names,
    find_height,
    find_id,
    height_columns,
    id_columns,
    mapping_option,
)
from glutseg.measurement.table_model import Cell, Line, invalid

NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,20})?", re.ASCII)
"""Decimal point, or decimal comma as spreadsheets of many countries write it, with all of a float."""
WITH_UNIT = re.compile(rf"({NUMBER.pattern})\s*([^\W\d_]+|[\"″])?")
"""``176``, ``176,0 cm``, ``1.76m``."""
UNIT_WORDS = {"height_m": "m", "height_cm": "cm", "height_mm": "mm", "height_in": "inches"}
LIKELY = (("height_mm", 900.0), ("height_cm", 90.0), ("height_in", 35.0), ("height_m", 0.0))
"""The unit of a column whose median is at least this; only to suggest a mapping."""


@dataclass(frozen=True)
class Participant:
    """One row of the table.

    Attributes
    ----------
    key : patient id, pseudonym or case id; as text, so that leading zeros stay
    height_m : None where it is not known; not yet judged
    row : line of the file, from 1, for messages; 0 where it must not be named
    """

    key: str
    height_m: float | None
    row: int


@dataclass(frozen=True)
class Participants:
    """The whole table.

    Attributes
    ----------
    rows : by key
    named_by : which of `IDS` the keys are
    source, sha256 : the file, and a digest of its bytes for a run's record
    id_column, height_column : names of the two columns, for messages
    unit : which of `HEIGHTS_IN_M` the heights are; `HEIGHT` where each cell says it
    """

    rows: Mapping[str, Participant] = field(default_factory=dict)
    named_by: str = "patient_id"
    source: str = ""
    sha256: str = ""
    id_column: str = "patient_id"
    height_column: str = "height_m"
    unit: str = "height_m"

    def of(self, patient_id: str, case_id: str = "") -> Participant | None:
        """The row of a patient, or None.

        Parameters
        ----------
        patient_id : as in the images, or the pseudonym that stands for it
        case_id : name of the case's folder, for a table that lists those
        """
        return self.rows.get(cleaned_key(case_id if self.named_by == "case_id" else patient_id))


@dataclass(frozen=True)
class Unmatched:
    """Whom only the table knows, and whom only the images know; both sorted."""

    participants: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()


def unmatched(participants: Participants, cases: Iterable[tuple[str, str]]) -> Unmatched:
    """Compare the table with the (patient id, case id) of all studies."""
    used: set[str] = set()
    without: set[str] = set()
    for patient_id, case_id in cases:
        found = participants.of(patient_id, case_id)
        if found is None:
            without.add(patient_id)
        else:
            used.add(found.key)
    return Unmatched(tuple(sorted(set(participants.rows) - used)), tuple(sorted(without)))


def read_participants(path: Path, columns: Mapping[str, str] | None = None) -> Participants:
    """Read a CSV, TSV or XLSX table with a column that names the patient and one with the height.

    A patient may have several rows with the same height, or with one and the others empty.

    Parameters
    ----------
    path : text, or a workbook (`glutseg.measurement.spreadsheet.read_table`)
    columns : {what it is: name of the column} where the table has names of its own; otherwise
        ``patient_id`` (or ``pseudonym``, ``case_id``) and one of ``height_m``, ``height_cm``,
        ``height_mm``, ``height_in``, or what people write instead (``Patient ID``, ``Größe [cm]``). Capitals
        do not matter; other columns are left alone.

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, for a file that is not such a table, a height that is
        not a number or in another unit than its column's, or two heights of one patient.
    """
    columns = dict(columns or {})
    check_names(columns)
    table = read_table(
        path, lambda header: bool(id_columns(header, columns) and height_columns(header, columns))
    )
    header, where = table.header, table.where
    name, id_column = find_id(header, columns, where, with_height=True)
    unit, height_column = find_height(header, columns, where)
    lines = [line for line in table.lines[1:] if not _is_empty(line, id_column, height_column)]
    if unit == HEIGHT:
        given = {what: column for what, column in columns.items() if what in IDS}
        cells = [line.cells[height_column] for line in lines]
        _check_every_unit(cells, header[height_column], given, where)
    rows: dict[str, Participant] = {}
    for line in lines:
        key = key_of(line, id_column, header, where)
        place = f"row {line.row}, column {clean_text(header[height_column])!r}"
        height_m = _height_m(line.cells[height_column], unit, place, where)
        rows[key] = _joined(rows.get(key), Participant(key, height_m, line.row), name, where)
    if not rows:
        raise invalid(where, "the table has no row below its header")
    return Participants(rows, name, where, table.sha256, header[id_column], header[height_column], unit)


def cleaned_key(key: str) -> str:
    """As ids of the images are cleaned, so that equal ones stay equal."""
    return clean_text(key)


def key_of(line: Line, column: int, header: Sequence[str], where: str) -> str:
    """Whom a line is of.

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, where the cell is empty or cannot be trusted.
    """
    cell = line.cells[column]
    place = f"row {line.row}, column {clean_text(header[column])!r}"
    if cell.problem:
        raise invalid(where, f"{place} {cell.problem}")
    key = cleaned_key(cell.text)
    if not key or key == "#N/A":
        raise invalid(where, f"{place} is empty; write whose row it is, or delete the row")
    return key


def _is_empty(line: Line, id_column: int, height_column: int) -> bool:
    """Whether a line says nothing of anybody's height: a remark or a mean below the table."""
    cell = line.cells[id_column]
    says_nothing = not cell.text and not cell.problem and line.cells[height_column].is_unknown
    return says_nothing or line.is_summary(id_column)


def _joined(known: Participant | None, new: Participant, name: str, where: str) -> Participant:
    if known is None or known.height_m is None:
        return new
    if new.height_m is not None and new.height_m != known.height_m:
        message = f"rows {known.row} and {new.row} are of the same {name} and have different heights"
        raise invalid(where, message)
    return known


def _height_m(cell: Cell, unit: str, place: str, where: str) -> float | None:
    if cell.problem:
        raise invalid(where, f"{place} {cell.problem}")
    if cell.is_unknown:
        return None
    match = WITH_UNIT.fullmatch(cell.text)
    own_unit = UNITS.get((match[2] or "").casefold(), "") if match else ""
    if not match or (match[2] and not own_unit):
        raise invalid(where, f"{place} is not a number: {clean_text(cell.text, 20)!r}")
    if own_unit and unit not in (own_unit, HEIGHT):
        message = f"{place} says {clean_text(cell.text, 20)!r}, but the column is in {UNIT_WORDS[unit]}"
        raise invalid(where, message)
    factor = HEIGHTS_IN_M[own_unit or unit]
    return round(float(match[1].replace(",", ".")) * factor, 9)  # 173 cm is 1.73 m, not 1.7300000000000002


def _check_every_unit(cells: Sequence[Cell], column: str, given: Mapping[str, str], where: str) -> None:
    """A column without a unit in its name is read only where each of its cells has one."""
    without = [cell.text for cell in cells if not cell.is_unknown and NUMBER.fullmatch(cell.text)]
    if without:
        middle = median(float(text.replace(",", ".")) for text in without)
        unit = next((name for name, least in LIKELY if middle >= least), "height_m")
        looks = f"{without[0]} looks like {UNIT_WORDS[unit]}"
        choice = mapping_option(dict(given) | {unit: column})
        message = f"the column {clean_text(column)!r} does not say its unit; {looks}; if so, add {choice}"
        raise invalid(where, message)
