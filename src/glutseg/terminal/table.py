"""Tables that fit the terminal: in one line per row, with the remarks below it, or as a block per row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.text import Text

from glutseg.terminal.console import text, wrapped

GAP = 2
INDENT = 4

Row = Sequence[Text]


def table_lines(
    names: Sequence[str], rows: Sequence[Row], width: int, right: Collection[str] = ()
) -> list[Text]:
    """Lay out a table in lines.

    Where the whole table is wider than the terminal, the last column, which holds sentences, stands below
    each row; where the others alone are still too wide, each row becomes a block of names and values. No
    cell is ever cut.

    Parameters
    ----------
    names : the columns' names; a line feed in one makes a second line of the header
    rows : as many cells each as there are names
    width : of the terminal, in characters
    right : names of columns with numbers, which end at the right

    Returns
    -------
    list[Text]
        Header, a line below it and the rows, without the last column if it is empty; nothing without rows.
    """
    if not rows:
        return []
    headers = [name.split("\n") for name in names]
    widths = [
        max(*(Text(part).cell_len for part in header), *(row[i].cell_len for row in rows))
        for i, header in enumerate(headers)
    ]
    at_right = [name in right for name in names]
    n = len(names) if any(row[-1] for row in rows) else len(names) - 1
    if _total(widths[:n]) <= width:
        header = _header(headers[:n], widths[:n], at_right)
        return [*header, *(_line(row[:n], widths, at_right) for row in rows)]
    is_block = _total(widths[:-1]) > width
    lines = [] if is_block else _header(headers[:-1], widths[:-1], at_right)
    for row in rows:
        lines += _block(names, row, width) if is_block else [_line(row[:-1], widths, at_right)]
        lines += wrapped(row[-1], width, INDENT) if row[-1] else []
    return lines


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _line(cells: Row, widths: Sequence[int], at_right: Sequence[bool]) -> Text:
    line = Text(no_wrap=True)
    for cell, cell_width, is_number in zip(cells, widths, at_right, strict=False):
        pad = " " * (cell_width - cell.cell_len)
        line.append_text(Text(" " * GAP if line else ""))
        for part in (pad, cell) if is_number else (cell, pad):
            line.append(part)
    line.rstrip()
    return line


def _header(headers: Sequence[list[str]], widths: Sequence[int], at_right: Sequence[bool]) -> list[Text]:
    n_lines = max(map(len, headers))
    padded = [[*header, *[""] * (n_lines - len(header))] for header in headers]
    lines = [
        _line([Text(part, "bold") for part in parts], widths, at_right) for parts in zip(*padded, strict=True)
    ]
    return [*lines, Text("-" * max(line.cell_len for line in lines), "dim")]


def _block(names: Sequence[str], row: Row, width: int) -> list[Text]:
    """The first cell in a line of its own, then names and values, as many in a line as fit."""
    lines = [row[0].copy()]
    line = Text()
    for name, cell in zip(names[1:-1], row[1:-1], strict=True):
        if not cell:
            continue
        pair = Text.assemble((name.replace("\n", " "), "dim"), " ", cell)
        if line and INDENT + line.cell_len + GAP + pair.cell_len > width:
            lines.append(Text.assemble(" " * INDENT, line))
            line = Text()
        line = Text.assemble(line, " " * GAP if line else "", pair)
    return [*lines, *([Text.assemble(" " * INDENT, line)] if line else [])]


def cells(words: Sequence[str], style: str = "") -> list[Text]:
    """A row of plain words."""
    return [text(word, style) for word in words]
