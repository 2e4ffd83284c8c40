"""Lines on stdout and stderr, wrapped to the terminal by words, never within an id or a path."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from glutseg.errors import GlutsegError
from glutseg.output.text import plain

UNLIMITED = 1_000_000
"""Width in characters where nothing is wrapped: a file or a pipe holds lines of any length."""


def width_of(stream: Any) -> int:
    """The width of a terminal, or of the variable COLUMNS; unlimited for a file or a pipe."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    return (os.get_terminal_size(stream.fileno()).columns or 80) if stream.isatty() else UNLIMITED


def console_of(stream: Any) -> Console:
    """A console in which text has no effect but as text."""
    return Console(file=stream, width=width_of(stream), highlight=False, emoji=False, markup=False)


def text(words: str, style: str = "") -> Text:
    """Text in which neither rich's markup nor escape codes have an effect; spaces in front are kept."""
    indent = len(words) - len(words.lstrip(" "))
    return Text(" " * indent + plain(words), style=style)


def wrapped(line: Text, width: int, indent: int = 0, first_indent: int | None = None) -> list[Text]:
    """Wrap a line by words.

    Parameters
    ----------
    width : of the terminal, in characters
    indent : spaces before every line
    first_indent : spaces before the first line, if they are others
    """
    first = used = indent if first_indent is None else first_indent
    starts, is_empty = [], True
    for word in re.finditer(r"\S+\s*", line.plain):
        if used + cell_len(word[0].rstrip()) > width and not is_empty:
            starts.append(word.start())
            used = indent
        used, is_empty = used + cell_len(word[0]), False
    parts = line.divide(starts)
    for part in parts:
        part.rstrip()
    return [Text.assemble(" " * (indent if n else first), part) for n, part in enumerate(parts)]


def write(stream: Any, lines: Iterable[Text]) -> None:
    """Print lines as they are; a line that is too long for the terminal is not cut."""
    console = console_of(stream)
    for line in lines:
        console.print(line, soft_wrap=True)


def say(line: str, style: str = "") -> None:
    """Print one line on stdout, wrapped to the terminal with its own indent and two more spaces."""
    indent = len(line) - len(line.lstrip(" "))
    words = text(line.strip(" "), style)
    write(sys.stdout, wrapped(words, width_of(sys.stdout), indent + 2, indent))


def print_error(error: GlutsegError) -> None:
    """Print on stderr: the code, what was found (a line, or one for each of several), where, what to do."""
    gap = "" if error.message.endswith("\n") else " "
    where = f"[{error.where}] " if error.where else ""
    end = "" if error.where or error.message[-1:] in ".?!:\n" else "."
    message = f"glutseg: {error.code}: {error.message}{end}{gap}{where}{error.remedy}"
    write(sys.stderr, [text(line, "red") for line in message.split("\n")])
