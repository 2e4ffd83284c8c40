"""Tables as people keep them, CSV, TSV or XLSX, read into lines of cells; nothing is guessed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from glutseg.dicom.text import composed
from glutseg.measurement.table_model import MAX_TITLE_LINES, Cell, Line, Table, invalid
from glutseg.measurement.text_table import IsHeader, text_lines

MAX_TABLE_BYTES = 20_000_000
"""Far more than a table of a hundred thousand patients; anything larger is another file."""
MAX_UNZIPPED_BYTES = 200_000_000
"""Of an XLSX file, which is a ZIP archive of XML: what it says it unpacks to (zipfile reads no more)."""
MAX_ROWS = 200_000
MAX_EXACT_DIGITS = 15
"""Spreadsheets keep numbers as doubles: of a longer number the last digits are lost."""

ZIP_MARK = b"PK\x03\x04"
OLE_MARK = b"\xd0\xcf\x11\xe0"
"""Compound File Binary: .xls of before 2007, and encrypted .xlsx."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""Name of the part of an encrypted workbook that holds the workbook ([MS-OFFCRYPTO] 2.3.4.4)."""
OTHER_ZIPS = {
    "Index/Document.iwa": "a Numbers document; export it as Excel or CSV",
    "Index.zip": "a Numbers document; export it as Excel or CSV",
    "content.xml": "an OpenDocument spreadsheet; save it as .xlsx or CSV",
    "xl/workbook.bin": "a binary workbook (.xlsb); save it as .xlsx",
    "word/document.xml": "a text document; copy the table into a spreadsheet and save it as .xlsx",
}
"""By a file that only they hold, what other ZIP archives are."""

ZERO_PADDED = re.compile(r'(?:"([^"]*)")?(0+)(?:"([^"]*)")?')
"""A number format that shows leading zeros, perhaps with words around them: ``0000``, ``"P-"000``."""

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


def read_table(path: Path, is_header: IsHeader) -> Table:
    """The table of a file.

    The content decides what it is, not the name: an XLSX workbook, or text (`text_lines`). Of a workbook the
    one visible sheet that has such a header is read; ``FILE.xlsx#SHEET`` names one of several.

    Parameters
    ----------
    is_header : tells the header from titles above it, and the sheet from others; where no line is one, the
        table begins with its first line

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for a file that is no table, has no row below its header, or several sheets
        that could be meant.
    """
    file, sheet_name = _file_and_sheet(path)
    content = _content(file)
    if content.startswith(OLE_MARK):
        what = "protected by a password" if ENCRYPTED in content else "an .xls file of an old version"
        raise invalid(path, f"the workbook is {what}; save it as a plain .xlsx or CSV")
    where = str(path)
    if content.startswith(ZIP_MARK):
        where, lines = _sheet(content, file, sheet_name, is_header)
    elif sheet_name:
        raise invalid(path, "only a workbook has sheets")
    else:
        lines = text_lines(content, where, is_header)
    if not lines:
        raise invalid(where, "the file is empty")
    if len(lines) == 1:
        raise invalid(where, "the table has no row below its header")
    return Table(tuple(lines), where, hashlib.sha256(content).hexdigest())


def _file_and_sheet(path: Path) -> tuple[Path, str]:
    """``FILE.xlsx#SHEET`` as both, unless a file has this very name."""
    name, mark, sheet = path.name.rpartition("#")
    if not mark or not name or path.exists():
        return path, ""
    return path.with_name(name), sheet


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise invalid(path, "this is a folder; name the file of the table")
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise invalid(path, "the file is too large to be a participants table")
        return path.read_bytes()
    except PermissionError as error:
        raise invalid(path, "the file cannot be read; close it where it is open") from error
    except OSError as error:
        raise invalid(path, f"the file cannot be read ({error.strerror})") from error


def _sheet(content: bytes, path: Path, sheet_name: str, is_header: IsHeader) -> tuple[str, list[Line]]:
    """The sheet that is meant, with its name where there are several; lines from the header on."""
    sheets = _sheets(content, path, sheet_name)
    fitting = [(name, lines) for name, lines in sheets.items() if _begins(lines, is_header) is not None]
    filled = [(name, lines) for name, lines in fitting if len(lines) > 1 + (_begins(lines, is_header) or 0)]
    if len(filled) > 1:
        names = ", ".join(repr(name[:40]) for name, _ in filled)
        message = f"several sheets could be meant: {names}; name one as '{path.name}#{filled[0][0][:40]}'"
        raise invalid(path, message)
    name, lines = next(iter(filled or fitting or [pair for pair in sheets.items() if pair[1]]), ("", []))
    where = f"{path}#{name}" if name and len(sheets) > 1 else str(path)
    return where, _as_wide_as_the_header(lines[_begins(lines, is_header) or 0 :])


