"""The participants table: what the study knows of its patients that the images do not say."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glutseg.errors import GlutsegError

MAX_TABLE_BYTES = 20_000_000
"""Far more than a table of a hundred thousand patients; anything larger is another file."""

CM_PER_M = 100.0
NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,15})?", re.ASCII)
"""Decimal point, or decimal comma as spreadsheets of many countries write it."""


@dataclass(frozen=True)
class Participant:
    """One row of the table.

    Attributes
    ----------
    patient_id : as text, so that leading zeros stay
    height_m : None where the cell is empty; not yet judged
    row : line of the file, from 1, for messages
    """

    patient_id: str
    height_m: float | None
    row: int


@dataclass(frozen=True)
class Participants:
    """The whole table.

    Attributes
    ----------
    rows : by patient id
    source, sha256 : the file, and a digest of its bytes for a run's record
    """

    rows: Mapping[str, Participant] = field(default_factory=dict)
    source: str = ""
    sha256: str = ""

    def of(self, patient_id: str) -> Participant | None:
        """The row of a patient, or None; spaces around the id do not count."""
        return self.rows.get(patient_id.strip())


def read_participants(path: Path) -> Participants:
    """Read a CSV with the columns ``patient_id`` and ``height_m`` (or ``height_cm``).

    The separator may be a comma, a semicolon or a tab; other columns are left alone.

    Raises
    ------
    GlutsegError
        ``participants-invalid``, with the row, for a file that is not such a table, a patient
        listed twice, or a height that is not a number.
    """
    content = _content(path)
    lines = _lines(content, path)
    header = [name.strip().casefold() for name in lines[0][1]]
    id_column, height_column, factor = _columns(header, path)
    rows: dict[str, Participant] = {}
    for row, cells in lines[1:]:
        if len(cells) != len(header):
            raise _invalid(path, f"row {row} has {len(cells)} cells, the header has {len(header)}")
        patient_id = cells[id_column].strip()
        if not patient_id:
            raise _invalid(path, f"row {row} has no patient_id")
        if patient_id in rows:
            raise _invalid(path, f"rows {rows[patient_id].row} and {row} are of the same patient_id")
        rows[patient_id] = Participant(patient_id, _height_m(cells[height_column], factor, row, path), row)
    return Participants(rows, str(path), hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise _invalid(path, "the file is too large to be a participants table")
        return path.read_bytes()
    except OSError as error:
        raise _invalid(path, f"the file cannot be read ({error.strerror})") from error


def _lines(content: bytes, path: Path) -> list[tuple[int, list[str]]]:
    """(row number, cells) of the lines that are not blank, the header first."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(path, "the file is not UTF-8 text") from error
    header = text.lstrip().split("\n", 1)[0]
    delimiter = max("\t;,", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise _invalid(path, f"row {reader.line_num} is not valid CSV: {error}") from error
    if not lines:
        raise _invalid(path, "the file is empty")
    return lines


def _columns(header: list[str], path: Path) -> tuple[int, int, float]:
    """Positions of the id and the height, and the factor that turns the height into m."""
    for name in ("patient_id", "height_m", "height_cm"):
        if header.count(name) > 1:
            raise _invalid(path, f"the column {name} stands twice")
    heights = [name for name in ("height_m", "height_cm") if name in header]
    if "patient_id" not in header or len(heights) != 1:
        raise _invalid(path, "the table needs the column patient_id and one of height_m and height_cm")
    factor = 1.0 if heights == ["height_m"] else 1 / CM_PER_M
    return header.index("patient_id"), header.index(heights[0]), factor


def _height_m(cell: str, factor: float, row: int, path: Path) -> float | None:
    text = cell.strip()
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise _invalid(path, f"the height in row {row} is not a number: {text[:20]!r}")
    return round(float(text.replace(",", ".")) * factor, 9)  # 173 cm is 1.73 m, not 1.7300000000000002


def _invalid(path: Path, message: str) -> GlutsegError:
    return GlutsegError("participants-invalid", message, str(path))
