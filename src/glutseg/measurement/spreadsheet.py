"""Tables as people keep them, CSV, TSV or XLSX, read into lines of cells; nothing is guessed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from glutseg.errors import GlutsegError

MAX_TABLE_BYTES = 20_000_000
"""Far more than a table of a hundred thousand patients; anything larger is another file."""
MAX_UNZIPPED_BYTES = 200_000_000
"""Of an XLSX file, which is a ZIP archive of XML: what it says it unpacks to (zipfile reads no more)."""
MAX_ROWS = 200_000
MAX_EXACT_DIGITS = 15
"""Spreadsheets keep numbers as doubles: of a longer number the last digits are lost."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
ZIP_MARK = b"PK\x03\x04"
OLE_MARK = b"\xd0\xcf\x11\xe0"
"""Compound File Binary: .xls of before 2007, and encrypted .xlsx."""

NOT_UNICODE = "the text is neither UTF-8 nor UTF-16 with its mark; save it as 'CSV UTF-8' or .xlsx"

BAD_WORKBOOK = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl, zipfile and the XML parser (of the standard library, or lxml where it is installed) raise on
broken or encrypted workbooks."""


@dataclass(frozen=True)
class Cell:
    """A cell's text; ``problem`` says why it must not be used, should anybody want to."""

    text: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Line:
    """A line that is not blank; ``row`` is its number in the file, from 1."""

    row: int
    cells: tuple[Cell, ...]


def read_table(path: Path) -> tuple[bytes, list[Line]]:
    """The file's bytes and its lines, the header first.

    The content decides what it is, not the name: an XLSX workbook (its first sheet), or text in UTF-8
    or UTF-16 with the separator tab, semicolon or comma.

    Raises
    ------
    GlutsegError
        ``participants-invalid``.
    """
    content = _content(path)
    lines = _workbook(content, path) if content.startswith(ZIP_MARK) else _text_lines(content, path)
    if not lines:
        raise invalid(path, "the file is empty")
    return content, lines


def invalid(path: Path, message: str) -> GlutsegError:
    """The one error of this room's tables."""
    return GlutsegError("participants-invalid", message, str(path))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise invalid(path, "the file is too large to be a participants table")
        return path.read_bytes()
    except OSError as error:
        raise invalid(path, f"the file cannot be read ({error.strerror})") from error


def _text_lines(content: bytes, path: Path) -> list[Line]:
    if content.startswith(OLE_MARK):
        raise invalid(path, "this is an old .xls or an encrypted workbook; save it as a plain .xlsx or CSV")
    encoding = "utf-16" if content.startswith(UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise invalid(path, NOT_UNICODE) from error
    if "\0" in text:
        raise invalid(path, NOT_UNICODE)
    header = text.lstrip().split("\n", 1)[0]
    delimiter = max("\t;,", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if lines and len(cells) != len(lines[0].cells):
                message = (
                    f"row {reader.line_num} has {len(cells)} cells, the header has {len(lines[0].cells)}"
                )
                raise invalid(path, message)
            lines.append(Line(reader.line_num, tuple(Cell(cell.strip()) for cell in cells)))
    except csv.Error as error:
        raise invalid(path, f"row {reader.line_num} is not valid CSV: {error}") from error
    return lines


def _workbook(content: bytes, path: Path) -> list[Line]:
    """First sheet; the values that the spreadsheet program showed, its formulas' last results among them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_UNZIPPED_BYTES:
            raise invalid(path, "the workbook unpacks to far more than a participants table holds")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, with text of the file
            shown = list(_rows(content, results=True))
            written = list(_rows(content, results=False))
    except BAD_WORKBOOK as error:
        raise invalid(path, f"the workbook cannot be read ({type(error).__name__})") from error
    lines = [
        Line(row, tuple(_cell(s, w) for s, w in zip(values, formulas, strict=True)))
        for row, (values, formulas) in enumerate(zip(shown, written, strict=True), start=1)
    ]
    if len(lines) > MAX_ROWS:
        raise invalid(path, f"the sheet has more than {MAX_ROWS} rows")
    return _as_wide_as_the_header([line for line in lines if any(c.text or c.problem for c in line.cells)])


def _as_wide_as_the_header(lines: list[Line]) -> list[Line]:
    """A sheet's rows end with their last cell in use; what stands beyond the header is no column."""
    if not lines:
        return []
    width = len(lines[0].cells)
    return [Line(line.row, (line.cells + (Cell(),) * width)[:width]) for line in lines]


def _rows(content: bytes, *, results: bool) -> Iterator[tuple[Any, ...]]:
    """openpyxl's cells, row by row; formulas as their stored results, or as formulas."""
    import openpyxl

    workbook = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=results, keep_links=False, rich_text=False
    )
    try:
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # the size that the file states may be wrong
        yield from islice(sheet.iter_rows(), MAX_ROWS + 1)
    finally:
        workbook.close()


def _cell(shown: Any, written: Any) -> Cell:
    value = shown.value
    if value is None:
        lacking = "is a formula without a stored result; open the file in the spreadsheet program and save it"
        return Cell(problem=lacking if written.data_type == "f" else "")
    if shown.data_type == "e":
        return Cell(str(value)[:20], "holds a spreadsheet's error")
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return Cell(str(value), "is a date")
    if isinstance(value, bool):
        return Cell(str(value), "is true or false")
    if isinstance(value, (int, float)):
        return _number(value, str(shown.number_format))
    return Cell(str(value).strip())


def _number(value: float, number_format: str) -> Cell:
    """As the sheet shows it: 0012 where the format is 0000, and no digits that a double does not have."""
    text = f"{value:.{MAX_EXACT_DIGITS}g}"
    if "e" in text:
        return Cell(text, f"is a number of more than {MAX_EXACT_DIGITS} digits; store it as text")
    zeros = re.fullmatch(r"0+", number_format)
    return Cell(text.zfill(len(number_format)) if zeros and float(value).is_integer() else text)