def _begins(lines: Sequence[Line], is_header: IsHeader) -> int | None:
    """Where the header stands."""
    return next((i for i, line in enumerate(lines[:MAX_TITLE_LINES]) if is_header(line.texts)), None)


def _sheets(content: bytes, path: Path, sheet_name: str) -> dict[str, list[Line]]:
    """The visible sheets, or the named one; the values that were shown, formulas' last results among them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        what = next((words for member in members if (words := OTHER_ZIPS.get(member.filename))), "")
        if what:
            raise invalid(path, f"this is {what}")
        if sum(member.file_size for member in members) > MAX_UNZIPPED_BYTES:
            raise invalid(path, "the workbook unpacks to far more than a participants table holds")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, with text of the file
            shown = _rows(content, sheet_name, results=True)
            written = _rows(content, sheet_name, results=False)
    except BAD_WORKBOOK as error:
        raise invalid(path, f"the workbook cannot be read ({type(error).__name__})") from error
    if sheet_name and not shown:
        raise invalid(path, f"the workbook has no sheet {sheet_name[:40]!r}")
    if sum(map(len, shown.values())) > MAX_ROWS:
        raise invalid(path, f"the workbook has more than {MAX_ROWS} rows")
    return {name: _lines(shown[name], written[name]) for name in shown}


def _lines(shown: list[tuple[Any, ...]], written: list[tuple[Any, ...]]) -> list[Line]:
    lines = (
        Line(row, tuple(_cell(s, w) for s, w in zip(values, formulas, strict=True)))
        for row, (values, formulas) in enumerate(zip(shown, written, strict=True), start=1)
    )
    return [line for line in lines if any(c.text or c.problem for c in line.cells)]


def _as_wide_as_the_header(lines: list[Line]) -> list[Line]:
    """A sheet's rows end with their last cell in use; what stands beyond the header is no column."""
    if not lines:
        return []
    width = max((i for i, text in enumerate(lines[0].texts, start=1) if text), default=0)
    return [Line(line.row, (line.cells + (Cell(),) * width)[:width]) for line in lines]


def _rows(content: bytes, sheet_name: str, *, results: bool) -> dict[str, list[tuple[Any, ...]]]:
    """openpyxl's cells by sheet, row by row; formulas as their stored results, or as formulas."""
    import openpyxl

    workbook = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=results, keep_links=False, rich_text=False
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    left = MAX_ROWS + 1
    try:
        for sheet in workbook.worksheets:
            if sheet.title == sheet_name if sheet_name else sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # the size that the file states may be wrong
                found[str(sheet.title)] = list(islice(sheet.iter_rows(), left))
                left -= len(found[str(sheet.title)])
    finally:
        workbook.close()
    return found


def _cell(shown: Any, written: Any) -> Cell:
    value = shown.value
    if value is None:
        lacking = "is a formula without a stored result; open the file in the spreadsheet program and save it"
        return Cell(problem=lacking if written.data_type == "f" else "")
    if shown.data_type == "e":
        return Cell(str(value)[:20], "" if value == "#N/A" else "holds a spreadsheet's error")
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return Cell(str(value), "is a date; give the column the format 'text' and type the value again")
    if isinstance(value, bool):
        return Cell(str(value), "is true or false")
    if isinstance(value, (int, float)):
        return _number(value, str(shown.number_format))
    return Cell(composed(str(value)).strip())


def _number(value: float, number_format: str) -> Cell:
    """As the sheet shows it: 0012 where the format is 0000, and no digits that a double does not have."""
    text = f"{value:.{MAX_EXACT_DIGITS}g}"
    if "e" in text:
        return Cell(text, f"is a number of more than {MAX_EXACT_DIGITS} digits; store it as text")
    padded = ZERO_PADDED.fullmatch(number_format.split(";")[0])
    if not padded or not float(value).is_integer() or value < 0:
        return Cell(text)
    before, zeros, after = (part or "" for part in padded.groups())
    return Cell(f"{before}{text.zfill(len(zeros))}{after}".strip())
