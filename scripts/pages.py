"""The code blocks of the README and of docs/: what they hold, and what is said of how they are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FENCE = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
NOT_RUN, RUN_BY, OUTPUT = "not run: ", "run by ", "output"


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    page : path below the project
    line : of the opening fence, from 1
    language : as written behind the fence; ``{...}`` is a directive of Sphinx
    mark : the HTML comment right above: ``not run: REASON``, ``run by FILE``, ``output`` or nothing
    """

    page: str
    line: int
    language: str
    text: str
    mark: str = ""

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.page}:{self.line}"

    @property
    def reason(self) -> str:
        """Why the block is not run; empty for others."""
        return self.mark.removeprefix(NOT_RUN).strip() if self.mark.startswith(NOT_RUN) else ""

    @property
    def run_by(self) -> str:
        """The file that runs the block instead; empty for others."""
        return self.mark.removeprefix(RUN_BY).strip() if self.mark.startswith(RUN_BY) else ""

    @property
    def is_output(self) -> bool:
        """Whether this is what the block before it prints."""
        return self.mark == OUTPUT

    def commands(self) -> list[list[str]]:
        """The words of each command of a shell block, without comments; a line may go on after ``\\``."""
        lines = self.text.replace("\\\n", " ").splitlines()
        words = (shlex.split(line, comments=True) for line in lines)
        return [command for command in words if command]


def pages(root: Path = ROOT) -> list[Path]:
    """Every page whose blocks a reader may try."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


def blocks(page: Path, root: Path = ROOT) -> Iterator[Block]:
    """The blocks of a page from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("fence")) + 1
        name = page.relative_to(root).as_posix()
        yield Block(name, line, found["language"].strip(), found["text"], (found["mark"] or "").strip())


def same_output(told: str, printed: str) -> bool:
    """Whether a page tells what was printed.

    A line of ``…`` stands for anything; how lines are broken and how many seconds it took do not count.
    """
    parts = [re.escape(_plain(part)) for part in re.split(r"^…\n", told, flags=re.MULTILINE)]
    return re.fullmatch(r"\s?.*?\s?".join(parts), _plain(printed)) is not None


def _plain(text: str) -> str:
    return re.sub(r"\b\d+(\.\d+)? s\b", "N s", " ".join(text.split()))
