"""What tables are made of once they are read: cells and lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glutseg.errors import GlutsegError

MAX_TITLE_LINES = 20
"""Lines above the header in which it is looked for: titles, a date, an empty frame."""

UNKNOWN = frozenset(
    {"", "-", "--", "–", "—", ".", "?", "na", "n/a", "n.a.", "n. a.", "n.d.", "k.a.", "k. a.", "nan", "#n/a"}
)
"""What people and programs write into a cell whose value they do not know, in small letters."""

SUMMARIES = frozenset(
    (
        *("mean", "average", "median", "sd", "stdev", "min", "max", "sum", "total", "n", "mean ± sd"),
        *("mittelwert", "durchschnitt", "summe", "moyenne", "media", "gemiddelde"),
    )
)
"""What stands before the figures of a row that sums a table up."""


@dataclass(frozen=True)
class Cell:
    """A cell's text; ``problem`` says why it must not be used, should anybody want to."""

    text: str = ""
    problem: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether the cell is empty or says that its value is not known."""
        return not self.problem and self.text.casefold() in UNKNOWN


@dataclass(frozen=True)
class Line:
    """A line that is not blank; ``row`` is its number in the file, from 1."""

    row: int
    cells: tuple[Cell, ...]

    @property
    def texts(self) -> list[str]:
        """The texts of the cells."""
        return [cell.text for cell in self.cells]

    def is_summary(self, id_column: int) -> bool:
        """Whether the line is nobody's: a mean or a count of the rows above."""
        words = (text.casefold().strip(" :=") for text in self.texts)
        return not self.cells[id_column].text and not SUMMARIES.isdisjoint(words)


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file.

    Attributes
    ----------
    lines : the header first, then at least one
    where : the file, with ``#SHEET`` where its workbook has several
    sha256 : digest of the file's bytes
    """

    lines: tuple[Line, ...]
    where: str
    sha256: str

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        return self.lines[0].texts


def invalid(where: str | Path, message: str) -> GlutsegError:
    """The one error of tables."""
    return GlutsegError("participants-invalid", message, str(where))
