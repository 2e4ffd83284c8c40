"""Tables as text: CSV with commas, semicolons or tabs, in the encodings that spreadsheet programs write."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from glutseg.dicom.text import composed
from glutseg.measurement.table_model import MAX_TITLE_LINES, Cell, Line, invalid

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = "\t;,"
NO_TEXT = "this is no text of a known encoding; save it as 'CSV UTF-8' or .xlsx"
MARKUP = "this is a web page or XML under another name; open it in a spreadsheet program and save it as .xlsx"

IsHeader = Callable[[Sequence[str]], bool]
"""Whether the texts of a line are the names of the columns that are looked for."""


def text_lines(content: bytes, where: str, is_header: IsHeader) -> list[Line]:
    """The lines that are not blank, the header first; lines above it (a title, ``sep=;``) are left out.

    Parameters
    ----------
    content : UTF-8 with or without its mark, UTF-16 with its mark; anything else is taken for Windows-1252,
        which spreadsheet programs write for "CSV"

    Raises
    ------
    GlutsegError
        ``participants-invalid`` for bytes that are no text, and for a line that does not fit the header.
    """
    text = _decoded(content, where)
    if text.lstrip().startswith(("<!", "<?xml", "<html", "<HTML", "<table")):
        raise invalid(where, MARKUP)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text, is_header), strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        found.extend((reader.line_num, [cell.strip() for cell in cells]) for cells in reader)
    except csv.Error as error:
        raise invalid(where, f"row {reader.line_num} is not valid CSV: {error}") from error
    found = [(row, cells) for row, cells in found if any(cells)]
    start = next((i for i, (_, cells) in enumerate(found[:MAX_TITLE_LINES]) if is_header(cells)), 0)
    width = len(found[start][1]) if found else 0
    return [_line(row, cells, width, where) for row, cells in found[start:]]


def _line(row: int, cells: list[str], width: int, where: str) -> Line:
    """A line as wide as the header; only empty cells may stand beyond it."""
    if len(cells) < width or any(cells[width:]):
        raise invalid(where, f"row {row} has {len(cells)} cells, the header has {width}")
    return Line(row, tuple(Cell(cell) for cell in cells[:width]))


def _decoded(content: bytes, where: str) -> str:
    names = ("utf-16",) if content.startswith(UTF16_MARKS) else ("utf-8-sig", "cp1252")
    for name in names:
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return composed(text)
    raise invalid(where, NO_TEXT)


def _separator(text: str, is_header: IsHeader) -> str:
    """The separator with which a line becomes the header; else the most frequent one of the first line."""
    lines = [line for line in text.splitlines() if line.strip()][:MAX_TITLE_LINES]
    for line in lines:
        for separator in SEPARATORS:
            if is_header(_split(line, separator)):
                return separator
    return max(SEPARATORS, key=(lines or [""])[0].count)


def _split(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []
