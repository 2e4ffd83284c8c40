"""The participants table: what the study knows of its patients that the images do not say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.measurement.spreadsheet import Cell, Line, invalid, read_table

HEIGHTS_IN_M = {"height_m": 1.0, "height_cm": 0.01, "height_mm": 0.001, "height_in": 0.0254}
"""A height's unit is in its column's name, or stated by the mapping; it is never guessed."""
IDS = ("patient_id", "pseudonym", "case_id")
"""What may name the patient; where a table has several, the first of these does."""

NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,20})?", re.ASCII)
"""Decimal point, or decimal comma as spreadsheets of many countries write it, with all of a float."""


@dataclass(frozen=True)
class Participant:
    """One row of the table.

    Attributes
    ----------
    key : patient id, pseudonym or case id; as text, so that leading zeros stay
    height_m : None where the cell is empty; not yet judged
    row : line of the file, from 1, for messages
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
    """

    rows: Mapping[str, Participant] = field(default_factory=dict)
    named_by: str = "patient_id"
    source: str = ""
    sha256: str = ""

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


def parse_columns(text: str) -> dict[str, str]:
    """``"patient_id=Fallnummer,height_cm=Größe"`` as {what it is: name of the column}.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a part that is not NAME=COLUMN or names something unknown.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, column = (p.strip() for p in part.partition("="))
        if not equals or not column or name in columns:
            raise _bad_mapping(f"{part!r} is not NAME=COLUMN, or stands twice")
        columns[name] = column
    check_names(columns)
    return columns


def read_participants(path: Path, columns: Mapping[str, str] | None = None) -> Participants:
    """Read a CSV, TSV or XLSX table with a column that names the patient and one with the height.

    Parameters
    ----------
    path : text in UTF-8 or UTF-16, separated by comma, semicolon or tab; or a workbook's first sheet
    columns : {what it is: name of the column} where the table has names of its own; otherwise
        ``patient_id`` (or ``pseudonym``, ``case_id``) and one of ``height_m``, ``height_cm``,
        ``height_mm``, ``height_in``. Capitals do not matter; other columns are left alone.

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, for a file that is not such a table, a patient
        listed twice, or a height that is not a number.
    """
    columns = dict(columns or {})
    check_names(columns)
    content, lines = read_table(path)
    header = [cell.text for cell in lines[0].cells]
    name, id_column = find_column(IDS, header, columns, path)
    unit, height_column = find_column(tuple(HEIGHTS_IN_M), header, columns, path)
    rows: dict[str, Participant] = {}
    for line in lines[1:]:
        key = key_of(line, id_column, header, path)
        if key in rows:
            raise invalid(path, f"rows {rows[key].row} and {line.row} are of the same {name}")
        place = f"row {line.row}, column {header[height_column]!r}"
        height_m = _height_m(line.cells[height_column], HEIGHTS_IN_M[unit], place, path)
        rows[key] = Participant(key, height_m, line.row)
    return Participants(rows, name, str(path), hashlib.sha256(content).hexdigest())


def cleaned_key(key: str) -> str:
    """As ids of the images are cleaned, so that equal ones stay equal."""
    return clean_text(key)


def _bad_mapping(message: str) -> GlutsegError:
    known = ", ".join((*IDS, *HEIGHTS_IN_M))
    return GlutsegError("participants-invalid", f"columns: {message}; the names are {known}")


def check_names(columns: Mapping[str, str]) -> None:
    for name in columns:
        if name not in IDS and name not in HEIGHTS_IN_M:
            raise _bad_mapping(f"{name!r} is none of the names")


def find_column(
    names: tuple[str, ...], header: list[str], columns: Mapping[str, str], path: Path
) -> tuple[str, int]:
    """Which of ``names`` the table has, and in which column; a mapping goes before the names themselves.

    Raises
    ------
    GlutsegError
        ``participants-invalid`` where none is there, or it is not clear which is meant.
    """
    mapped = {name: columns[name] for name in names if name in columns}
    wanted = mapped or {name: name for name in names}
    folded = [cell.casefold() for cell in header]
    there = [name for name, column in wanted.items() if column.strip().casefold() in folded]
    if not there:
        missing, found = (", ".join(repr(c) for c in cells) for cells in (wanted.values(), header))
        raise invalid(path, f"none of the columns {missing}; the table has {found}")
    if len(there) > 1 and names != IDS:
        raise invalid(path, f"only one of {', '.join(there)} can be the height; say which by a mapping")
    column = wanted[there[0]].strip().casefold()
    if folded.count(column) > 1:
        raise invalid(path, f"the column {wanted[there[0]]!r} stands twice")
    return there[0], folded.index(column)


def key_of(line: Line, column: int, header: list[str], path: Path) -> str:
    """Whom a line is of.

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with row and column, where the cell is empty or cannot be trusted.
    """
    cell = line.cells[column]
    place = f"row {line.row}, column {header[column]!r}"
    if cell.problem:
        raise invalid(path, f"{place} {cell.problem}")
    key = cleaned_key(cell.text)
    if not key:
        raise invalid(path, f"{place} is empty")
    return key


def _height_m(cell: Cell, factor: float, place: str, path: Path) -> float | None:
    if cell.problem:
        raise invalid(path, f"{place} {cell.problem}")
    if not cell.text:
        return None
    if not NUMBER.fullmatch(cell.text):
        raise invalid(path, f"{place} is not a number: {cell.text[:20]!r}")
    return round(float(cell.text.replace(",", ".")) * factor, 9)  # 173 cm is 1.73 m, not 1.7300000000000002
